"""The panel in the Render properties. It draws what is known and asks nobody."""

from __future__ import annotations

import textwrap

import bpy
from bpy.types import Context, Menu, Panel, UILayout

from .core import wording
from .core.job import Job, JobState
from .core.scene_check import SceneCheck
from .tool import jobs

# How many jobs, failures and missing files are drawn; the others are counted.
SHOWN_JOBS = 5
SHOWN_LINES = 8
# The usual width of a letter of Blender's interface font, and what margins and icons take.
LETTER_PIXELS = 6.8
MARGIN_PIXELS = 75

ICONS = {
    JobState.SUBMITTING: "EXPORT",
    JobState.RENDERING: "RENDER_ANIMATION",
    JobState.CANCELLING: "CANCEL",
    JobState.CONCERNS: "ERROR",
    JobState.FINISHED: "CHECKMARK",
    JobState.CANCELLED: "X",
    JobState.FAILED: "ERROR",
}


class RenderPanel(Panel):
    """The two buttons and the jobs."""

    bl_idname = "RENDER_PT_render_on_lambda"
    bl_label = "Render on Lambda"
    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "render"

    def draw(self, context: Context) -> None:
        """Draw buttons, choices and the latest jobs."""
        layout = self.layout
        if not bpy.app.online_access:
            layout.label(text="Blender may not use the network", icon="INTERNET_OFFLINE")
            layout.label(text="Turn on Preferences > System > Allow Online Access")
        scene = context.scene
        column = layout.column()
        column.scale_y = 1.4
        column.enabled = bpy.app.online_access
        count = max(0, (scene.frame_end - scene.frame_start) // scene.frame_step + 1)
        column.operator(
            "render_on_lambda.render_animation",
            text=f"Render Animation ({wording.count_text(count, 'frame')})",
            icon="RENDER_ANIMATION",
        )
        column.operator(
            "render_on_lambda.render_image",
            text=f"Render Image (frame {scene.frame_current})",
            icon="RENDER_STILL",
        )
        layout.prop(context.window_manager.render_on_lambda, "allow_scripts")
        check = jobs.jobs().scene_check
        if check is None:
            layout.operator("render_on_lambda.check_scene", icon="CHECKMARK")
        else:
            draw_check(layout.box().column(), check, line_characters(context))
        known = jobs.jobs().list.jobs
        for job in list(reversed(known))[:SHOWN_JOBS]:
            draw_job(layout.box().column(), job, line_characters(context))
        if len(known) > SHOWN_JOBS:
            earlier = wording.count_text(len(known) - SHOWN_JOBS, "earlier job")
            layout.label(text=f"and {earlier}")


def line_characters(context: Context) -> int:
    """How many letters fit into a line of this panel."""
    pixels = context.region.width / context.preferences.system.ui_scale
    return max(20, int((pixels - MARGIN_PIXELS) / LETTER_PIXELS))


def draw_job(layout: UILayout, job: Job, characters: int) -> None:
    """One job: what it is, how far, and what can be done."""
    row = layout.row()
    row.label(text=f"{job.name}, {wording.frames_text(job)}", icon=icon_of(job))
    if job.state.is_over:
        if job.files:
            button(row, "render_on_lambda.show_frames", job, "IMAGE_DATA")
        button(row, "render_on_lambda.forget", job, "TRASH")
    else:
        button(row, "render_on_lambda.cancel", job, "CANCEL")
        layout.progress(factor=job.factor, text=wording.progress_text(job))
    if job.trouble:
        paragraph(layout, job.trouble, "INFO", characters)
    if job.state.is_over:
        paragraph(layout, wording.summary_text(job), "NONE", characters)
    if job.state is JobState.CONCERNS:
        draw_concerns(layout, job)
    # A job with tasks is on the farm: what stopped the watch did not stop the workers.
    if job.state is JobState.FAILED and job.total:
        button(layout, "render_on_lambda.watch_again", job, "FILE_REFRESH", text="Follow Again")
    if job.state is JobState.FINISHED and (job.failed or job.lost):
        text = "Retry Failed Frames" if job.failed else "Retry Lost Frames"
        button(layout, "render_on_lambda.retry", job, "FILE_REFRESH", text=text)
    draw_failures(layout, job)


def icon_of(job: Job) -> str:
    """A check mark only where every frame is there."""
    is_whole = not job.failed and not job.lost
    return ICONS[job.state] if is_whole or job.state is not JobState.FINISHED else "ERROR"


def draw_check(layout: UILayout, check: SceneCheck, characters: int) -> None:
    """The check of the scene: how far, or what it found, each with its datablock."""
    row = layout.row()
    is_sound = check.is_over and not check.problems and not check.error
    row.label(text="Check Scene", icon="CHECKMARK" if is_sound else "VIEWZOOM")
    row.operator("render_on_lambda.check_scene", text="", icon="FILE_REFRESH")
    row.operator("render_on_lambda.forget_check", text="", icon="X")
    if not check.is_over:
        layout.progress(factor=check.factor, text=check.status)
        return
    paragraph(layout, check.summary, "NONE", characters)
    for note in check.notes:
        paragraph(layout, note, "INFO", characters)
    for problem in check.problems[:SHOWN_LINES]:
        row = layout.row()
        what = problem.path or problem.kind
        text = f"{problem.datablock_type} {problem.datablock}: {what}"
        row.label(text=text, icon="LIBRARY_DATA_BROKEN")
        select = row.operator("render_on_lambda.select_user", text="", icon="RESTRICT_SELECT_OFF")
        select.datablock_type, select.datablock = problem.datablock_type, problem.datablock
    if len(check.problems) > SHOWN_LINES:
        layout.label(text=f"and {len(check.problems) - SHOWN_LINES} more")


def draw_concerns(layout: UILayout, job: Job) -> None:
    """What is missing or not baked, each with its datablock, and the ways on."""
    missing = [(one.datablock_type, one.datablock, one.path) for one in job.missing]
    unbaked = [
        (one.datablock_type, one.datablock, f"{one.simulation}, not baked") for one in job.unbaked
    ]
    for concerns, icon in ((missing, "LIBRARY_DATA_BROKEN"), (unbaked, "PHYSICS")):
        for datablock_type, datablock, what in concerns[:SHOWN_LINES]:
            row = layout.row()
            row.label(text=f"{datablock_type} {datablock}: {what}", icon=icon)
            select = row.operator(
                "render_on_lambda.select_user", text="", icon="RESTRICT_SELECT_OFF"
            )
            select.datablock_type, select.datablock = datablock_type, datablock
        if len(concerns) > SHOWN_LINES:
            layout.label(text=f"and {len(concerns) - SHOWN_LINES} more")
    row = layout.row()
    if unbaked:
        row.operator("render_on_lambda.bake", icon="REC")
    button(row, "render_on_lambda.render_anyway", job, "PLAY", text="Render Anyway")


def draw_failures(layout: UILayout, job: Job) -> None:
    """Frames that failed, with Blender's own words."""
    for failure in job.failures[:SHOWN_LINES]:
        row = layout.row()
        row.alert = True
        row.label(text=f"Frame {failure.frame}: {failure.message}", icon="ERROR")
        log = row.operator("render_on_lambda.show_log", text="", icon="TEXT")
        log.job_id, log.frame = job.id, failure.frame
    if job.failed > SHOWN_LINES:
        layout.label(
            text=f"and {wording.count_text(job.failed - SHOWN_LINES, 'more frame')} failed"
        )


def button(layout: UILayout, operator: str, job: Job, icon: str, text: str = "") -> None:
    """A button that acts on a job."""
    layout.operator(operator, text=text, icon=icon).job_id = job.id


def paragraph(layout: UILayout, text: str, icon: str, characters: int) -> None:
    """Text that is longer than a line: Blender's labels do not wrap."""
    for number, line in enumerate(textwrap.wrap(text, characters)):
        layout.label(text=line, icon=icon if number == 0 or icon == "NONE" else "BLANK1")


def draw_menu(menu: Menu, _context: Context) -> None:
    """The entries of the Render menu; what is in a menu is what F3 finds."""
    layout = menu.layout
    layout.separator()
    layout.operator_context = "INVOKE_DEFAULT"
    for operator, text, icon in (
        ("render_image", "Render Image on Lambda", "RENDER_STILL"),
        ("render_animation", "Render Animation on Lambda", "RENDER_ANIMATION"),
        ("check_scene", "Check Scene for Lambda", "CHECKMARK"),
    ):
        layout.operator(f"render_on_lambda.{operator}", text=text, icon=icon)


def register() -> None:
    """Register with Blender."""
    bpy.utils.register_class(RenderPanel)
    bpy.types.TOPBAR_MT_render.append(draw_menu)


def unregister() -> None:
    """Take back."""
    bpy.types.TOPBAR_MT_render.remove(draw_menu)
    bpy.utils.unregister_class(RenderPanel)
