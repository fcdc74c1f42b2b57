"""The lists that Blender draws: jobs, and what of a scene is not as it should be."""

from __future__ import annotations

import time

import bpy
from bpy.types import Context, PropertyGroup, UILayout, UIList

from ...core import wording
from ...tool import jobs
from ..drawing import line_characters
from .icons import icon_of

# How many rows a list shows before it scrolls.
ROWS = 3

# From how many characters of width on there is room for what a job has cost.
CHARACTERS_FOR_COST = 48


class JobRows(UIList):
    """The jobs, the newest first."""

    bl_idname = "RENDERONLAMBDA_UL_jobs"

    def draw_item(
        self,
        context: Context,
        layout: UILayout,
        _data: object,
        item: PropertyGroup,
        _icon: int,
        _active_data: object,
        _active_property: str,
    ) -> None:
        """Name, how far, when or how long still, and what it has cost where there is room."""
        job = jobs.jobs().list.find(item.name)
        if job is None:
            layout.label(text="")
            return
        texts = [wording.counts_text(job), wording.when_text(job, time.time())]
        if line_characters(context) >= CHARACTERS_FOR_COST:
            texts.append(wording.cost_text(job.cost_usd))
        draw_row(layout, job.name, icon_of(job), texts)


class FarmJobRows(UIList):
    """The jobs in the bucket, whoever has sent them."""

    bl_idname = "RENDERONLAMBDA_UL_farm_jobs"

    def draw_item(
        self,
        _context: Context,
        layout: UILayout,
        _data: object,
        item: PropertyGroup,
        _icon: int,
        _active_data: object,
        _active_property: str,
    ) -> None:
        """Name, how far, and when; a check mark where this Blender has it, too."""
        listed = jobs.jobs().on_farm.find(item.name)
        if listed is None:
            layout.label(text="")
            return
        is_ours = jobs.jobs().list.find(listed.id) is not None
        counts = f"{listed.progress.done}/{listed.progress.total}"
        icon = "CHECKMARK" if is_ours else "WORLD"
        when = wording.time_text(listed.created_ms / 1000, time.time())
        draw_row(layout, listed.name, icon, [counts, when])


class ConcernRows(UIList):
    """What is missing or not baked."""

    bl_idname = "RENDERONLAMBDA_UL_concerns"

    def draw_item(
        self,
        _context: Context,
        layout: UILayout,
        _data: object,
        item: PropertyGroup,
        _icon: int,
        _active_data: object,
        _active_property: str,
    ) -> None:
        """What, and the button that selects who has it; its tooltip has the whole path."""
        row = layout.row()
        row.label(text=item.what, icon=item.icon)
        select = row.operator(
            "render_on_lambda.select_user", text="", icon="RESTRICT_SELECT_OFF", emboss=False
        )
        select.datablock_type, select.datablock = item.datablock_type, item.datablock
        select.path = item.path

    def filter_items(
        self, _context: Context, data: object, property_name: str
    ) -> tuple[list[int], list[int]]:
        """Those of the owner that is drawn: the layout's own name."""
        shown = [
            self.bitflag_filter_item if item.owner == self.list_id else 0
            for item in getattr(data, property_name)
        ]
        return shown, []


def draw_row(layout: UILayout, name: str, icon: str, texts: list[str]) -> None:
    """A job in a list: what it is, and what is known of it, in columns of one width."""
    row = layout.split(factor=0.55 if len(texts) < 3 else 0.4)
    row.label(text=name, icon=icon)
    columns = row.row()
    for number, text in enumerate(texts):
        left = len(texts) - number
        column = columns.split(factor=1 / left) if left > 1 else columns
        column.label(text=text)
        columns = column


def draw_concerns(layout: UILayout, context: Context, owner: str) -> None:
    """What is not as it should be in a job, by its id, or in the check of the scene."""
    choices = context.window_manager.render_on_lambda
    layout.template_list(
        ConcernRows.bl_idname, owner, choices, "concerns", choices, "active_concern", rows=ROWS
    )


register, unregister = bpy.utils.register_classes_factory((JobRows, FarmJobRows, ConcernRows))
