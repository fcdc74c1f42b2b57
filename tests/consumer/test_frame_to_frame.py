"""A frame is the same whichever frames its Blender rendered before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy
import OpenEXR
import pytest
from workers import PROJECT

WORKER = PROJECT / "tests" / "fixtures" / "render_by_worker.py"


def animate(datablock: bpy.types.bpy_struct, path: str, first: object, last: object) -> None:
    for value, frame in ((first, 1), (last, 4)):
        setattr(datablock, path, value)
        datablock.keyframe_insert(path, frame=frame)


def plane() -> bpy.types.Object:
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=8, y_subdivisions=8, size=2)
    return bpy.context.object


def ball(radius: float) -> bpy.types.Object:
    bpy.ops.mesh.primitive_ico_sphere_add(radius=radius)
    return bpy.context.object


def emitter() -> None:
    emitting = plane()
    emitting.modifiers.new("particles", "PARTICLE_SYSTEM")
    settings = emitting.particle_systems[0].settings
    settings.count, settings.frame_start, settings.frame_end, settings.lifetime = 60, 0, 4, 3
    settings.render_type, settings.instance_object = "OBJECT", ball(0.1)
    settings.particle_size = 1


def moving(_scene: bpy.types.Scene) -> None:
    animate(plane(), "location", (0, 0, 0), (1, 0, 0))


def baked_particles(scene: bpy.types.Scene) -> None:
    emitter()
    bpy.ops.ptcache.bake_all(bake=True)
    scene.render.use_motion_blur = True


def particles(_scene: bpy.types.Scene) -> None:
    emitter()


def cloth(_scene: bpy.types.Scene) -> None:
    plane().modifiers.new("cloth", "CLOTH")


def rigid_bodies(_scene: bpy.types.Scene) -> None:
    falling = ball(0.5)
    bpy.ops.rigidbody.world_add()
    with bpy.context.temp_override(object=falling, active_object=falling):
        bpy.ops.rigidbody.object_add()


def settings(scene: bpy.types.Scene) -> None:
    plane()
    scene.keyframe_insert("cycles.samples", frame=1)
    scene.cycles.samples = 8
    scene.keyframe_insert("cycles.samples", frame=4)


def appearing(scene: bpy.types.Scene) -> None:
    one = ball(0.4)
    animate(one, "location", (0, 0, 0), (1, 0, 0))
    for hidden, frame in ((True, 1), (False, 3)):
        one.hide_render = hidden
        one.keyframe_insert("hide_render", frame=frame)
    scene.render.use_motion_blur = True


def simulated_bones(scene: bpy.types.Scene) -> None:
    """A chain that iTaSC has follow a target, from where it was in the frame before."""
    armature = bpy.data.objects.new("chain", bpy.data.armatures.new("chain"))
    scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    parent = None
    for number in range(4):
        bone = armature.data.edit_bones.new(f"bone {number}")
        bone.head, bone.tail = (number / 2 - 1, 0, 0), (number / 2 - 0.5, 0.05, 0)
        bone.parent, parent = parent, bone
    bpy.ops.object.mode_set(mode="OBJECT")
    target = bpy.data.objects.new("target", None)
    scene.collection.objects.link(target)
    animate(target, "location", (1, 0.2, 0), (0, 0.9, 0))
    reach = armature.pose.bones["bone 3"].constraints.new("IK")
    reach.target = target
    armature.pose.ik_solver = "ITASC"
    armature.pose.ik_param.mode = "SIMULATION"
    carried = ball(0.2)
    carried.parent, carried.parent_type = armature, "BONE"
    carried.parent_bone = "bone 3"


def given_up(_scene: bpy.types.Scene) -> None:
    """A driver that cannot be evaluated at one frame."""
    ball(0.5).driver_add("location", 0).driver.expression = "1 / (frame - 3)"


def nonsense(_scene: bpy.types.Scene) -> None:
    """A driver that no Blender can evaluate, which F12 does without."""
    ball(0.5).driver_add("location", 0).driver.expression = "frame +* 2"


SCENES = (
    given_up,
    nonsense,
    simulated_bones,
    moving,
    baked_particles,
    particles,
    cloth,
    rigid_bodies,
    settings,
    appearing,
)


@pytest.mark.parametrize("make", SCENES, ids=lambda make: make.__name__)
def test_a_frame_is_the_same_whichever_frames_came_before(
    make: Callable[[bpy.types.Scene], None], tmp_path: Path
) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 4, False
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.frame_start, scene.frame_end = 1, 4
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.camera.location.z = 5
    scene.collection.objects.link(scene.camera)
    scene.world = bpy.data.worlds.new("world")
    scene.world.color = (0.4, 0.5, 0.6)
    make(scene)
    blend_file = tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend_file))
    alone = {frame: render(blend_file, tmp_path / f"alone {frame}", frame) for frame in (2, 3, 4)}
    for order in ((1, 2, 3, 4), (4, 3, 2)):
        render(blend_file, tmp_path / "together", *order)
        for frame, expected in alone.items():
            got = pixels(tmp_path / "together", frame)
            assert numpy.array_equal(got, pixels(expected, frame)), f"frame {frame} in {order}"


def render(blend_file: Path, folder: Path, *frames: int) -> Path:
    """Frames of a scene by one Blender of the farm."""
    subprocess.run(
        [sys.executable, "-W", "ignore", WORKER, blend_file, folder, *map(str, frames)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return folder


def pixels(folder: Path, frame: int) -> numpy.ndarray:
    file = OpenEXR.File(str(folder / f"shot_{frame:04}.exr"))
    return next(iter(file.channels().values())).pixels
