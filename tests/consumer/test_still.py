"""*Render Image* between two frames shows what F12 shows there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bpy
import pytest
from PIL import Image
from workers import PROJECT

WORKER = PROJECT / "tests" / "fixtures" / "render_by_worker.py"


@pytest.fixture
def between_frames(tmp_path: Path) -> Path:
    """A plane that moves, saved between frame 2 and 3, with what F12 makes of it beside it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.camera.location.z = 5
    scene.collection.objects.link(scene.camera)
    scene.world = bpy.data.worlds.new("world")
    bpy.ops.mesh.primitive_plane_add(size=1)
    for x, frame in ((-1, 1), (1, 4)):
        bpy.context.object.location.x = x
        bpy.context.object.keyframe_insert("location", frame=frame)
    scene.frame_set(2, subframe=0.5)
    scene.render.filepath = str(tmp_path / "local.png")
    bpy.ops.render.render(write_still=True)
    scene.render.filepath = "//shot_####"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    return tmp_path / "shot.blend"


def render(scene: Path, *options: str) -> bytes:
    # Another frame first: a Blender that is warm shows another time.
    subprocess.run(
        [sys.executable, "-W", "ignore", WORKER, scene, scene.parent / "out", "4", "2", *options],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    made = sorted((scene.parent / "out").iterdir())
    assert [path.name for path in made] == ["shot_0002.png", "shot_0004.png"]
    with Image.open(made[0]) as image:
        return image.tobytes()


def test_a_still_is_rendered_at_its_own_time_and_an_animation_at_whole_frames(
    between_frames: Path,
) -> None:
    with Image.open(between_frames.parent / "local.png") as image:
        expected = image.tobytes()
    assert render(between_frames, "--still") == expected
    assert render(between_frames) != expected
