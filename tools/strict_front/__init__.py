"""A front before the emulator that is as strict as AWS, where the emulator is kinder.

Each rule is one function with the page of AWS that says it; `docs/aws-rules.md` is their table.
`front.py` has the proxy that applies them, `sandbox/` what Lambda does to a function's process.
"""
