"""All jobs that this Blender knows, and the one that is chosen."""

from __future__ import annotations

import bpy
from bpy.types import Context, Panel, UILayout

from ...core import wording
from ...core.job import Job
from ...core.job_actions import is_possible
from ...tool import grid_icons, jobs
from ..drawing import OfRender, job_button, line_characters, paragraph
from .details import draw_job
from .lists import ROWS, FarmJobRows, JobRows

# How large the picture of the frames is, in rows of buttons.
GRID_ROWS = 5.0


class JobsPanel(OfRender, Panel):
    """The list, and the job that is chosen in it."""

    bl_idname = "RENDER_PT_render_on_lambda_jobs"
    bl_parent_id = "RENDER_PT_render_on_lambda"
    bl_label = "Jobs"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draw both."""
        layout = self.layout
        choices = context.window_manager.render_on_lambda
        if not choices.jobs:
            layout.label(text="No jobs yet")
            return
        layout.template_list(
            JobRows.bl_idname, "", choices, "jobs", choices, "active_job", rows=ROWS
        )
        rows = choices.jobs
        chosen = rows[choices.active_job].name if choices.active_job < len(rows) else ""
        job = jobs.jobs().list.find(chosen)
        if job is not None:
            draw_chosen(layout, context, job)


def draw_chosen(layout: UILayout, context: Context, job: Job) -> None:
    """The job, its frames as a picture, its file and folder, and what it has told."""
    characters = line_characters(context)
    # The current one is drawn above already.
    if job is not jobs.jobs().current_job(bpy.data.filepath):
        draw_job(layout.column(), context, job, characters)
    if job.frame_count > 1 and (icon := grid_icons.icon(job)):
        layout.template_icon(icon_value=icon, scale=GRID_ROWS)
    column = layout.column(align=True)
    room = characters - 4
    column.label(text=wording.short_path(job.as_path, room), icon="FILE_BLEND")
    row = column.row()
    row.label(text=wording.short_path(job.output_folder, room - 4), icon="FILE_FOLDER")
    button = row.operator("render_on_lambda.open_folder", text="", icon="FOLDER_REDIRECT")
    button.folder = job.output_folder
    for notice in job.notices:
        paragraph(layout, notice, characters, "INFO")
    column = layout.column(align=True)
    if is_possible("fetch", job):
        job_button(column, "fetch", job, "IMPORT", text="Fetch Frames")
    if is_possible("add_strip", job):
        job_button(column, "add_strip", job, "SEQ_SEQUENCER", text="Add to Sequencer")
    job_button(column, "copy_report", job, "COPYDOWN", text="Copy Report")


class FarmJobsPanel(OfRender, Panel):
    """The jobs of the farm that others have sent, or another computer."""

    bl_idname = "RENDER_PT_render_on_lambda_farm_jobs"
    bl_parent_id = "RENDER_PT_render_on_lambda"
    bl_label = "Jobs on the Farm"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draw the list, once it was asked for."""
        layout, on_farm = self.layout, jobs.jobs().on_farm
        choices = context.window_manager.render_on_lambda
        row = layout.row()
        row.enabled = bpy.app.online_access and not on_farm.is_waiting
        row.operator("render_on_lambda.list_farm_jobs", icon="FILE_REFRESH")
        if on_farm.text:
            icon = "ERROR" if on_farm.is_bad else "INFO"
            paragraph(layout, on_farm.text, line_characters(context), icon)
        if not choices.farm_jobs:
            return
        layout.template_list(
            FarmJobRows.bl_idname, "", choices, "farm_jobs", choices, "active_farm_job", rows=ROWS
        )
        layout.operator("render_on_lambda.attach", icon="IMPORT")


register, unregister = bpy.utils.register_classes_factory((JobsPanel, FarmJobsPanel))
