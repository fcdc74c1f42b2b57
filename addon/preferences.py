"""Which farm to use. Keys are not kept here: they are in AWS profiles or come from SSO."""

from __future__ import annotations

import bpy
from bpy.props import StringProperty
from bpy.types import AddonPreferences

from .tool import jobs


class RenderOnLambdaPreferences(AddonPreferences):
    """The add-on's preferences."""

    bl_idname = __package__

    profile: StringProperty(
        name="AWS Profile",
        description="A profile of ~/.aws, also one of SSO; empty for the default credentials",
    )
    region: StringProperty(
        name="Region",
        description="Such as eu-central-1; empty for the profile's own",
    )
    stack: StringProperty(
        name="Stack",
        description="The name of the CloudFormation stack that renders",
        default="render-on-lambda",
    )
    endpoint: StringProperty(
        name="Endpoint",
        description="Another address for AWS, for an emulator on this machine; empty for AWS",
    )

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the fields and the answer of the last check."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(self, "profile", placeholder="default")
        column.prop(self, "region", placeholder="of the profile")
        column.prop(self, "stack")
        column.prop(self, "endpoint", placeholder="AWS")
        if not bpy.app.online_access:
            row = layout.row()
            row.alert = True
            row.label(
                text="Blender may not use the network (System > Network)", icon="INTERNET_OFFLINE"
            )
        layout.operator("render_on_lambda.check_stack", icon="URL")
        answer = jobs.jobs().stack_answer
        if answer:
            layout.label(text=answer[:1].upper() + answer[1:])


def register() -> None:
    """Register with Blender."""
    bpy.utils.register_class(RenderOnLambdaPreferences)


def unregister() -> None:
    """Take back."""
    bpy.utils.unregister_class(RenderOnLambdaPreferences)
