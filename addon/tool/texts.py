"""Texts in the Text Editor."""

from __future__ import annotations

import bpy

from . import editors


def show(name: str, content: str) -> None:
    """Put words into a text and show it, in a Text Editor that is open or in a new window.

    A text of that name is written anew: the log of a frame is asked for more than once.
    """
    text = bpy.data.texts.get(name) or bpy.data.texts.new(name)
    text.clear()
    text.write(content)
    area = editors.first(lambda area: area.type == "TEXT_EDITOR") or editors.new_window(
        "TEXT_EDITOR"
    )
    if area is not None:
        area.spaces.active.text = text
        area.spaces.active.top = 0
        area.tag_redraw()
