"""The simulations of the open scene."""

from __future__ import annotations

import bpy


def bake(how: str) -> None:
    """Bake what Blender bakes for a whole scene: physics, and the simulation nodes of all objects.

    Fluids stay: their domains say themselves which of their parts are baked.
    """
    bpy.ops.ptcache.bake_all(how, bake=True)
    scene = bpy.context.scene
    has_nodes = [one for one in scene.objects if any(m.type == "NODES" for m in one.modifiers)]
    if has_nodes:
        # The operator asks for an active object, and bakes those of all.
        with bpy.context.temp_override(object=has_nodes[0], active_object=has_nodes[0]):
            bpy.ops.object.simulation_nodes_cache_bake(how, selected=False)
