"""A worker with several Blenders renders each scene with its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy
import OpenEXR
import pytest
from workers import OLDER, Queue, wait_until

MAKE = """
import sys, bpy
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples = "CYCLES", 4
scene.render.resolution_x = scene.render.resolution_y = 24
scene.render.image_settings.file_format = "OPEN_EXR"
scene.render.image_settings.color_depth = "32"
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""
RENDER = """
import sys, bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
bpy.context.scene.render.filepath = sys.argv[2]
bpy.ops.render.render(write_still=True)
"""


def blender(program: str | Path, script: str, *arguments: Path) -> None:
    run = [str(program), "-W", "ignore", "-c", script, *map(str, arguments)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def pixels(path: Path) -> numpy.ndarray:
    with OpenEXR.File(str(path)) as file:
        return file.channels()["RGBA"].pixels


@pytest.mark.skipif(not OLDER.exists(), reason="Blender 4.5 wants a Python 3.11")
def test_each_scene_is_rendered_by_its_own_blender(queue: Queue, tmp_path: Path) -> None:
    scenes = {name: tmp_path / f"{name}.blend" for name in ("older", "newer")}
    blender(OLDER, MAKE, scenes["older"])
    blender(sys.executable, MAKE, scenes["newer"])
    expected = {name: tmp_path / f"{name}.exr" for name in ("older", "newer", "wrong")}
    blender(OLDER, RENDER, scenes["older"], expected["older"])
    blender(sys.executable, RENDER, scenes["newer"], expected["newer"])
    blender(sys.executable, RENDER, scenes["older"], expected["wrong"])
    assert not numpy.array_equal(pixels(expected["older"]), pixels(expected["wrong"]))
    with queue.worker(tmp_path, OLDER_BLENDERS=f"4.5={OLDER}"):
        # From one to the other, and back.
        for round_, name in enumerate(("older", "newer", "older")):
            job = queue.submit(scenes[name], "1")
            (record,) = queue.wait_for(job, 1, limit_seconds=120).values()
            assert record["state"] == "done", record
            folder = tmp_path / f"fetched-{round_}"
            queue.fetch(job, folder)
            (frame,) = folder.rglob("*.exr")
            assert numpy.array_equal(pixels(frame), pixels(expected[name])), name


@pytest.mark.skipif(not OLDER.exists(), reason="Blender 4.5 wants a Python 3.11")
def test_a_worker_without_the_promised_blender_leaves_the_job_to_others(
    queue: Queue, tmp_path: Path
) -> None:
    scene, log = tmp_path / "older.blend", tmp_path / "worker.log"
    blender(OLDER, MAKE, scene)
    with queue.worker(tmp_path):
        job = queue.submit(scene, "1")
        wait_until(
            lambda: "which this worker lacks" in log.read_text(), 60, lambda: log.read_text()
        )
        wait_until(
            lambda: "the task is left to others" in log.read_text(), 60, lambda: log.read_text()
        )
    (record,) = queue.records(job).values()
    assert (record["state"], record["tries"]) == ("queued", 0), record
    with queue.worker(tmp_path, OLDER_BLENDERS=f"4.5={OLDER}"):
        (record,) = queue.wait_for(job, 1, limit_seconds=120).values()
    assert (record["state"], record["tries"]) == ("done", 1), record


FILE_OUTPUTS = """
scene.render.filepath = "//render/shot_####"
scene.use_nodes = True
layers = next(node for node in scene.node_tree.nodes if node.type == "R_LAYERS")
for path, file_format in [
    ("//render/passes/", "PNG"),
    ("//render/passes/multi_####", "OPEN_EXR_MULTILAYER"),
    ("//render/other_", "OPEN_EXR_MULTILAYER"),
]:
    node = scene.node_tree.nodes.new("CompositorNodeOutputFile")
    node.format.file_format, node.base_path = file_format, path
    node.file_slots[0].path = "raw_"
    scene.node_tree.links.new(layers.outputs["Image"], node.inputs[0])
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""
ANIMATION = """
import sys, bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
bpy.context.scene.frame_end = 1
bpy.ops.render.render(animation=True)
"""


@pytest.mark.skipif(not OLDER.exists(), reason="Blender 4.5 wants a Python 3.11")
def test_file_outputs_of_an_older_blender_are_named_as_f12_names_them(
    queue: Queue, tmp_path: Path
) -> None:
    scene = tmp_path / "show" / "shot.blend"
    scene.parent.mkdir()
    blender(OLDER, MAKE + FILE_OUTPUTS, scene)
    blender(OLDER, ANIMATION, scene)

    def names(folder: Path) -> list[str]:
        return sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*.*")
            if path.suffix in {".exr", ".png"}
        )

    expected = names(scene.parent / "render")
    assert "passes/multi_0001.exr" in expected and len(expected) == 4, expected
    with queue.worker(tmp_path, OLDER_BLENDERS=f"4.5={OLDER}"):
        job = queue.submit(scene, "1")
        (record,) = queue.wait_for(job, 1, limit_seconds=120).values()
        assert record["state"] == "done", record
        queue.fetch(job, tmp_path / "fetched")
    assert names(tmp_path / "fetched") == expected


def test_a_list_of_blenders_that_cannot_be_is_said_at_the_start(
    queue: Queue, tmp_path: Path
) -> None:
    process = queue.start(tmp_path / "worker.log", OLDER_BLENDERS="/usr/bin/python3.11")
    assert process.wait(timeout=30) != 0
    assert "OLDER_BLENDERS" in (tmp_path / "worker.log").read_text()
