"""What the artist chooses for the next job."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, PointerProperty
from bpy.types import PropertyGroup


class RenderOnLambdaChoices(PropertyGroup):
    """Kept with the window, not in the .blend file: no file may turn its own scripts on."""

    allow_scripts: BoolProperty(
        name="Run Scripts",
        description=(
            "Let Python in the file run on the farm: drivers, handlers and registered texts. "
            "It finds no AWS keys there"
        ),
        default=False,
    )


def register() -> None:
    """Add the choices to the window manager."""
    bpy.utils.register_class(RenderOnLambdaChoices)
    bpy.types.WindowManager.render_on_lambda = PointerProperty(type=RenderOnLambdaChoices)


def unregister() -> None:
    """Take them away."""
    del bpy.types.WindowManager.render_on_lambda
    bpy.utils.unregister_class(RenderOnLambdaChoices)
