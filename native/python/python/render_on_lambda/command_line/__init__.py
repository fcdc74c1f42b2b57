"""The commands of `render-on-lambda`, one function each."""
