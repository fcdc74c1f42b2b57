"""The simulations of the open scene."""

from __future__ import annotations

import bpy


def bake(how: str) -> None:
    """Bake what Blender bakes for a whole scene: physics, and the simulation nodes of all objects.

    Fluids stay: their domains say themselves which of their parts are baked.
    """
    bpy.ops.ptcache.bake_all(how, bake=True)
    bpy.ops.object.simulation_nodes_cache_bake(how, selected=False)
