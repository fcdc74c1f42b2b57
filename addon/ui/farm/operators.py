"""The buttons of the farm."""

from __future__ import annotations

import bpy
from bpy.types import Context, Operator

from ...tool import jobs


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


register, unregister = bpy.utils.register_classes_factory((CheckStack,))
