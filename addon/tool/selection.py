"""Finds the objects behind a datablock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from bpy.types import ID, Context


def select_users(context: Context, datablock_type: str, name: str) -> int:
    """Select the objects that use a datablock, directly or through others; how many there are."""
    users = bpy.data.user_map()
    wanted = [item for item in users if type(item).__name__ == datablock_type and item.name == name]
    found: set[ID] = set()
    waiting: list[ID] = list(wanted)
    seen = set(wanted)
    while waiting:
        for user in users.get(waiting.pop(), ()):
            if isinstance(user, bpy.types.Object):
                found.add(user)
            elif user not in seen:
                seen.add(user)
                waiting.append(user)
    selectable = [item for item in found if item.name in context.view_layer.objects]
    for item in context.view_layer.objects:
        item.select_set(item in selectable)
    if selectable:
        context.view_layer.objects.active = selectable[0]
    return len(selectable)
