"""Render on Lambda: renders the open scene on AWS Lambda and brings the frames back."""

from . import operators, panels, preferences, properties
from .tool import command_line, timer

_MODULES = (properties, preferences, operators, panels, command_line, timer)


def register() -> None:
    """Called by Blender when the extension is enabled."""
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled; the reverse of register."""
    for module in reversed(_MODULES):
        module.unregister()
