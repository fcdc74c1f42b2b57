"""What of the open file needs an add-on that the farm does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpy.types import NodeTree

# Modules of the classes that Blender itself has.
BLENDERS_OWN = ("bpy", "_bpy", "bl_ui", "bl_operators", "nodeitems_builtins", "builtins")


def foreign_nodes() -> dict[str, list[str]]:
    """The nodes that add-ons have made, by the add-on: on the farm they are left out."""
    found: dict[str, list[str]] = {}
    for tree in node_trees():
        for node in tree.nodes:
            add_on = add_on_of(type(node).__module__)
            if add_on and any(output.is_linked for output in node.outputs):
                found.setdefault(add_on, []).append(node.name)
    return found


def add_on_of(module: str) -> str | None:
    """The add-on that a module belongs to: the extension of `bl_ext.<repository>.<extension>`."""
    parts = module.split(".")
    if parts[0] in BLENDERS_OWN or parts[0].startswith("bpy"):
        return None
    return parts[2] if parts[0] == "bl_ext" and len(parts) > 2 else parts[0]


def node_trees() -> Iterator[NodeTree]:
    """Every node tree of the file."""
    yield from bpy.data.node_groups
    owners = [*bpy.data.materials, *bpy.data.worlds, *bpy.data.lights, *bpy.data.scenes]
    for owner in owners:
        tree = getattr(owner, "node_tree", None)
        if tree is not None:
            yield tree
