"""A line below the choice of the engine: the panel itself is far below Blender's own."""

from __future__ import annotations

import bpy
from bpy.types import Context, Panel, UILayout

from ...core import wording
from ...core.job import Job, JobState
from ...tool import jobs
from ..drawing import line_characters, paragraph

# Below so many characters of width there is no room for words.
FROM_CHARACTERS = 30

# How much of the width Blender gives to the names of properties.
NAME_FACTOR = 0.4


def draw(panel: Panel, context: Context) -> None:
    """The two buttons, and below them what became of the last press."""
    row = panel.layout.split(factor=NAME_FACTOR)
    label = row.row()
    label.alignment = "RIGHT"
    label.label(text="On Lambda")
    buttons = row.row(align=True)
    buttons.enabled = bpy.app.online_access
    characters = line_characters(context)
    if characters >= FROM_CHARACTERS:
        buttons.operator("render_on_lambda.render_image", text="Image")
        buttons.operator("render_on_lambda.render_animation", text="Animation")
    else:
        buttons.operator("render_on_lambda.render_image", text="", icon="RENDER_STILL")
        buttons.operator("render_on_lambda.render_animation", text="", icon="RENDER_ANIMATION")
    if not bpy.app.online_access:
        draw_way(panel.layout, "Allow Online Access", "NETWORK")
    elif jobs.jobs().farm_is_missing():
        draw_way(panel.layout, "Set Up a Farm", "FARM")
    job = jobs.jobs().current_job(bpy.data.filepath)
    if job is not None:
        draw_press(panel.layout, job, characters)


def draw_way(layout: UILayout, text: str, section: str) -> None:
    """What is to be done first."""
    row = layout.split(factor=NAME_FACTOR)
    row.label()
    row.operator("render_on_lambda.show_preferences", text=text).section = section


def draw_press(layout: UILayout, job: Job, characters: int) -> None:
    """How far it is, or what is in the way."""
    if not job.state.is_over:
        count = f"{job.fetched} / {job.total}" if job.total else ""
        row = layout.split(factor=NAME_FACTOR)
        row.label()
        row.progress(factor=job.factor, text=count, translate=False)
    elif job.state in (JobState.CONCERNS, JobState.FAILED):
        text = wording.first_line(wording.summary_text(job), characters * 2)
        paragraph(layout, text, characters, "ERROR")


def register() -> None:
    """Register with Blender."""
    bpy.types.RENDER_PT_context.append(draw)


def unregister() -> None:
    """Take back."""
    bpy.types.RENDER_PT_context.remove(draw)
