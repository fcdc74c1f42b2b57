"""The buttons of the jobs on the farm. Each calls one function of tool."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import Context, Event, Operator

from ...tool import jobs, output, waiting
from ...tool.cannot_render import CannotRender
from .of_job import wait_in_background


class ListFarmJobs(Operator):
    """List the newest jobs of the farm, whoever has sent them"""

    bl_idname = "render_on_lambda.list_farm_jobs"
    bl_label = "List Jobs"

    def execute(self, _context: Context) -> set[str]:
        """Ask; the timer brings the answer. In the background, wait for it."""
        on_farm = jobs.jobs().on_farm
        on_farm.refresh()
        if bpy.app.background:
            waiting.wait_for_farm()
            if on_farm.text:
                self.report({"ERROR" if on_farm.is_bad else "INFO"}, on_farm.text)
        return {"FINISHED"}


class AttachJob(Operator):
    """Follow the chosen job from here, and fetch its frames into a folder of your choice"""

    bl_idname = "render_on_lambda.attach"
    bl_label = "Attach Job"

    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """Ask for the folder."""
        choices = context.window_manager.render_on_lambda
        if choices.active_farm_job < len(choices.farm_jobs):
            self.job_id = choices.farm_jobs[choices.active_farm_job].name
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: Context) -> set[str]:
        """Follow it. In the background, to its end."""
        try:
            folder = Path(bpy.path.abspath(self.directory))
            output.check_folder(folder)
            job = jobs.jobs().attach(self.job_id, folder)
        except CannotRender as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        wait_in_background(job)
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((ListFarmJobs, AttachJob))
