"""Frames in the Image Editor, where Blender's preferences want renders and nobody is at work."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import imbuf

from . import editors, storage

if TYPE_CHECKING:
    from bpy.types import Area, Image

    from ..core.job import Job

# The image in which Blender's own render ends, and how the names of ours begin.
RENDER_RESULT = "Render Result"
NAME = "Render on Lambda: "


def open_viewer(job: Job, path: str) -> None:
    """At the first frame of a job: an editor to show it in, as Blender opens one for its renders.

    Nothing where the preferences want the interface kept. What the artist closes stays closed.
    """
    if free_viewer(job) or bpy.context.preferences.view.render_display_type == "NONE":
        return
    windows = bpy.context.window_manager.windows
    if not windows:
        return
    image = job_image(job) or make_image(job, path)
    with bpy.context.temp_override(window=windows[0], screen=windows[0].screen):
        # Blender's own choice of editor or window, its size, and its way back with Esc.
        bpy.ops.render.view_show("INVOKE_DEFAULT")
    if area := free_viewer(job):
        area.spaces.active.image = image
        fit(area)


@cache
def begin_reading() -> None:
    """Have Blender begin what reads images: for the first of a session that takes 40 ms and more.

    At a press, and not while frames land and somebody is at work.
    """
    if not bpy.app.background:
        # Nobody misses it where the manual is not there.
        with suppress(Exception):
            imbuf.load(str(Path(__file__).parent.parent / "help" / "set-up.png"))


def fit(area: Area) -> None:
    """Have the whole image in view."""
    window = next(one for one in bpy.context.window_manager.windows if area in one.screen.areas[:])
    region = next(one for one in area.regions if one.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.image.view_all(fit_view=True)


def show_frame(job: Job, path: str) -> None:
    """Show a frame while others are still being made, in the editors that show the job."""
    image = job_image(job)
    shown = [area for area in editors.areas() if shows(area, image)]
    if not shown and (area := free_viewer(job)):
        shown = [area]
    if image is None:
        image = make_image(job, path)
    elif shown:
        image.source = "FILE"
        image.filepath = path
        image.reload()
    for area in shown:
        area.spaces.active.image = image
        area.tag_redraw()


def show_sequence(job: Job) -> None:
    """Load all frames of a job as one image sequence; a single frame as an image.

    In the background there is no editor: the image is loaded all the same.
    """
    frames = sorted(job.files)
    image = job_image(job) or make_image(job, job.files[frames[0]])
    times_larger = preview_factor(job, image)
    image.filepath = job.files[frames[0]]
    image.source = "SEQUENCE" if len(frames) > 1 else "FILE"
    image.reload()
    shown = [area for area in editors.areas() if shows(area, image)]
    if not shown and (area := free_viewer(job)):
        shown = [area]
    for area in shown:
        space = area.spaces.active
        if space.image == image:
            space.zoom_percentage /= times_larger
        space.image = image
        if len(frames) > 1:
            user = space.image_user
            user.frame_start = frames[0]
            # The sequence starts at the first frame's own number, at that time.
            user.frame_offset = frames[0] - 1
            user.frame_duration = frames[-1] - frames[0] + 1
            user.use_auto_refresh = True
        area.tag_redraw()


def preview_factor(job: Job, image: Image) -> float:
    """How much larger the frames are than what is shown of them so far."""
    scene = bpy.data.scenes.get(job.scene)
    if scene is None or not is_preview(job, image) or not image.size[0]:
        return 1.0
    width = scene.render.resolution_x * scene.render.resolution_percentage / 100
    return max(1.0, width / image.size[0])


def is_preview(job: Job, image: Image) -> bool:
    """Whether an image shows a small copy of a frame."""
    return image.filepath.startswith(str(storage.previews(job.id)))


def view(job: Job) -> None:
    """Show the frames because the artist asks for them, in a new window where no editor is free."""
    image = job_image(job)
    is_shown = image is not None and any(shows(area, image) for area in editors.areas())
    if not is_shown and free_viewer(job) is None and (area := editors.new_window("IMAGE_EDITOR")):
        area.spaces.active.image = image
    show_sequence(job)


def job_image(job: Job) -> Image | None:
    """The image datablock of a job, where it has one in this file."""
    return bpy.data.images.get(image_name(job))


def make_image(job: Job, path: str) -> Image:
    """The image datablock of a job, made at its first frame."""
    image = bpy.data.images.load(path)
    image.name = image_name(job)
    return image


def image_name(job: Job) -> str:
    """What the image of a job is called."""
    return f"{NAME}{job.name}"


def free_viewer(job: Job) -> Area | None:
    """An Image Editor that shows renders or nothing, and in which nobody paints or masks."""
    image = job_image(job)
    return editors.first(lambda area: shows(area, image) or shows_render(area))


def shows_render(area: Area) -> bool:
    """Whether an editor is there for renders: it shows Blender's own, one of ours, or nothing."""
    if area.type != "IMAGE_EDITOR" or area.ui_type != "IMAGE_EDITOR":
        return False
    space = area.spaces.active
    if space.mode != "VIEW" or space.use_image_pin:
        return False
    image = space.image
    return image is None or image.name.startswith((RENDER_RESULT, NAME))


def shows(area: Area, image: Image | None) -> bool:
    """Whether an editor shows an image."""
    return (
        image is not None
        and area.type == "IMAGE_EDITOR"
        and area.spaces.active.image == image
        and area.spaces.active.mode == "VIEW"
    )
