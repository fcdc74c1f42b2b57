"""How much of an image is there, over the image: as Blender tells of its own renders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from ..core import wording
from . import images
from .jobs import jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpy.types import Context, Image

# The height of a line and the room beside a text, as parts of Blender's own widgets (`WIDGET_UNIT`,
# `UI_interface.hh`, 5.2: 20 pixels at a scale of 1).
LINE_PIXELS = 20
INDENT_PIXELS = 8
TEXT_POINTS = 11

_handlers: list[object] = []


def register() -> None:
    """Draw it in every Image Editor that shows such an image."""
    if not bpy.app.background:
        space = bpy.types.SpaceImageEditor
        _handlers.append(space.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    """Do so no more."""
    while _handlers:
        bpy.types.SpaceImageEditor.draw_handler_remove(_handlers.pop(), "WINDOW")


def label_of(image: Image) -> str:
    """What stands over an image that is not there yet; empty for all others."""
    if not image.name.startswith(images.NAME):
        return ""
    for job in jobs().list.jobs:
        if job.refined_of and not job.files and images.is_preview(job, image):
            return wording.summary_text(job) if job.state.is_over else wording.tiles_text(job)
    return ""


def _draw() -> None:
    context = bpy.context
    image = context.space_data.image
    text = label_of(image) if image is not None else ""
    if not text:
        return
    scale = context.preferences.system.ui_scale
    line, indent = round(LINE_PIXELS * scale), round(INDENT_PIXELS * scale)
    top = context.region.height - covered(context)
    theme = context.preferences.themes[0].image_editor.space
    draw_bar(context.region.width, top - line, line, theme.header)
    blf.size(0, TEXT_POINTS * scale)
    blf.color(0, *theme.header_text, 1.0)
    blf.position(0, indent, top - line + round(6 * scale), 0)
    blf.draw(0, text)


def covered(context: Context) -> int:
    """How many pixels of the editor its own headers cover from the top."""
    if not context.preferences.system.use_region_overlap:
        return 0
    own = context.region
    return sum(
        region.height
        for region in context.area.regions
        if region.type in {"HEADER", "TOOL_HEADER"}
        and region.height > 1
        and own.y < region.y < own.y + own.height
        and region.alignment in {"TOP", "HEADER"}
    )


def draw_bar(width: int, bottom: int, height: int, color: Sequence[float]) -> None:
    """The strip behind the text."""
    corners = [(0, bottom), (width, bottom), (width, bottom + height), (0, bottom + height)]
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    batch = batch_for_shader(shader, "TRIS", {"pos": corners}, indices=[(0, 1, 2), (0, 2, 3)])
    gpu.state.blend_set("ALPHA")
    shader.uniform_float("color", (*color[:3], 0.8))
    batch.draw(shader)
    gpu.state.blend_set("NONE")
