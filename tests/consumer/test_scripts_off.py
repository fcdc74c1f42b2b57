"""Without *Run Scripts* a frame that needs Python fails by name, and any other is rendered."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import bpy
import pytest
from workers import PROJECT

WORKER = PROJECT / "tests" / "fixtures" / "render_by_worker.py"


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A camera, and nothing before it yet."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(scene.camera)
    return tmp_path / "shot.blend"


def render(blend_file: Path, *options: str) -> str | None:
    """What is wrong with frame 2, where anything is."""
    bpy.ops.wm.save_as_mainfile(filepath=str(blend_file))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", WORKER, blend_file, blend_file.parent / "out", "2",
         *options],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"frame": 2')]
    return json.loads(lines[-1])["error"]


def driven(name: str, expression: str) -> bpy.types.Object:
    made = bpy.data.objects.new(name, bpy.data.meshes.new(name))
    bpy.context.scene.collection.objects.link(made)
    made.driver_add("location", 0).driver.expression = expression
    return made


def test_a_driver_that_only_the_render_evaluates_is_named(scene: Path) -> None:
    driven("cube", "len(str(frame))").hide_viewport = True
    assert render(scene) == (
        "the frame needs Python, which may not run (the driver cube: location = len(str(frame))):"
        " tick Run Scripts, or submit with --allow-scripts"
    )
    assert render(scene, "--allow-scripts") is None


def test_a_driver_in_another_view_layer_is_named(scene: Path) -> None:
    collection = bpy.data.collections.new("second")
    bpy.context.scene.collection.children.link(collection)
    cube = driven("cube", "len(str(frame))")
    collection.objects.link(cube)
    bpy.context.scene.collection.objects.unlink(cube)
    bpy.context.scene.view_layers.new("other")
    bpy.context.view_layer.layer_collection.children["second"].exclude = True
    assert "the driver cube" in str(render(scene))


def test_a_driver_that_changes_no_frame_is_no_reason_to_fail(scene: Path) -> None:
    driven("cube", "len(str(frame))").hide_render = True
    ball = driven("ball", "sin(frame) * pi")
    ball.modifiers.new("smooth", "SUBSURF")
    levels = ball.driver_add('modifiers["smooth"].levels')
    levels.driver.expression = "len(str(frame))"
    assert render(scene) is None


def test_a_style_module_of_freestyle_is_named(scene: Path) -> None:
    layer = bpy.context.scene.view_layers[0]
    layer.freestyle_settings.mode = "SCRIPT"
    layer.freestyle_settings.modules.new().script = bpy.data.texts.new("lines.py")
    layer.use_freestyle = True
    assert render(scene) is None
    bpy.context.scene.render.use_freestyle = True
    assert 'the Freestyle style module "lines.py"' in str(render(scene))


def test_a_driver_of_a_strip_is_named(scene: Path) -> None:
    strips = bpy.context.scene.sequence_editor_create().strips
    color = strips.new_effect("red", "COLOR", channel=1, frame_start=1, length=9)
    color.driver_add("blend_alpha").driver.expression = "len(str(frame)) / 2"
    assert "blend_alpha = len(str(frame)) / 2" in str(render(scene))
