"""The buttons of the farm."""

from __future__ import annotations

import bpy
from bpy.types import Context, Event, Operator

from ...core.administration import Stage
from ...core.translation import tr
from ...tool import jobs, waiting


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
        jobs.jobs().connection.begin()
        return {"FINISHED"}


class SetUpFarm(Operator):
    """Look at the AWS account, and show what a farm there is made of and costs"""

    bl_idname = "render_on_lambda.set_up_farm"
    bl_label = "Set Up Farm"

    @classmethod
    def poll(cls, _context: Context) -> bool:
        """Only where Blender may use the network, and nothing is under way."""
        return may_begin()

    def execute(self, _context: Context) -> set[str]:
        """Begin to look; the timer brings the answer."""
        jobs.jobs().connection.forget()
        jobs.jobs().administration.look()
        return {"FINISHED"}


class MakeFarm(Operator):
    """Make the farm or bring it up to date. What is interrupted goes on at the next press"""

    bl_idname = "render_on_lambda.make_farm"
    bl_label = "Create Farm"

    @classmethod
    def poll(cls, _context: Context) -> bool:
        """Only what was shown with its price is made."""
        return bpy.app.online_access and jobs.jobs().administration.stage is Stage.PLANNED

    def execute(self, _context: Context) -> set[str]:
        """Begin; the timer shows how far it is. In the background, to its end."""
        jobs.jobs().administration.set_up()
        return to_the_end_in_background(self)


class RemoveFarm(Operator):
    """Delete the farm from AWS, with its bucket and every job and frame in it"""

    bl_idname = "render_on_lambda.remove_farm"
    bl_label = "Remove Farm"

    @classmethod
    def poll(cls, _context: Context) -> bool:
        """Only where Blender may use the network, and nothing is under way."""
        return may_begin()

    def invoke(self, context: Context, event: Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=tr("Remove Farm"),
            message=tr("Every job and frame that is only in its bucket is lost"),
            confirm_text=tr("Remove"),
            icon="WARNING",
        )

    def execute(self, _context: Context) -> set[str]:
        """Begin; the timer shows how far it is. In the background, to its end."""
        jobs.jobs().administration.remove()
        return to_the_end_in_background(self)


class LeaveFarm(Operator):
    """Leave everything as it is"""

    bl_idname = "render_on_lambda.leave_farm"
    bl_label = "Not Now"

    def execute(self, _context: Context) -> set[str]:
        """Forget the plan."""
        jobs.jobs().administration.forgets()
        return {"FINISHED"}


def may_begin() -> bool:
    """Whether Blender may use the network, and nothing is under way with the farm."""
    return bpy.app.online_access and not jobs.jobs().administration.stage.is_at_work


def to_the_end_in_background(operator: Operator) -> set[str]:
    """Scripts wait until it is over; in the window the timer goes on."""
    if bpy.app.background:
        farm = waiting.wait_for_administration()
        operator.report({"INFO" if farm.stage is Stage.DONE else "ERROR"}, farm.text)
    return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory(
    (CheckStack, SetUpFarm, MakeFarm, RemoveFarm, LeaveFarm)
)
