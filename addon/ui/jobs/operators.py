"""The buttons of a job. Each calls one function of tool."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import Context, Event, Operator, OperatorProperties, Timer

from ...core.job import Job
from ...core.translation import tr
from ...tool import jobs, selection, simulations, waiting
from .of_job import OfJob, wait_in_background


class CancelJob(OfJob, Operator):
    """Stop the job. Frames that are done are kept"""

    bl_idname = "render_on_lambda.cancel"
    bl_label = "Cancel"

    def act(self, job: Job) -> None:
        """Cancel."""
        jobs.jobs().cancel(job)


class PauseJob(OfJob, Operator):
    """Begin no frame any more. Those that are at work are still rendered"""

    bl_idname = "render_on_lambda.pause"
    bl_label = "Pause"

    def act(self, job: Job) -> None:
        """Pause."""
        jobs.jobs().pause(job)


class ResumeJob(OfJob, Operator):
    """Render the frames that the job was paused before"""

    bl_idname = "render_on_lambda.go_on"
    bl_label = "Resume"

    def act(self, job: Job) -> None:
        """Go on."""
        jobs.jobs().go_on(job)
        wait_in_background(job)


class RemoveJob(OfJob, Operator):
    """Take the job off this list. Its frames on this computer stay"""

    bl_idname = "render_on_lambda.remove"
    bl_label = "Remove Job"

    with_data: BoolProperty(
        name="Delete from the Farm",
        description="Delete the frames, logs and records of the job in the bucket, too",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """Ask what of it."""
        return context.window_manager.invoke_props_dialog(self, confirm_text=tr("Remove"))

    def act(self, job: Job) -> None:
        """Remove."""
        jobs.jobs().remove(job, with_data=self.with_data)


class RenderAnyway(OfJob, Operator):
    """Render although files are missing, simulations are not baked or another Blender renders"""

    bl_idname = "render_on_lambda.render_anyway"
    bl_label = "Render Anyway"

    def act(self, job: Job) -> None:
        """Submit again."""
        jobs.jobs().again(job, anyway=True)
        wait_in_background(job)


class TryAgain(OfJob, Operator):
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


class RetryFrames(OfJob, Operator):
    """Render the frames again that failed or were lost. Frames that are done are kept"""

    bl_idname = "render_on_lambda.retry"
    bl_label = "Retry Failed Frames"

    def act(self, job: Job) -> None:
        """Enqueue them again and follow."""
        jobs.jobs().retry(job)
        wait_in_background(job)


class ChangeFolder(OfJob, Operator):
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
        return "\n".join(filter(None, (tr(cls.__doc__ or ""), user, properties.path)))

    def execute(self, context: Context) -> set[str]:
        """Select."""
        count = selection.select_users(context, self.datablock_type, self.datablock)
        if not count:
            text = tr('No object in this view layer uses "{name}"', name=self.datablock)
            self.report({"WARNING"}, text)
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


class Tell(Operator):
    """Say in the status bar what has happened"""

    bl_idname = "render_on_lambda.tell"
    bl_label = "Tell"
    bl_options = {"INTERNAL"}

    text: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    is_good: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    _timer: Timer

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """Wait for an event: what an operator reports that a script has called stays with it."""
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.1, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: Event) -> set[str]:
        """Say it."""
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        context.window_manager.event_timer_remove(self._timer)
        self.report({"INFO" if self.is_good else "WARNING"}, self.text)
        return {"FINISHED"}


_CLASSES = (
    CancelJob,
    PauseJob,
    ResumeJob,
    RemoveJob,
    RenderAnyway,
    TryAgain,
    RetryFrames,
    ChangeFolder,
    Bake,
    SelectUser,
    Tell,
    Resume,
)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
