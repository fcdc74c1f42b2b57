"""`blender --command render_on_lambda …`: the command line of the wheel, inside Blender."""

from __future__ import annotations

import bpy
from render_on_lambda.__main__ import main

# Blender takes no hyphen in a command.
_NAME = "render_on_lambda"
_registered: list[object] = []


def register() -> None:
    """Make the command known to Blender (4.2 and later)."""
    _registered.append(bpy.utils.register_cli_command(_NAME, main))


def unregister() -> None:
    """Take the command back."""
    while _registered:
        bpy.utils.unregister_cli_command(_registered.pop())
