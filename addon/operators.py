"""The buttons. Each calls one function of tool; from a script they wait until the job is over."""

from __future__ import annotations

import time

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import Context, Event, Operator

from .core import wording
from .core.job import Job, JobState
from .core.scene_check import SceneCheck
from .tool import add_ons, images, jobs, scene, selection, simulations
from .tool.cannot_render import CannotRender

# How often a script that waits looks at its job.
WAIT_SECONDS = 0.1


class _Render:
    """What both render operators share."""

    animation = True

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """From a button: start, and let Blender go on."""
        return {"FINISHED"} if self._start(context) else {"CANCELLED"}

    def execute(self, context: Context) -> set[str]:
        """From a script: start, and wait until the job is over."""
        job = self._start(context)
        if job is None:
            return {"CANCELLED"}
        wait(job)
        if job.state is JobState.FINISHED and not job.failed and not job.lost:
            return {"FINISHED"}
        self.report({"ERROR"}, wording.summary_text(job))
        return {"CANCELLED"}

    def _start(self, context: Context) -> Job | None:
        try:
            job = scene.new_job(context, animation=self.animation)
            jobs.jobs().start(job)
        except (CannotRender, OSError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return None
        for add_on, nodes in add_ons.foreign_nodes().items():
            self.report({"WARNING"}, wording.foreign_text(add_on, nodes))
        for text in scene.silent_texts():
            self.report({"WARNING"}, text)
        if job.kept_frames:
            self.report({"INFO"}, wording.kept_text(len(job.kept_frames)))
        if job.is_movie:
            self.report(
                {"INFO"}, "A movie cannot be made frame by frame: the frames come back as PNG"
            )
        return job


class RenderAnimation(_Render, Operator):
    """Render the frame range on AWS Lambda"""

    bl_idname = "render_on_lambda.render_animation"
    bl_label = "Render Animation"
    animation = True


class RenderImage(_Render, Operator):
    """Render the current frame on AWS Lambda"""

    bl_idname = "render_on_lambda.render_image"
    bl_label = "Render Image"
    animation = False


class CheckScene(Operator):
    """Pack the scene on this machine, open the pack with Blender, and list what it misses"""

    bl_idname = "render_on_lambda.check_scene"
    bl_label = "Check Scene"

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """From the button: start, and let Blender go on."""
        return {"FINISHED"} if self._start(context) else {"CANCELLED"}

    def execute(self, context: Context) -> set[str]:
        """From a script: wait for the result; cancelled where there are problems."""
        check = self._start(context)
        if check is None:
            return {"CANCELLED"}
        while not check.is_over:
            jobs.jobs().poll()
            time.sleep(WAIT_SECONDS)
        for problem in check.problems:
            user = f"{problem.datablock_type} {problem.datablock}"
            self.report({"WARNING"}, f"{problem.kind}: {user}: {problem.path}")
        for text in (*check.notes, check.summary):
            self.report({"INFO"}, text)
        return {"CANCELLED"} if check.problems or check.error else {"FINISHED"}

    def _start(self, context: Context) -> SceneCheck | None:
        try:
            return jobs.jobs().check_scene(context)
        except (CannotRender, OSError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return None


class ForgetCheck(Operator):
    """Stop the check, or take its result off the panel"""

    bl_idname = "render_on_lambda.forget_check"
    bl_label = "Forget Check"

    def execute(self, _context: Context) -> set[str]:
        """Forget."""
        jobs.jobs().forget_check()
        return {"FINISHED"}


class _OfJob:
    """What the operators on a job share."""

    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def job(self) -> Job | None:
        """The job that the button belongs to."""
        found = jobs.jobs().list.find(self.job_id)
        if found is None:
            self.report({"ERROR"}, f"There is no job {self.job_id}")
        return found


class CancelJob(_OfJob, Operator):
    """Stop the job. Frames that are done are kept"""

    bl_idname = "render_on_lambda.cancel"
    bl_label = "Cancel"

    def execute(self, _context: Context) -> set[str]:
        """Cancel."""
        if (job := self.job()) is None:
            return {"CANCELLED"}
        jobs.jobs().cancel(job)
        return {"FINISHED"}


class ForgetJob(_OfJob, Operator):
    """Take the job off this list. Its frames stay"""

    bl_idname = "render_on_lambda.forget"
    bl_label = "Forget"

    def execute(self, _context: Context) -> set[str]:
        """Forget."""
        if (job := self.job()) is None:
            return {"CANCELLED"}
        jobs.jobs().forget(job)
        return {"FINISHED"}


class RenderAnyway(_OfJob, Operator):
    """Render although files are missing or simulations are not baked: these will look wrong"""

    bl_idname = "render_on_lambda.render_anyway"
    bl_label = "Render Anyway"

    def execute(self, _context: Context) -> set[str]:
        """Submit again."""
        if (job := self.job()) is None:
            return {"CANCELLED"}
        jobs.jobs().again(job)
        if bpy.app.background:
            wait(job)
        return {"FINISHED"}


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


class WatchAgain(_OfJob, Operator):
    """Follow the job again, once what was in the way is mended. What was rendered is not lost"""

    bl_idname = "render_on_lambda.watch_again"
    bl_label = "Follow Again"

    def execute(self, _context: Context) -> set[str]:
        """Follow."""
        if (job := self.job()) is None:
            return {"CANCELLED"}
        jobs.jobs().watch_again(job)
        if bpy.app.background:
            wait(job)
        return {"FINISHED"}


class RetryFrames(_OfJob, Operator):
    """Render the frames again that failed or were lost. Frames that are done are kept"""

    bl_idname = "render_on_lambda.retry"
    bl_label = "Retry Failed Frames"

    def execute(self, _context: Context) -> set[str]:
        """Enqueue them again and follow."""
        if (job := self.job()) is None:
            return {"CANCELLED"}
        jobs.jobs().retry(job)
        if bpy.app.background:
            wait(job)
        return {"FINISHED"}


class ShowFrames(_OfJob, Operator):
    """Show the job's frames in the Image Editor"""

    bl_idname = "render_on_lambda.show_frames"
    bl_label = "Show Frames"

    def execute(self, _context: Context) -> set[str]:
        """Load and show."""
        if (job := self.job()) is None or not job.files:
            return {"CANCELLED"}
        images.show_sequence(job)
        return {"FINISHED"}


class SelectUser(Operator):
    """Select the objects that use this datablock"""

    bl_idname = "render_on_lambda.select_user"
    bl_label = "Select User"
    bl_options = {"UNDO"}

    datablock_type: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    datablock: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> set[str]:
        """Select."""
        count = selection.select_users(context, self.datablock_type, self.datablock)
        if not count:
            self.report({"WARNING"}, f'No object in this view layer uses "{self.datablock}"')
        return {"FINISHED"}


class ShowLog(_OfJob, Operator):
    """Open Blender's words on this frame in the Text Editor"""

    bl_idname = "render_on_lambda.show_log"
    bl_label = "Show Log"

    frame: bpy.props.IntProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, _context: Context) -> set[str]:
        """Put the log into a text."""
        if (job := self.job()) is None:
            return {"CANCELLED"}
        failure = next((item for item in job.failures if item.frame == self.frame), None)
        if failure is None:
            return {"CANCELLED"}
        text = bpy.data.texts.new(f"{job.name} frame {self.frame}.log")
        text.write(f"{failure.message}\n\n{failure.log_tail}")
        self.report({"INFO"}, f'The log is the text "{text.name}" in the Text Editor')
        return {"FINISHED"}


class CheckStack(Operator):
    """Look whether the farm can be reached with these settings"""

    bl_idname = "render_on_lambda.check_stack"
    bl_label = "Test Connection"

    @classmethod
    def poll(cls, _context: Context) -> bool:
        """Only where Blender may use the network."""
        return bpy.app.online_access

    def execute(self, _context: Context) -> set[str]:
        """Begin to look; the timer brings the answer."""
        jobs.jobs().check_stack()
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
                wait(session.job)
        return {"FINISHED"}


def wait(job: Job) -> None:
    """Move a job on until it is over, telling its progress on the terminal. Ctrl-C cancels it."""
    running, told = jobs.jobs(), ""
    try:
        while not job.state.is_over:
            running.poll()
            line = job.trouble or wording.progress_text(job)
            if line != told:
                print(f"Render on Lambda: {line}", flush=True)
                told = line
            time.sleep(WAIT_SECONDS)
        running.poll()
    except KeyboardInterrupt:
        running.cancel(job)
        raise
    print(f"Render on Lambda: {wording.summary_text(job)}", flush=True)


_CLASSES = (
    RenderAnimation,
    RenderImage,
    CheckScene,
    ForgetCheck,
    CancelJob,
    ForgetJob,
    RenderAnyway,
    Bake,
    WatchAgain,
    RetryFrames,
    ShowFrames,
    SelectUser,
    ShowLog,
    CheckStack,
    Resume,
)


def register() -> None:
    """Register with Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take back."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
