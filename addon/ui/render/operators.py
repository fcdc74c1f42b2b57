"""The buttons that render and check. From a script they wait until it is over."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty
from bpy.types import Context, Event, Operator, OperatorProperties

from ...core import wording
from ...core.job import Job
from ...core.scene_check import SceneCheck
from ...core.translation import tr
from ...tool import add_ons, jobs, preferences, scene, waiting
from ...tool.cannot_render import CannotRender


class _Render:
    """What both render operators share."""

    animation = True
    only_missing = False

    # Set where the artist was asked and said yes: what runs then is a button, and no script.
    was_asked: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: Context, event: Event) -> set[str]:
        """From a button: ask where something would be lost, start, and let Blender go on."""
        try:
            question = scene.question(
                context,
                jobs.jobs().list.jobs,
                animation=self.animation,
                only_missing=self.only_missing,
            )
        except CannotRender as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if question:
            self.was_asked = True
            return context.window_manager.invoke_confirm(
                self,
                event,
                title=tr("Render on Lambda"),
                message=question,
                confirm_text=tr("Render"),
                icon="QUESTION",
            )
        return {"FINISHED"} if self._start(context) else {"CANCELLED"}

    def execute(self, context: Context) -> set[str]:
        """From a script: start, and wait until the job is over."""
        job = self._start(context)
        if job is None:
            return {"CANCELLED"}
        if self.was_asked:
            return {"FINISHED"}
        waiting.wait(job)
        if job.is_whole:
            return {"FINISHED"}
        self.report({"ERROR"}, wording.summary_text(job))
        return {"CANCELLED"}

    def _start(self, context: Context) -> Job | None:
        try:
            job = scene.new_job(context, animation=self.animation, only_missing=self.only_missing)
            jobs.jobs().start(job)
        except (CannotRender, OSError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return None
        for add_on, nodes in add_ons.foreign_nodes().items():
            self._tell(job, wording.foreign_text(add_on, nodes))
        for text in scene.losses(context.scene):
            self._tell(job, text)
        if job.kept_frames and not self.only_missing:
            self._tell(job, wording.kept_text(len(job.kept_frames)), "INFO")
        if job.is_movie:
            self._tell(job, tr(wording.MOVIE), "INFO")
        return job

    def _tell(self, job: Job, text: str, kind: str = "WARNING") -> None:
        """Say it now, and keep it with the job: the status bar forgets in seconds."""
        self.report({kind}, text)
        job.notice(text)


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


class RenderMissing(_Render, Operator):
    """Render the frames of the range on AWS Lambda whose files are not there yet"""

    bl_idname = "render_on_lambda.render_missing"
    bl_label = "Render Missing Frames"
    only_missing = True


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
        waiting.wait_for_check(check)
        for problem in check.problems:
            user = f"{problem.datablock_type} {problem.datablock}"
            self.report({"WARNING"}, f"{problem.kind}: {user}: {problem.path}")
        for text in (*check.notes, check.summary):
            self.report({"INFO"}, text)
        return {"CANCELLED"} if check.problems or check.error else {"FINISHED"}

    def _start(self, context: Context) -> SceneCheck | None:
        try:
            return jobs.jobs().checking.begin(context)
        except (CannotRender, OSError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return None


class ForgetCheck(Operator):
    """Stop the check, or take its result off the panel"""

    bl_idname = "render_on_lambda.forget_check"
    bl_label = "Clear Check"

    def execute(self, _context: Context) -> set[str]:
        """Forget."""
        jobs.jobs().checking.forget()
        return {"FINISHED"}


class ShowPreferences(Operator):
    """Open the Preferences where this is set"""

    bl_idname = "render_on_lambda.show_preferences"
    bl_label = "Open Preferences"

    section: EnumProperty(
        items=[("NETWORK", "Network", ""), ("FARM", "Farm", "")], options={"HIDDEN", "SKIP_SAVE"}
    )

    def execute(self, _context: Context) -> set[str]:
        """Open them."""
        if self.section == "NETWORK":
            bpy.ops.screen.userpref_show(section="SYSTEM")
        else:
            preferences.show()
        return {"FINISHED"}


class OpenFolder(Operator):
    """Open the folder in the file browser of this computer"""

    bl_idname = "render_on_lambda.open_folder"
    bl_label = "Open Folder"

    folder: StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def description(cls, _context: Context, properties: OperatorProperties) -> str:
        """The whole path, of which the panel shows the end."""
        return f"{tr(cls.__doc__ or '')}:\n{properties.folder}"

    def execute(self, _context: Context) -> set[str]:
        """Open it, once there is anything in it."""
        try:
            return bpy.ops.wm.path_open(filepath=self.folder)
        except RuntimeError:
            self.report({"WARNING"}, tr("There is no folder {folder} yet", folder=self.folder))
            return {"CANCELLED"}


_CLASSES = (
    RenderAnimation,
    RenderImage,
    RenderMissing,
    CheckScene,
    ForgetCheck,
    ShowPreferences,
    OpenFolder,
)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
