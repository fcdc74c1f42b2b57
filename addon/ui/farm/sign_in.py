"""The buttons that sign in, and what is said meanwhile."""

from __future__ import annotations

import bpy
from bpy.props import IntProperty, StringProperty
from bpy.types import Context, Event, Menu, Operator, UILayout

from ...core.sign_in import SigningIn, Stage
from ...core.translation import tr
from ...tool import jobs, waiting
from ..drawing import paragraph

DIALOG_WIDTH = 420


def has_network() -> bool:
    """Whether Blender may use the network."""
    return bpy.app.online_access


class SignIn(Operator):
    """Sign in to AWS in the browser, as at its console; other AWS tools find the session too"""

    bl_idname = "render_on_lambda.sign_in"
    bl_label = "Sign In to AWS"

    @classmethod
    def poll(cls, _context: Context) -> bool:
        """Only where Blender may use the network."""
        return has_network()

    def execute(self, _context: Context) -> set[str]:
        """Begin; the timer shows how far it is. In the background, to its end."""
        return begin(self, None)


class SignInByCompany(Operator):
    """Sign in through a company's IAM Identity Center, in the browser"""

    bl_idname = "render_on_lambda.sign_in_by_company"
    bl_label = "Sign In with IAM Identity Center"

    start_url: StringProperty(
        name="Address", description="Such as https://studio.awsapps.com/start"
    )
    region: StringProperty(
        name="Its Region", description="The region of the IAM Identity Center, such as us-east-1"
    )

    @classmethod
    def poll(cls, _context: Context) -> bool:
        """Only where Blender may use the network."""
        return has_network()

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """Ask where it is."""
        return context.window_manager.invoke_props_dialog(
            self, width=DIALOG_WIDTH, confirm_text=tr("Sign In")
        )

    def execute(self, _context: Context) -> set[str]:
        """Begin; the timer shows how far it is. In the background, to its end."""
        return begin(self, (self.start_url, self.region))


def _secret(_self: Operator) -> str:
    # Whoever reads it, Blender's log too, learns how long it is.
    return "•" * len(jobs.jobs().signing_in.typed_secret)


def _set_secret(_self: Operator, text: str) -> None:
    jobs.jobs().signing_in.typed_secret = text


class KeepAccessKey(Operator):
    """Keep an access key in this computer's keychain; no file and no preference has it"""

    bl_idname = "render_on_lambda.keep_access_key"
    bl_label = "Use an Access Key"
    # Not REGISTER: Blender's Info editor does not show what was typed.
    bl_options = {"INTERNAL"}

    access_key_id: StringProperty(
        name="Access Key ID", description="It begins with AKIA", options={"SKIP_SAVE"}
    )
    secret: StringProperty(
        name="Secret Access Key",
        description="Kept in the keychain alone",
        subtype="PASSWORD",
        options={"SKIP_SAVE"},
        get=_secret,
        set=_set_secret,
    )

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """Ask for the key."""
        jobs.jobs().signing_in.typed_secret = ""
        return context.window_manager.invoke_props_dialog(
            self, width=DIALOG_WIDTH, confirm_text=tr("Keep in Keychain")
        )

    def execute(self, _context: Context) -> set[str]:
        """Keep it; in the background, to its end."""
        forget_answers()
        jobs.jobs().signing_in.keep_access_key(self.access_key_id)
        return to_the_end_in_background(self)

    def cancel(self, _context: Context) -> None:
        """What was typed is not kept either."""
        jobs.jobs().signing_in.typed_secret = ""


class ForgetAccessKey(Operator):
    """Take the profile's access key out of this computer's keychain"""

    bl_idname = "render_on_lambda.forget_access_key"
    bl_label = "Delete the Access Key"

    def execute(self, _context: Context) -> set[str]:
        """Delete it; in the background, to its end."""
        forget_answers()
        jobs.jobs().signing_in.forget_access_key()
        return to_the_end_in_background(self)


class UseRole(Operator):
    """Render with this role in this account"""

    bl_idname = "render_on_lambda.use_role"
    bl_label = "Use Role"
    bl_options = {"INTERNAL"}

    number: IntProperty()

    def execute(self, _context: Context) -> set[str]:
        """Write it into the profile."""
        jobs.jobs().signing_in.choose(self.number)
        return {"FINISHED"}


class LeaveSignIn(Operator):
    """Stop waiting for the browser"""

    bl_idname = "render_on_lambda.leave_sign_in"
    bl_label = "Cancel Sign-In"

    def execute(self, _context: Context) -> set[str]:
        """Stop."""
        jobs.jobs().signing_in.leave()
        return {"FINISHED"}


class OtherWays(Menu):
    """Other ways to sign in."""

    bl_idname = "RENDER_ON_LAMBDA_MT_sign_in"
    bl_label = "Other Ways to Sign In"

    def draw(self, _context: Context) -> None:
        """Draw them."""
        layout = self.layout
        # Without this a menu runs the operator instead of asking.
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("render_on_lambda.sign_in_by_company", icon="COMMUNITY")
        layout.operator("render_on_lambda.keep_access_key", icon="LOCKED")
        layout.separator()
        layout.operator("render_on_lambda.forget_access_key", icon="TRASH")


def begin(operator: Operator, company: tuple[str, str] | None) -> set[str]:
    """Begin to sign in; what is known of the farm was asked with other credentials."""
    forget_answers()
    jobs.jobs().signing_in.begin(company)
    return to_the_end_in_background(operator)


def forget_answers() -> None:
    """What was found was asked with other credentials."""
    jobs.jobs().connection.forget()
    jobs.jobs().administration.forgets()


def to_the_end_in_background(operator: Operator) -> set[str]:
    """Scripts wait until it is over; in the window the timer goes on."""
    if bpy.app.background:
        signing_in = waiting.wait_for_sign_in()
        is_bad = signing_in.stage is Stage.FAILED
        operator.report({"ERROR" if is_bad else "INFO"}, signing_in.text)
    return {"FINISHED"}


def draw_sign_in(layout: UILayout, signing_in: SigningIn, characters: int) -> None:
    """What the artist has to do, or what became of it."""
    box = layout.box()
    is_bad = signing_in.stage is Stage.FAILED
    box.alert = is_bad
    icons = {Stage.FAILED: "ERROR", Stage.DONE: "CHECKMARK", Stage.CHOOSING: "QUESTION"}
    paragraph(box, signing_in.text, characters, icons.get(signing_in.stage, "SORTTIME"))
    if signing_in.stage is Stage.CHOOSING:
        column = box.column(align=True)
        for number, role in enumerate(signing_in.roles):
            text = f"{role.account_name}: {role.role}"
            column.operator("render_on_lambda.use_role", text=text, translate=False).number = number
    row = box.row()
    row.alert = False
    if signing_in.stage is Stage.WAITING and signing_in.address:
        opening = row.operator("wm.url_open", text=tr("Open the Page Again"), icon="URL")
        opening.url = signing_in.address
    if is_bad:
        row.operator("render_on_lambda.sign_in", text="Try Again", icon="FILE_REFRESH")
    is_over = signing_in.stage in (Stage.DONE, Stage.FAILED)
    row.operator("render_on_lambda.leave_sign_in", text="Close" if is_over else "Cancel")


register, unregister = bpy.utils.register_classes_factory(
    (SignIn, SignInByCompany, KeepAccessKey, ForgetAccessKey, UseRole, LeaveSignIn, OtherWays)
)
