"""Frames in the Image Editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from bpy.types import Area, Image

    from ..core.job import Job


def show_latest(job: Job, paths: list[str]) -> None:
    """Show the frame that arrived last, while others are still being made."""
    if not paths:
        return
    image = job_image(job, paths[0])
    image.source = "FILE"
    image.filepath = paths[0]
    image.reload()
    if (area := image_area()) is not None:
        area.spaces.active.image = image


def show_sequence(job: Job) -> None:
    """Load all frames of a job as one image sequence; a single frame as an image.

    In the background there is no editor: the image is loaded all the same.
    """
    frames = sorted(job.files)
    image = job_image(job, job.files[frames[0]])
    image.filepath = job.files[frames[0]]
    image.source = "SEQUENCE" if len(frames) > 1 else "FILE"
    image.reload()
    area = None if bpy.app.background else image_area()
    if area is None:
        return
    space = area.spaces.active
    space.image = image
    if len(frames) > 1:
        user = space.image_user
        user.frame_start = frames[0]
        # The sequence starts at the first frame's own number, at that time.
        user.frame_offset = frames[0] - 1
        user.frame_duration = frames[-1] - frames[0] + 1
        user.use_auto_refresh = True
    area.tag_redraw()


def job_image(job: Job, path: str) -> Image:
    """The image datablock of a job, made at its first frame."""
    name = f"Render on Lambda: {job.name}"
    image = bpy.data.images.get(name)
    if image is None:
        image = bpy.data.images.load(path)
        image.name = name
    return image


def image_area() -> Area | None:
    """An Image Editor: an open one, else a new window with one, as Blender's own render does."""
    manager = bpy.context.window_manager
    for window in manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR" and area.ui_type == "IMAGE_EDITOR":
                return area
    if not manager.windows:
        return None
    with bpy.context.temp_override(window=manager.windows[0]):
        if bpy.ops.wm.window_new() != {"FINISHED"}:
            return None
    area = manager.windows[-1].screen.areas[0]
    area.type = "IMAGE_EDITOR"
    return area
