"""The jobs: how far they are, what went wrong, and the ways on."""
