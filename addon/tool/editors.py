"""Editors in Blender's windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpy.types import Area


def areas() -> Iterator[Area]:
    """Every editor of every window."""
    for window in bpy.context.window_manager.windows:
        yield from window.screen.areas


def first(is_wanted: Callable[[Area], bool]) -> Area | None:
    """The first editor that is one."""
    return next(filter(is_wanted, areas()), None)


def new_window(area_type: str) -> Area | None:
    """A new window with one editor; None in the background."""
    manager = bpy.context.window_manager
    if not manager.windows:
        return None
    with bpy.context.temp_override(window=manager.windows[0]):
        if bpy.ops.wm.window_new() != {"FINISHED"}:
            return None
    area = manager.windows[-1].screen.areas[0]
    area.type = area_type
    return area
