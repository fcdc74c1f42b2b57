"""What the artist must change first."""


class CannotRender(Exception):
    """Something that the artist must change first; the message says what."""
