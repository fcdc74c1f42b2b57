"""The buttons of a job. Each calls one function of tool."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty
from bpy.types import Context, Event, Operator, OperatorProperties

from ...core import wording
from ...core.job import Job
from ...tool import images, jobs, selection, simulations, texts, waiting
from ...tool.cannot_render import CannotRender


class _OfJob:
    """What the operators on a job share."""

    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def job(self) -> Job | None:
        """The job that the button belongs to."""
        found = jobs.jobs().list.find(self.job_id)
        if found is None:
            self.report({"ERROR"}, f"There is no job {self.job_id}")
        return found

    def execute(self, _context: Context) -> set[str]:
        """Act on the job. In the background, wait for what was begun."""
        if (job := self.job()) is None:
            return {"CANCELLED"}
        self.act(job)
        return {"FINISHED"}

    def act(self, job: Job) -> None:
        """What the button does."""
        raise NotImplementedError


class CancelJob(_OfJob, Operator):
    """Stop the job. Frames that are done are kept"""

    bl_idname = "render_on_lambda.cancel"
    bl_label = "Cancel"

    def act(self, job: Job) -> None:
        """Cancel."""
        jobs.jobs().cancel(job)


class RemoveJob(_OfJob, Operator):
    """Take the job off this list. Its frames stay"""

    bl_idname = "render_on_lambda.remove"
    bl_label = "Remove from List"

    def act(self, job: Job) -> None:
        """Remove."""
        jobs.jobs().remove(job)


class RenderAnyway(_OfJob, Operator):
    """Render although files are missing or simulations are not baked: these will look wrong"""

    bl_idname = "render_on_lambda.render_anyway"
    bl_label = "Render Anyway"

    def act(self, job: Job) -> None:
        """Submit again."""
        jobs.jobs().again(job, anyway=True)
        wait_in_background(job)


class TryAgain(_OfJob, Operator):
    """Go on with the job, once what was in the way is mended. What was rendered is not lost"""

    bl_idname = "render_on_lambda.try_again"
    bl_label = "Try Again"

    def act(self, job: Job) -> None:
        """Follow a job that the farm has; submit one that it has not."""
        if job.total:
            jobs.jobs().watch_again(job)
        else:
            jobs.jobs().again(job)
        wait_in_background(job)


class RetryFrames(_OfJob, Operator):
    """Render the frames again that failed or were lost. Frames that are done are kept"""

    bl_idname = "render_on_lambda.retry"
    bl_label = "Retry Failed Frames"

    def act(self, job: Job) -> None:
        """Enqueue them again and follow."""
        jobs.jobs().retry(job)
        wait_in_background(job)


class ChangeFolder(_OfJob, Operator):
    """Have the frames of the job come into another folder"""

    bl_idname = "render_on_lambda.change_folder"
    bl_label = "Change Folder"

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """Ask for the folder."""
        if job := self.job():
            self.directory = job.output_folder
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def act(self, job: Job) -> None:
        """Fetch into it from now on."""
        try:
            jobs.jobs().change_folder(job, bpy.path.abspath(self.directory))
        except OSError as error:
            self.report({"ERROR"}, str(error))


class MakeMovie(_OfJob, Operator):
    """Join the frames to the movie that the scene describes, with its container, codec and sound"""

    bl_idname = "render_on_lambda.make_movie"
    bl_label = "Make Movie"

    def act(self, job: Job) -> None:
        """Begin; in the background, wait for it."""
        try:
            jobs.jobs().make_film(job)
        except (CannotRender, OSError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return
        if bpy.app.background:
            waiting.wait_for_film(job)


class Bake(Operator):
    """Bake the physics and simulation nodes of the scene. Then press Render again"""

    bl_idname = "render_on_lambda.bake"
    bl_label = "Bake"

    def invoke(self, _context: Context, _event: Event) -> set[str]:
        """From the button: Blender's own bakes, with their progress."""
        simulations.bake("INVOKE_DEFAULT")
        return {"FINISHED"}

    def execute(self, _context: Context) -> set[str]:
        """From a script: bake to the end."""
        simulations.bake("EXEC_DEFAULT")
        return {"FINISHED"}


class ShowFrames(_OfJob, Operator):
    """Show the frames of the job in an Image Editor"""

    bl_idname = "render_on_lambda.show_frames"
    bl_label = "View Frames"

    def act(self, job: Job) -> None:
        """Load and show."""
        if job.files:
            images.view(job)


class ShowLog(_OfJob, Operator):
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


class CopyReport(_OfJob, Operator):
    """Copy all that is known of the job to the clipboard, for whoever can help"""

    bl_idname = "render_on_lambda.copy_report"
    bl_label = "Copy Report"

    def act(self, job: Job) -> None:
        """Copy."""
        bpy.context.window_manager.clipboard = wording.report_text(job)
        self.report({"INFO"}, "The report is on the clipboard")


class SelectUser(Operator):
    """Select the objects that use this datablock"""

    bl_idname = "render_on_lambda.select_user"
    bl_label = "Select User"
    bl_options = {"UNDO"}

    datablock_type: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    datablock: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    path: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def description(cls, _context: Context, properties: OperatorProperties) -> str:
        """With the whole path, of which the panel shows the end."""
        user = f'{properties.datablock_type} "{properties.datablock}"'
        return "\n".join(filter(None, (cls.__doc__, user, properties.path)))

    def execute(self, context: Context) -> set[str]:
        """Select."""
        count = selection.select_users(context, self.datablock_type, self.datablock)
        if not count:
            self.report({"WARNING"}, f'No object in this view layer uses "{self.datablock}"')
        return {"FINISHED"}


class Resume(Operator):
    """Go on with the jobs that were in motion when Blender was closed"""

    bl_idname = "render_on_lambda.resume"
    bl_label = "Resume Jobs"

    wait: BoolProperty(options={"HIDDEN", "SKIP_SAVE"}, default=False)

    def execute(self, _context: Context) -> set[str]:
        """Resume, and wait for them where a script asks for that."""
        running = jobs.jobs()
        running.resume()
        if self.wait:
            for session in list(running.sessions.values()):
                waiting.wait(session.job)
        return {"FINISHED"}


def wait_in_background(job: Job) -> None:
    """Where there is no window, a script has called: it wants the result."""
    if bpy.app.background:
        waiting.wait(job)


_CLASSES = (
    CancelJob,
    RemoveJob,
    RenderAnyway,
    TryAgain,
    RetryFrames,
    ChangeFolder,
    MakeMovie,
    Bake,
    ShowFrames,
    ShowLog,
    CopyReport,
    SelectUser,
    Resume,
)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
