"""Which farm to use, and who signs in. Keys are not kept here: see sign_in.py."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import AddonPreferences, Context, UILayout

from ...core.administration import Stage
from ...core.sign_in import Stage as SignInStage
from ...core.translation import tr
from ...tool import help_pages, jobs, profiles, storage
from ...tool.administration import FarmAdministration
from ...tool.connection import ConnectionTest
from ..drawing import line_characters, paragraph
from .sign_in import draw_sign_in

# What somebody reads who has not got a farm yet.
NO_FARM = (
    "Frames are rendered in your own AWS account. Sign in to AWS, or name a profile that is signed"
    " in, and press Set Up Farm: it says what is made and what it costs, and then asks"
)


def _forget_answer(_self: AddonPreferences, _context: Context) -> None:
    jobs.jobs().connection.forget()
    jobs.jobs().administration.forgets()


def _profiles(_self: AddonPreferences, _context: Context, typed: str) -> list[tuple[str, str]]:
    """The profiles of this machine that contain what is typed, each with its state."""
    return profiles.choices(typed)


class RenderOnLambdaPreferences(AddonPreferences):
    """The add-on's preferences."""

    bl_idname = storage.ROOT_PACKAGE

    profile: StringProperty(
        name="AWS Profile",
        description="A profile of ~/.aws, also one of SSO; empty for the default credentials",
        update=_forget_answer,
        search=_profiles,
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
    notify: BoolProperty(
        name="Notify When Done",
        description="Show a notification on the desktop when a job is over",
        default=True,
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
        column.prop(self, "notify")
        characters = line_characters(context)
        if not bpy.app.online_access:
            row = layout.row()
            row.label(text="Blender is offline", icon="INTERNET_OFFLINE")
            row.prop(context.preferences.system, "use_online_access")
        row = layout.row(align=True)
        row.operator("render_on_lambda.sign_in", icon="USER")
        row.menu("RENDER_ON_LAMBDA_MT_sign_in", text="", icon="DOWNARROW_HLT")
        signing_in = jobs.jobs().signing_in
        if signing_in.stage is not SignInStage.NOTHING:
            draw_sign_in(layout, signing_in, characters)
        row = layout.row()
        row.operator("render_on_lambda.set_up_farm", icon="ADD")
        row.operator("render_on_lambda.check_stack", icon="URL")
        row.operator("render_on_lambda.remove_farm", icon="TRASH")
        draw_farm(layout, characters)
        draw_help(layout)


def draw_farm(layout: UILayout, characters: int) -> None:
    """What is known of the farm, or what a farm is."""
    farm = jobs.jobs().administration
    if farm.stage is not Stage.NOTHING:
        draw_administration(layout, farm, characters)
        return
    answer = jobs.jobs().connection.answer
    if answer.text:
        icon = "CHECKMARK" if answer.is_good else "ERROR" if answer.is_bad else "SORTTIME"
        box = layout.box()
        box.alert = answer.is_bad
        paragraph(box, answer.text, characters, icon)
        draw_permissions(box, jobs.jobs().connection, characters)
    else:
        paragraph(layout, tr(NO_FARM), characters, "INFO")


def draw_help(layout: UILayout) -> None:
    """Where help is."""
    row = layout.row()
    row.operator("wm.url_open", text="Manual", icon="HELP").url = help_pages.manual()
    if help_pages.website():
        row.operator("wm.url_open", text="Website", icon="URL").url = help_pages.website()
        bug = row.operator("wm.url_open", text="Report a Bug", icon="URL")
        bug.url = help_pages.bug_report()


def draw_permissions(layout: UILayout, connection: ConnectionTest, characters: int) -> None:
    """What the credentials may do, a line each, and what is missing."""
    if connection.unknown and not connection.answer.is_good:
        paragraph(layout, connection.unknown, characters, "QUESTION")
    if not connection.permissions:
        return
    column = layout.column(align=True)
    for permission in connection.permissions:
        row = column.row()
        row.alert = bool(permission.missing)
        if permission.missing:
            text = f"{permission.text}: {', '.join(permission.missing)}"
            paragraph(row, text, characters, "CANCEL")
        else:
            paragraph(row, permission.text, characters, "CHECKMARK")


def draw_administration(layout: UILayout, farm: FarmAdministration, characters: int) -> None:
    """What would be made, how far it is, or what became of it."""
    box = layout.box()
    if farm.stage.is_at_work:
        box.progress(text=farm.text, factor=farm.factor, translate=False)
        return
    is_bad = farm.stage is Stage.FAILED
    box.alert = is_bad
    icons = {Stage.PLANNED: "INFO", Stage.FAILED: "ERROR"}
    paragraph(box, farm.text, characters, icons.get(farm.stage, "CHECKMARK"))
    row = box.row()
    row.alert = False
    if farm.stage is Stage.PLANNED and farm.status:
        if not farm.status.has_functions:
            row.operator("render_on_lambda.make_farm", icon="ADD")
        elif not farm.status.is_current:
            row.operator("render_on_lambda.make_farm", text="Upgrade Farm", icon="FILE_REFRESH")
        row.operator("render_on_lambda.leave_farm", text="Close" if is_there(farm) else "Not Now")
    elif is_bad:
        row.operator("render_on_lambda.set_up_farm", text="Try Again", icon="FILE_REFRESH")
        row.operator("render_on_lambda.leave_farm", text="Close")
    else:
        row.operator("render_on_lambda.leave_farm", text="Close")


def is_there(farm: FarmAdministration) -> bool:
    """Whether nothing is to be done."""
    return bool(farm.status and farm.status.has_functions and farm.status.is_current)


register, unregister = bpy.utils.register_classes_factory((RenderOnLambdaPreferences,))
