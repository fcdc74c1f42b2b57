"""What Blender keeps from one frame to the next, and where that would change a picture.

Frames reach a worker in any order, so none may depend on the one that was rendered before.
"""

from contextlib import suppress

import bpy

from .render_settings import is_animated

# Particles that go on from the frame before.
SIMULATED_PHYSICS = {"NEWTON", "BOIDS", "FLUID"}

# Where a simulation zone ends.
SIMULATION_NODE = "GeometryNodeSimulationOutput"


def may_keep_data(scene) -> bool:
    """Whether Cycles may keep its data from frame to frame.

    What it keeps does not follow settings of the render itself that are animated, particles, and
    under motion blur what appears or vanishes and meshes of a cache file: found by comparing both
    over some hundred kinds of animation, forwards, backwards and jumping, with and without motion
    blur (Blender 5.2.3). Of older Blenders nobody has compared it.
    """
    if bpy.app.version < (5, 2, 0):
        return False
    blurs = scene.render.use_motion_blur
    differing = {"PARTICLE_SYSTEM"} | ({"MESH_SEQUENCE_CACHE", "MESH_CACHE"} if blurs else set())
    used = {modifier.type for one in bpy.data.objects for modifier in one.modifiers}
    appears = blurs and any(map(may_appear, [*bpy.data.objects, *bpy.data.collections]))
    return not (is_animated(scene) or used & differing or appears)


def may_appear(datablock) -> bool:
    """Whether an object or a collection is in some frames and not in others."""
    data = getattr(datablock, "animation_data", None)
    if data is None:
        return False
    curves = [*data.drivers, *(curves_of(data.action) if data.action else ())]
    return bool(data.nla_tracks) or any("hide_render" in curve.data_path for curve in curves)


def curves_of(action):
    """The curves of an action, whichever slots they are for."""
    if not hasattr(action, "layers"):
        return action.fcurves
    strips = [strip for layer in action.layers for strip in layer.strips]
    return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]


def simulates() -> bool:
    """Whether the open file has a simulation without a bake: it would go on from the frame that
    was rendered before, whichever that was.
    """
    rigid_bodies = [scene.rigidbody_world for scene in bpy.data.scenes if scene.rigidbody_world]
    return (
        any(
            is_unbaked(modifier)
            for blender_object in bpy.data.objects
            for modifier in blender_object.modifiers
        )
        or any(not world.point_cache.is_baked for world in rigid_bodies)
        or any(map(solves_onward, bpy.data.objects))
    )


class Drivers:
    """The drivers of the open file. One that cannot be evaluated at some frame is given up, by the
    frames after it too, for as long as Blender keeps the data of that frame.
    """

    def __init__(self) -> None:
        # Whether a frame has given up any that had not been when the file was opened.
        self.were_given_up = False
        datablocks = set(bpy.data.user_map())
        datablocks |= set(map(node_tree_of, datablocks))
        self._driven = [
            datablock
            for datablock in datablocks
            if (data := getattr(datablock, "animation_data", None)) and data.drivers
        ]
        if self._driven:
            bpy.app.handlers.frame_change_post.append(self._look)

    def _look(self, _scene, depsgraph) -> None:
        if depsgraph.mode != "RENDER" or self.were_given_up:
            return
        for datablock in self._driven:
            # A script may have removed it.
            with suppress(ReferenceError):
                evaluated = datablock.evaluated_get(depsgraph).animation_data
                pairs = zip(datablock.animation_data.drivers, evaluated.drivers, strict=False)
                self.were_given_up |= any(
                    one.driver.is_valid and not now.driver.is_valid for one, now in pairs
                )


def node_tree_of(datablock):
    """The node tree that is a part of a datablock."""
    return getattr(datablock, "node_tree", None)


def solves_onward(blender_object) -> bool:
    """Whether the bones of an armature follow from where they were in the frame before."""
    pose = blender_object.pose
    return (
        pose is not None
        and pose.ik_solver == "ITASC"
        and pose.ik_param is not None
        and pose.ik_param.mode == "SIMULATION"
    )


def is_unbaked(modifier) -> bool:
    """Whether a modifier is a simulation without a bake."""
    match modifier.type:
        case "CLOTH" | "SOFT_BODY":
            return not modifier.point_cache.is_baked
        case "PARTICLE_SYSTEM":
            system = modifier.particle_system
            settings = system.settings
            is_moving = settings.type != "HAIR" and settings.physics_type in SIMULATED_PHYSICS
            return (is_moving or system.use_hair_dynamics) and not system.point_cache.is_baked
        case "DYNAMIC_PAINT":
            canvas = modifier.canvas_settings
            surfaces = canvas.canvas_surfaces if canvas else ()
            return any(not surface.point_cache.is_baked for surface in surfaces)
        case "FLUID":
            domain = modifier.domain_settings
            return domain is not None and not domain.has_cache_baked_data
        case "NODES":
            # Blender tells nobody whether these are baked.
            return has_simulation_zone(modifier.node_group)
        case _:
            return False


def has_simulation_zone(group, seen=frozenset()) -> bool:
    """Whether a node group, or one in it, has a simulation zone."""
    if group is None or group in seen:
        return False
    return any(
        node.bl_idname == SIMULATION_NODE
        or has_simulation_zone(getattr(node, "node_tree", None), seen | {group})
        for node in group.nodes
    )
