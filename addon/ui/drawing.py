"""What the panels share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.text_width import width, wrapped

if TYPE_CHECKING:
    from bpy.types import Context, OperatorProperties, UILayout

    from ..core.job import Job

# The usual width of a letter of Blender's interface font, and what margins and icons take.
LETTER_PIXELS = 5.9
MARGIN_PIXELS = 58


class OfRender:
    """Where the panels are."""

    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "render"


def line_characters(context: Context) -> int:
    """How many letters fit into a line of the region."""
    pixels = context.region.width / context.preferences.system.ui_scale
    return max(12, int((pixels - MARGIN_PIXELS) / LETTER_PIXELS))


def paragraph(layout: UILayout, text: str, characters: int, icon: str = "NONE") -> None:
    """Text that is longer than a line: Blender's labels do not wrap."""
    lines = wrapped(text, characters)
    column = layout.column(align=True)
    column.scale_y = 0.85 if len(lines) > 1 else 1.0
    for number, line in enumerate(lines):
        column.label(text=line, icon=icon if number == 0 or icon == "NONE" else "BLANK1")


def fitting(characters: int, *texts: str) -> str:
    """The first text that fits beside an icon; the last where none does."""
    return next((text for text in texts if width(text) <= characters), texts[-1])


def job_button(
    layout: UILayout, operator: str, job: Job, icon: str, text: str = ""
) -> OperatorProperties:
    """A button that acts on a job."""
    properties = layout.operator(f"render_on_lambda.{operator}", text=text, icon=icon)
    properties.job_id = job.id
    return properties
