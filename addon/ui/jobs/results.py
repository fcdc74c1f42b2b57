"""The buttons of what a job has brought. Each calls one function of tool."""

from __future__ import annotations

import bpy
from bpy.props import IntProperty
from bpy.types import Operator

from ...core import wording
from ...core.job import Job
from ...core.translation import tr
from ...tool import images, jobs, strips, texts, waiting
from ...tool.cannot_render import CannotRender
from .of_job import OfJob


class FetchFrames(OfJob, Operator):
    """Fetch the frames of the job again that are not in its folder any more"""

    bl_idname = "render_on_lambda.fetch"
    bl_label = "Fetch Frames"

    def act(self, job: Job) -> None:
        """Follow the job once more: what is there as it was made is not fetched."""
        jobs.jobs().watch_again(job)
        if bpy.app.background:
            waiting.wait(job)


class ShowFrames(OfJob, Operator):
    """Show the frames of the job in an Image Editor"""

    bl_idname = "render_on_lambda.show_frames"
    bl_label = "View Frames"

    def act(self, job: Job) -> None:
        """Load and show."""
        images.view(job)


class ShowLog(OfJob, Operator):
    """Show what Blender said about this frame in a Text Editor"""

    bl_idname = "render_on_lambda.show_log"
    bl_label = "Show Log"

    frame: IntProperty(options={"HIDDEN", "SKIP_SAVE"})

    def act(self, job: Job) -> None:
        """Put the log into a text, and show that."""
        failure = next((item for item in job.failures if item.frame == self.frame), None)
        if failure is not None:
            texts.show(
                f"{job.name} frame {self.frame}.log", f"{failure.message}\n\n{failure.log_tail}"
            )


class CopyReport(OfJob, Operator):
    """Copy all that is known of the job to the clipboard, for whoever can help"""

    bl_idname = "render_on_lambda.copy_report"
    bl_label = "Copy Report"

    def act(self, job: Job) -> None:
        """Copy."""
        bpy.context.window_manager.clipboard = wording.report_text(job)
        self.report({"INFO"}, tr("The report is on the clipboard"))


class AddStrip(OfJob, Operator):
    """Put the frames of the job into the Video Sequencer, in a scene of its own"""

    bl_idname = "render_on_lambda.add_strip"
    bl_label = "Add to Sequencer"
    bl_options = {"UNDO"}

    def act(self, job: Job) -> None:
        """Add a strip."""
        scene = strips.add(job)
        text = tr('The frames are a strip of the scene "{name}"', name=scene.name)
        self.report({"INFO"}, text)


class MakeMovie(OfJob, Operator):
    """Join the frames to the movie that the scene describes, with its container, codec and sound"""

    bl_idname = "render_on_lambda.make_movie"
    bl_label = "Make Movie"

    def act(self, job: Job) -> None:
        """Begin; in the background, wait for it."""
        try:
            jobs.jobs().films.begin(job)
        except (CannotRender, OSError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return
        if bpy.app.background:
            waiting.wait_for_film(job)


register, unregister = bpy.utils.register_classes_factory(
    (FetchFrames, ShowFrames, ShowLog, CopyReport, AddStrip, MakeMovie)
)
