"""One job: what it is, how far, what went wrong, and the ways on."""

from __future__ import annotations

import time

import bpy
from bpy.types import Context, UILayout

from ...core import wording
from ...core.job import Job, JobState
from ...core.job_actions import is_possible
from ...core.translation import count_text, tr
from ..drawing import fitting, job_button, paragraph
from .icons import icon_of
from .lists import draw_concerns

# How many failed frames and notices are drawn; the report has all.
SHOWN_LINES = 5


def draw_job(layout: UILayout, context: Context, job: Job, characters: int) -> None:
    """Draw it."""
    row = layout.row()
    # What is left of the line beside an icon and two buttons.
    room = characters - 12
    name = fitting(room, f"{job.name}, {wording.frames_text(job)}", job.name)
    row.label(text=name, icon=icon_of(job))
    if job.state.is_over:
        if job.files:
            job_button(row, "show_frames", job, "IMAGE_DATA")
        job_button(row, "remove", job, "X")
    else:
        if is_possible("pause", job):
            job_button(row, "pause", job, "PAUSE")
        job_button(row, "cancel", job, "CANCEL")
        layout.progress(factor=job.factor, text=wording.progress_text(job))
        if left := wording.left_text(job, time.time()):
            paragraph(layout, left, characters, "TIME")
    if job.trouble:
        paragraph(layout, job.trouble, characters, "INFO")
    if job.state.is_over:
        paragraph(layout, wording.summary_text(job), characters)
    if job.state is JobState.CONCERNS:
        draw_concerns(layout, context, job.id)
        column = layout.column(align=True)
        if job.unbaked:
            column.operator("render_on_lambda.bake", icon="REC")
        if job.missing:
            column.operator("file.find_missing_files", icon="VIEWZOOM")
        job_button(column, "render_anyway", job, "PLAY", text="Render Anyway")
    draw_ways_on(layout, job)
    draw_failures(layout, job, characters)


def draw_ways_on(layout: UILayout, job: Job) -> None:
    """What can be done about a job that did not come to its end."""
    if job.state is JobState.FAILED:
        column = layout.column(align=True)
        job_button(column, "try_again", job, "FILE_REFRESH", text="Try Again")
        # A job with tasks is on the farm: what stopped the watch did not stop the workers.
        if is_possible("cancel", job):
            job_button(column, "change_folder", job, "FILE_FOLDER", text="Change Folder")
            job_button(column, "cancel", job, "CANCEL", text="Cancel")
    if job.state is JobState.PAUSED:
        column = layout.column(align=True)
        job_button(column, "go_on", job, "PLAY", text="Resume")
        job_button(column, "cancel", job, "CANCEL", text="Cancel")
    if job.state is JobState.CANCELLED and job.total and job.is_of(bpy.data.filepath):
        layout.operator("render_on_lambda.render_missing", icon="RENDER_ANIMATION")
    if is_possible("make_movie", job) and job.is_of(bpy.data.filepath):
        job_button(layout, "make_movie", job, "FILE_MOVIE", text="Make Movie")
    if is_possible("retry", job):
        text = "Retry Failed Frames" if job.failed else "Retry Lost Frames"
        job_button(layout, "retry", job, "FILE_REFRESH", text=text)


def draw_failures(layout: UILayout, job: Job, characters: int) -> None:
    """Frames that failed, with Blender's own words."""
    for failure in job.failures[:SHOWN_LINES]:
        row = layout.row()
        row.alert = True
        text = tr("Frame {frame}: {reason}", frame=failure.frame, reason=failure.message)
        text = wording.first_line(text, characters - 4)
        row.label(text=text, icon="ERROR")
        log = job_button(row, "show_log", job, "TEXT")
        log.frame = failure.frame
    if job.failed > SHOWN_LINES:
        more = count_text(job.failed - SHOWN_LINES, "more frame")
        text = tr("{frames} failed: Copy Report has them", frames=more)
        layout.label(text=text, icon="BLANK1")
