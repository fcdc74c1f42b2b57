"""The panel in the Render properties. It draws what is known and asks nobody."""

from __future__ import annotations

import bpy
from bpy.types import Context, Menu, Panel, UILayout

from ...core import estimate, wording
from ...core.farm_blender import other_blender
from ...core.scene_check import SceneCheck
from ...core.translation import count_text, tr
from ...tool import jobs, output, preferences, rows, scene
from ...tool.cannot_render import CannotRender
from ..drawing import OfRender, fitting, line_characters, paragraph
from ..jobs.details import draw_job
from ..jobs.lists import draw_concerns

PANEL = "RENDER_PT_render_on_lambda"

ENTRIES = (
    ("render_image", "Render Image on Lambda", "RENDER_STILL"),
    ("render_animation", "Render Animation on Lambda", "RENDER_ANIMATION"),
    ("render_missing", "Render Missing Frames on Lambda", "RENDER_ANIMATION"),
    ("check_scene", "Check Scene for Lambda", "CHECKMARK"),
)


class RenderPanel(OfRender, Panel):
    """The two buttons, what they will take, and the job that was begun last."""

    bl_idname = PANEL
    bl_label = "Render on Lambda"

    def draw(self, context: Context) -> None:
        """Draw buttons and the latest job."""
        layout, shown, characters = self.layout, context.scene, line_characters(context)
        if not bpy.app.online_access:
            draw_setting(layout, "Blender is offline", "Allow Online Access", "NETWORK")
        elif jobs.jobs().farm_is_missing():
            draw_setting(layout, "Needs a farm in AWS", "Set Up a Farm", "FARM")
        column = layout.column(align=True)
        column.scale_y = 1.4
        column.enabled = bpy.app.online_access
        first, last, step = scene.frames(shown, animation=True)
        count = len(range(first, last + 1, step))
        column.operator(
            "render_on_lambda.render_animation",
            text=fitting(
                characters,
                tr("Render Animation ({frames})", frames=count_text(count, "frame")),
                tr("Animation ({count})", count=count),
            ),
            icon="RENDER_ANIMATION",
        )
        column.operator(
            "render_on_lambda.render_image",
            text=fitting(
                characters,
                tr("Render Image (frame {frame})", frame=shown.frame_current),
                tr("Image ({frame})", frame=shown.frame_current),
            ),
            icon="RENDER_STILL",
        )
        known = jobs.jobs().list.jobs
        expected = estimate.estimate(known, bpy.data.filepath, shown.name, count)
        if expected:
            paragraph(layout, wording.estimate_text(expected), characters)
        draw_obstacles(layout, context, characters)
        if jobs.jobs().scene_check is None:
            layout.operator("render_on_lambda.check_scene", icon="CHECKMARK")
        current = jobs.jobs().current_job(bpy.data.filepath)
        if current is not None:
            draw_job(layout.box().column(), context, current, characters)


class CheckPanel(OfRender, Panel):
    """What Check Scene has found."""

    bl_idname = f"{PANEL}_check"
    bl_parent_id = PANEL
    bl_label = "Check Scene"

    @classmethod
    def poll(cls, _context: Context) -> bool:
        """Only once it was asked."""
        return jobs.jobs().scene_check is not None

    def draw_header_preset(self, _context: Context) -> None:
        """Again, or no more."""
        row = self.layout.row(align=True)
        row.operator("render_on_lambda.check_scene", text="", icon="FILE_REFRESH", emboss=False)
        row.operator("render_on_lambda.forget_check", text="", icon="X", emboss=False)

    def draw(self, context: Context) -> None:
        """How far, or what it found, each with its datablock."""
        check = jobs.jobs().scene_check
        if check is not None:
            draw_check(self.layout, context, check)


class OutputPanel(OfRender, Panel):
    """Where the frames go."""

    bl_idname = f"{PANEL}_output"
    bl_parent_id = PANEL
    bl_label = "Output"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """The folders on this machine, resolved."""
        characters = line_characters(context)
        try:
            own, template = output.own_output(context.scene)
        except CannotRender as error:
            paragraph(self.layout, str(error), characters, "ERROR")
            return
        draw_folder(self.layout, tr("Frames"), str(own), characters)
        self.layout.label(text=wording.short_path(template or "####", characters), icon="FILE")
        for folder in output.shown_folders(own):
            draw_folder(self.layout, tr("Nodes"), folder, characters)
        if context.scene.render.is_movie_format:
            paragraph(self.layout, tr(wording.MOVIE), characters, "INFO")


class OverridesPanel(OfRender, Panel):
    """What is otherwise on the farm than here."""

    bl_idname = f"{PANEL}_overrides"
    bl_parent_id = PANEL
    bl_label = "Overrides"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """The choices."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        choices = context.window_manager.render_on_lambda
        self.layout.prop(choices, "allow_scripts")
        column = self.layout.column()
        column.enabled = context.scene.render.engine == "CYCLES"
        column.prop(choices, "split_frames")
        if choices.split_frames == "ALWAYS":
            column.prop(choices, "slices")
        if choices.split_frames != "NEVER":
            column.prop(choices, "allow_other_noise")


def draw_obstacles(layout: UILayout, context: Context, characters: int) -> None:
    """Why the frames would not be those of this Blender, each with what mends it."""
    shown = context.scene
    if reason := scene.reason_against(shown):
        paragraph(layout, reason, characters, "ERROR")
        if not scene.has_farm_engine(shown):
            layout.prop(shown.render, "engine", text="")
        elif shown.camera is None and not scene.renders_strips(shown):
            layout.prop(shown, "camera", text="")
    ours = bpy.app.version[:2]
    known, told = jobs.jobs().list.jobs, jobs.jobs().connection.blenders
    if other := other_blender(known, preferences.address(), ours, told):
        text = wording.other_blender_text(other, ours)
        paragraph(layout, text[:1].upper() + text[1:], characters, "INFO")
        button = layout.operator("render_on_lambda.show_preferences", text="Show Farm")
        button.section = "FARM"


def draw_setting(layout: UILayout, text: str, button: str, section: str) -> None:
    """What is in the way, and the button that opens where it is set."""
    box = layout.box().column()
    box.label(text=text, icon="INTERNET_OFFLINE" if section == "NETWORK" else "INFO")
    box.operator("render_on_lambda.show_preferences", text=button).section = section


def draw_folder(layout: UILayout, name: str, folder: str, characters: int) -> None:
    """A folder by its end; the whole path is in the tooltip of the button."""
    row = layout.row()
    room = characters - len(name) - 10
    row.label(text=f"{name}: {wording.short_path(folder, room)}", icon="FILE_FOLDER")
    row.operator("render_on_lambda.open_folder", text="", icon="FOLDER_REDIRECT").folder = folder


def draw_check(layout: UILayout, context: Context, check: SceneCheck) -> None:
    """A check, or what came of it."""
    if not check.is_over:
        layout.progress(factor=check.factor, text=check.status)
        return
    characters = line_characters(context)
    is_sound = not check.problems and not check.error
    paragraph(layout, check.summary, characters, "CHECKMARK" if is_sound else "ERROR")
    for note in check.notes:
        paragraph(layout, note, characters, "INFO")
    if check.problems:
        draw_concerns(layout, context, rows.CHECK)


def draw_menu(menu: Menu, _context: Context) -> None:
    """The entries of the Render menu; what is in a menu is what F3 finds."""
    layout = menu.layout
    layout.separator()
    layout.operator_context = "INVOKE_DEFAULT"
    for operator, text, icon in ENTRIES:
        layout.operator(f"render_on_lambda.{operator}", text=text, icon=icon)


_CLASSES = (RenderPanel, CheckPanel, OutputPanel, OverridesPanel)


def register() -> None:
    """Register with Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TOPBAR_MT_render.append(draw_menu)


def unregister() -> None:
    """Take back."""
    bpy.types.TOPBAR_MT_render.remove(draw_menu)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
