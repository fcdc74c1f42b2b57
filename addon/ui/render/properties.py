"""What the artist chooses for the next job, and the rows of the lists."""

from __future__ import annotations

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)
from bpy.types import PropertyGroup


class JobRow(PropertyGroup):
    """A row of the list of jobs; its name is the job's id."""


class ConcernRow(PropertyGroup):
    """A row of what is missing or not baked."""

    owner: StringProperty()
    what: StringProperty()
    datablock_type: StringProperty()
    datablock: StringProperty()
    path: StringProperty()
    icon: StringProperty()


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
    split_frames: EnumProperty(
        name="Split Frames",
        description=(
            "Whether many workers render one frame, each a tile of it. The picture is the same; "
            "what cannot be split is rendered whole"
        ),
        items=(
            (
                "AUTOMATIC",
                "Automatic",
                "Split a frame that takes too long for one worker, and an image that would be "
                "there much earlier",
            ),
            ("ALWAYS", "Always", "Split each frame into as many tiles as are set below"),
            ("NEVER", "Never", "Have one worker render each frame"),
        ),
    )
    slices: IntProperty(
        name="Tiles",
        description=(
            "Into how many tiles each frame is split. Each worker opens the scene: worth while "
            "where a frame takes minutes"
        ),
        default=8,
        min=2,
        soft_max=256,
        max=1000,
    )
    allow_other_noise: BoolProperty(
        name="Other Noise",
        description=(
            "Split frames with path guiding, volumes or the texture cache too. Their noise is as "
            "good, but not the one of a frame in one piece"
        ),
        default=False,
    )
    jobs: CollectionProperty(type=JobRow)
    farm_jobs: CollectionProperty(type=JobRow)
    active_farm_job: IntProperty(name="Job", description="The job to attach")
    active_job: IntProperty(name="Job", description="The job that is shown below")
    concerns: CollectionProperty(type=ConcernRow)
    concerns_of: StringProperty(options={"HIDDEN"})
    active_concern: IntProperty(name="Problem")


_CLASSES = (JobRow, ConcernRow, RenderOnLambdaChoices)


def register() -> None:
    """Add the choices to the window manager."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.render_on_lambda = PointerProperty(type=RenderOnLambdaChoices)


def unregister() -> None:
    """Take them away."""
    del bpy.types.WindowManager.render_on_lambda
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
