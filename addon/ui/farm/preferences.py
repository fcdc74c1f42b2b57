"""Which farm to use. Keys are not kept here: they are in AWS profiles or come from SSO."""

from __future__ import annotations

import bpy
from bpy.props import StringProperty
from bpy.types import AddonPreferences, Context

from ...core.translation import tr
from ...tool import jobs, storage
from ..drawing import line_characters, paragraph

# What somebody reads who has not got a farm yet.
NO_FARM = (
    "Frames are rendered in your own AWS account, by a CloudFormation stack that you make once: the"
    " folder infra of the project has the template and says how. A stack that renders nothing costs"
    " cents a month. Then choose the profile here and press Test Connection"
)


def _forget_answer(_self: AddonPreferences, _context: Context) -> None:
    jobs.jobs().connection.forget()


class RenderOnLambdaPreferences(AddonPreferences):
    """The add-on's preferences."""

    bl_idname = storage.ROOT_PACKAGE

    profile: StringProperty(
        name="AWS Profile",
        description="A profile of ~/.aws, also one of SSO; empty for the default credentials",
        update=_forget_answer,
    )
    region: StringProperty(
        name="Region",
        description="Such as eu-central-1; empty for the profile's own",
        update=_forget_answer,
    )
    stack: StringProperty(
        name="Stack",
        description="The name of the CloudFormation stack that renders",
        update=_forget_answer,
        default="render-on-lambda",
    )
    endpoint: StringProperty(
        name="Endpoint",
        description="Another address for AWS, for an emulator on this machine; empty for AWS",
        update=_forget_answer,
    )

    def draw(self, context: Context) -> None:
        """Draw the fields and the answer of the last check."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(self, "profile", placeholder="default")
        column.prop(self, "region", placeholder="of the profile")
        column.prop(self, "stack")
        column.prop(self, "endpoint", placeholder="AWS")
        characters = line_characters(context)
        if not bpy.app.online_access:
            row = layout.row()
            row.label(text="Blender is offline", icon="INTERNET_OFFLINE")
            row.prop(context.preferences.system, "use_online_access")
        row = layout.row()
        row.operator("render_on_lambda.check_stack", icon="URL")
        answer = jobs.jobs().connection.answer
        if answer.text:
            icon = "CHECKMARK" if answer.is_good else "ERROR" if answer.is_bad else "SORTTIME"
            box = layout.box()
            box.alert = answer.is_bad
            paragraph(box, answer.text, characters, icon)
        else:
            paragraph(layout, tr(NO_FARM), characters, "INFO")


register, unregister = bpy.utils.register_classes_factory((RenderOnLambdaPreferences,))
