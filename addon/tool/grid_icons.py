"""The frames of a job as a picture that panels can draw."""

from __future__ import annotations

import time

import bpy
import bpy.utils.previews

from ..core import frame_grid
from ..core.job import Job

# How often a picture is made anew at the most.
EVERY_SECONDS = 1.0


class _Held:
    """Holds the pictures: Blender gives them back by names."""

    collection: bpy.utils.previews.ImagePreviewCollection | None = None
    # By the job: what was drawn, when, and under which name.
    drawn: dict[str, tuple[tuple[int, int, int], float, str]] = {}


def icon(job: Job) -> int:
    """The picture of a job's frames, by the number that layouts take; 0 in the background."""
    if bpy.app.background:
        return 0
    collection = _Held.collection or bpy.utils.previews.new()
    _Held.collection = collection
    state = (len(job.arrived), len(job.failures), job.total)
    known = _Held.drawn.get(job.id)
    if known is not None:
        drawn, when, name = known
        if drawn == state or time.monotonic() - when < EVERY_SECONDS:
            return collection[name].icon_id
        # A picture that is changed would be drawn as it was.
        del collection[name]
    name = f"{job.id} {state}"
    side, pixels = frame_grid.picture(frame_grid.cells(job))
    made = collection.new(name)
    made.image_size = (side, side)
    made.image_pixels_float.foreach_set(pixels)
    _Held.drawn[job.id] = (state, time.monotonic(), name)
    return made.icon_id


def close() -> None:
    """Let go of the pictures."""
    if _Held.collection is not None:
        bpy.utils.previews.remove(_Held.collection)
    _Held.collection = None
    _Held.drawn.clear()
