"""How far a frame is, and that Blender is at work, is told as long as it renders."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
from render_worker.progress import RenderProgress
from split_scenes import make
from workers import Queue

Scene = bpy.types.Scene


@pytest.fixture
def scene() -> Scene:
    """Blender's own first scene."""
    bpy.ops.wm.read_factory_settings(use_empty=False)
    return bpy.context.scene


def parts(scene: Scene, *statuses: str) -> list[float | None]:
    progress = RenderProgress(scene)
    return [progress.take(status) for status in statuses]


def test_samples_tell_how_much_of_a_picture_is_there(scene: Scene) -> None:
    told = parts(scene, "Mem: 1M | Updating Lights", "Sample 0/64", "Mem: 1M | Sample 16/64")
    assert told == [None, 0.0, 0.25]


def test_where_cycles_has_tiles_of_its_own_samples_are_those_of_one_of_them(scene: Scene) -> None:
    told = parts(
        scene,
        "Rendered 0/4 Tiles, Sample 16/64",
        "Rendered 0/4 Tiles, Sample 64/64",
        "Rendered 1/4 Tiles, Sample 0/64",
        "Rendered 1/4 Tiles, Sample 32/64",
        "Rendered 4/4 Tiles, Sample 64/64",
    )
    assert told == [0.0625, 0.25, 0.25, 0.375, 1.0]


def test_each_view_layer_and_each_of_its_views_begins_anew(scene: Scene) -> None:
    scene.view_layers.new("Second")
    scene.view_layers.new("Unused").use = False
    scene.render.use_multiview = True
    rounds = ["Sample 0/8", "Sample 8/8"] * 4
    assert parts(scene, *rounds) == [0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1.0]


@pytest.mark.parametrize("status", ["", "Sample 1/0", "Sample x/y", "Rendered 1/0 Tiles"])
def test_other_words_say_nothing(scene: Scene, status: str) -> None:
    assert parts(scene, status) == [None]


def test_cycles_is_at_work_although_it_says_nothing_for_a_while(
    queue: Queue, tmp_path: Path
) -> None:
    """Between two words of Cycles lie more than ten seconds here, and minutes in a large frame."""
    made = make("passes", tmp_path)
    made.render.resolution_x, made.render.resolution_y = 300, 204
    made.cycles.samples = 500
    bpy.ops.wm.save_mainfile()
    job = queue.submit(tmp_path / "shot.blend", "1")
    with queue.worker(tmp_path, HANG_SECONDS="6"):
        (record,) = queue.wait_for(job, 1, limit_seconds=180).values()
    assert (record["state"], record["tries"]) == ("done", 1), record
