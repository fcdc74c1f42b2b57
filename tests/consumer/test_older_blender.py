"""A worker with several Blenders renders each scene with its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy
import OpenEXR
import pytest
from workers import PROJECT, Queue

OLDER = PROJECT / ".tools" / "blender-4.5" / "bin" / "python"

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
    words = queue.refused("submit", scenes["older"], "--frames", "1")
    assert "the scene comes from Blender 4.5, and the farm renders with 5.2" in words, words
    with queue.worker(tmp_path, OLDER_BLENDERS=f"4.5={OLDER}"):
        # From one to the other, and back.
        for round_, name in enumerate(("older", "newer", "older")):
            job = queue.submit(scenes[name], "1", "--allow-other-blender")
            (record,) = queue.wait_for(job, 1, limit_seconds=120).values()
            assert record["state"] == "done", record
            folder = tmp_path / f"fetched-{round_}"
            queue.fetch(job, folder)
            (frame,) = folder.rglob("*.exr")
            assert numpy.array_equal(pixels(frame), pixels(expected[name])), name


def test_a_list_of_blenders_that_cannot_be_is_said_at_the_start(
    queue: Queue, tmp_path: Path
) -> None:
    process = queue.start(tmp_path / "worker.log", OLDER_BLENDERS="/usr/bin/python3.11")
    assert process.wait(timeout=30) != 0
    assert "OLDER_BLENDERS" in (tmp_path / "worker.log").read_text()
