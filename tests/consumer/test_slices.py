"""A frame that many workers render in slices is that of one worker, whatever becomes of them."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import bpy
import OpenEXR
import pytest
import render_on_lambda as native
from split_scenes import make
from test_split_frames import same_exr
from workers import Queue, blender_of, wait_until

pytestmark = pytest.mark.skipif(bpy.app.version < (5, 0), reason="finishing came with 5.0")

SLICES = 3


@pytest.fixture(scope="module")
def scene(queue: Queue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of two frames, rendered by one worker beside it."""
    return make_whole(queue, tmp_path_factory.mktemp("sliced"), 2)


def make_whole(queue: Queue, folder: Path, frames: int) -> Path:
    """A scene with passes, denoised and composited, rendered by one worker beside it."""
    made = make("passes", folder)
    made.cycles.use_denoising = True
    made.frame_end = frames
    bpy.ops.wm.save_mainfile()
    path = folder / "shot.blend"
    with queue.worker(folder):
        job = queue.submit(path, f"1-{frames}", "--slices", "1")
        queue.wait_for(job, frames)
    queue.fetch(job, folder / "whole")
    return path


def is_as_whole(queue: Queue, job: str, scene: Path, tmp_path: Path) -> None:
    queue.fetch(job, tmp_path / "split")
    whole = sorted((scene.parent / "whole").rglob("*.exr"))
    split = sorted((tmp_path / "split").rglob("*.exr"))
    assert [path.name for path in split] == [path.name for path in whole]
    for ours, expected in zip(split, whole, strict=True):
        same_exr(ours, expected, 1e-4)


def parts(queue: Queue, job: str, frame: int = 1) -> list[str]:
    return [key.rpartition("/")[2] for key in queue.keys(f"jobs/{job}/parts/{frame}/")]


def test_two_workers_render_the_slices_of_two_frames(
    queue: Queue, scene: Path, tmp_path: Path
) -> None:
    job = queue.submit(scene, "1-2", "--slices", str(SLICES))
    other = tmp_path / "other"
    other.mkdir()
    with queue.worker(tmp_path), queue.worker(other):
        records = queue.wait_for(job, 2, limit_seconds=120)
        wait_until(lambda: not queue.waiting(queue.queue), 60, lambda: "messages stay")
    assert [record["state"] for record in records.values()] == ["done", "done"], records
    is_as_whole(queue, job, scene, tmp_path)
    assert parts(queue, job) == [f"{slice_}.exr" for slice_ in range(SLICES)]
    slices = [
        json.loads(queue.read(f"jobs/{job}/slices/1/{slice_}.json")) for slice_ in range(SLICES)
    ]
    assert {slice_["state"] for slice_ in slices} == {"done"}
    spent = sum(slice_["times"]["total_seconds"] for slice_ in slices)
    assert records[1]["times"]["total_seconds"] > spent


def test_a_slice_that_is_gone_and_one_that_was_changed_are_rendered_again(
    queue: Queue, scene: Path, tmp_path: Path
) -> None:
    job = queue.submit(scene, "1", "--slices", str(SLICES))
    # Those of the slices alone; the end comes when they are there.
    s3 = queue.farm.client("s3")
    with queue.worker(tmp_path):
        wait_until(lambda: len(parts(queue, job)) >= 2, 60, lambda: "no slices")
    gone, changed = (f"jobs/{job}/parts/1/{name}" for name in parts(queue, job)[:2])
    s3.delete_object(Bucket=queue.bucket, Key=gone)
    s3.put_object(Bucket=queue.bucket, Key=changed, Body=queue.read(changed)[:-100] + bytes(100))
    # Its record says that the slice is there, and nobody is asked for it again.
    marker = f"jobs/{job}/parts/1/0.empty"
    s3.put_object(Bucket=queue.bucket, Key=marker, Body=b"")
    with queue.worker(tmp_path):
        (record,) = queue.wait_for(job, 1, limit_seconds=120).values()
    assert record["state"] == "done", record
    assert "rendered again" in (tmp_path / "worker.log").read_text()
    is_first_of(queue, job, scene, tmp_path)


def is_first_of(queue: Queue, job: str, scene: Path, tmp_path: Path) -> None:
    queue.fetch(job, tmp_path / "split")
    (ours,) = (tmp_path / "split").rglob("*.exr")
    same_exr(ours, scene.parent / "whole" / ours.name, 1e-4)


def test_a_worker_that_is_killed_costs_a_slice_and_no_frame(
    queue: Queue, scene: Path, tmp_path: Path
) -> None:
    job = queue.submit(scene, "1", "--slices", str(SLICES))
    # Sent twice, as a queue may: the first result counts.
    queue.send(json.dumps({"version": 2, "job": job, "frame": 1, "slice": 1}))
    with queue.worker(tmp_path) as worker:
        wait_until(lambda: parts(queue, job), 60, lambda: "no slice")
        if blender := blender_of(worker.pid):
            os.kill(blender, signal.SIGKILL)
        (record,) = queue.wait_for(job, 1, limit_seconds=120).values()
    assert record["state"] == "done", record
    is_first_of(queue, job, scene, tmp_path)


def test_what_cannot_be_split_is_rendered_whole(queue: Queue, tmp_path: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=False)
    counted = bpy.context.scene
    counted.render.engine, counted.cycles.samples = "CYCLES", 1
    # One of those that the worker alone finds: others are sent as one task.
    counted.view_layers[0].cycles.pass_debug_sample_count = True
    counted.render.resolution_x = counted.render.resolution_y = 16
    path = tmp_path / "counted.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    job = queue.submit(path, "1", "--slices", "2")
    with queue.worker(tmp_path):
        (record,) = queue.wait_for(job, 1, limit_seconds=60).values()
    assert record["state"] == "done", record
    assert parts(queue, job)[0].endswith(".whole")
    assert "Debug Sample Count" in (tmp_path / "worker.log").read_text()


def test_a_slice_that_fails_fails_its_frame_once_until_it_is_wanted_again(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "no_camera.blend", "1", "--slices", "2")
    with queue.worker(tmp_path):
        (record,) = queue.wait_for(job, 1, limit_seconds=60).values()
        assert record["state"] == "failed" and record["tries"] == 1, record
        assert "slice" in record["failure"]["message"], record
        wait_until(lambda: not queue.waiting(queue.queue), 60, lambda: "messages stay")
        assert json.loads(queue.command("retry", "--json", job))["tasks"] == 1
        wait_until(
            lambda: queue.records(job)[1]["state"] == "failed" and not queue.waiting(queue.queue),
            60,
            lambda: f"{queue.records(job)}",
        )
    assert queue.records(job)[1]["tries"] == 2


def test_the_end_of_a_frame_goes_with_its_slices_where_the_job_is_cancelled(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "heavy.blend", "1", "--slices", "4")
    with queue.worker(tmp_path):
        wait_until(lambda: queue.keys(f"jobs/{job}/slices/"), 60, lambda: "nothing has begun")
        queue.cancel(job)
        wait_until(lambda: not queue.waiting(queue.queue), 60, lambda: "messages stay")


def test_the_end_of_a_frame_goes_with_its_slices_where_the_job_is_paused(
    queue: Queue, scene: Path, tmp_path: Path
) -> None:
    job = queue.submit(scene, "1", "--slices", str(SLICES))
    queue.command("pause", job)
    with queue.worker(tmp_path):
        wait_until(lambda: not queue.waiting(queue.queue), 60, lambda: "messages stay")
        assert not parts(queue, job)
        queue.command("resume", job)
        (record,) = queue.wait_for(job, 1, limit_seconds=120).values()
    assert (record["state"], record["tries"]) == ("done", 1), record
    is_first_of(queue, job, scene, tmp_path)


def test_a_slice_that_failed_is_told_of_by_whoever_finds_it_failed(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "no_camera.blend", "1", "--slices", "2")
    with queue.worker(tmp_path):
        queue.wait_for(job, 1, limit_seconds=60)
        wait_until(lambda: not queue.waiting(queue.queue), 60, lambda: "messages stay")
        failed = parts(queue, job)
        assert failed and all(name.endswith(".failed") for name in failed)
        # As if the worker had died before it could tell, and its message came again.
        key = f"jobs/{job}/parts/1/{failed[0]}"
        queue.farm.client("s3").delete_object(Bucket=queue.bucket, Key=key)
        slice_ = int(failed[0].partition(".")[0])
        queue.send(json.dumps({"version": 2, "job": job, "frame": 1, "slice": slice_}))
        wait_until(lambda: failed[0] in parts(queue, job), 30, lambda: "nobody tells")


def test_more_slices_than_there_can_be_are_refused(queue: Queue, scenes: Path) -> None:
    words = queue.refused("submit", scenes / "sound.blend", "--frames", "1", "--slices", "1001")
    assert "slices: expected 1 to 1000" in words, words


def test_an_image_is_seen_while_its_slices_come(
    queue: Queue, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in queue.farm.environment().items():
        monkeypatch.setenv(name, value)
    job = queue.submit(scene, "1", "--slices", str(SLICES))
    # Somebody has only just begun the last one, however long this takes.
    hold(queue, job, SLICES - 1, started_ms=int(time.time() * 1000) + 600_000)
    where = native.FarmSettings(queue.farm.stack, endpoint=queue.farm.endpoint)
    watch = native.Job(where, job, tmp_path / "fetched", previews=tmp_path / "previews")
    seen: list[tuple[int, int]] = []
    alphas: list[float] = []

    def take() -> list[tuple[int, int]]:
        for event in watch.poll():
            match event:
                case native.JobEvent.Refined(1, path, slices, of):
                    seen.append((slices, of))
                    alphas.append(float(pixels(path)[..., 3].mean()))
        return seen

    with queue.worker(tmp_path):
        wait_until(lambda: (2, SLICES) in take(), 120, lambda: f"{seen}")
        queue.cancel(job)
    watch.stop_watching()
    # Each is more of the picture.
    assert seen == sorted(seen)
    assert alphas == sorted(alphas) and alphas[0] > 0, alphas
    # What there was of it stays.
    assert pixels(tmp_path / "previews" / "refining.exr").shape == (34, 50, 4)


def pixels(path: Path) -> Any:
    return OpenEXR.File(str(path)).channels()["RGBA"].pixels


def hold(queue: Queue, job: str, slice_: int, started_ms: int) -> None:
    """Have a slice be somebody else's, who has told a tenth of it and holds it on."""
    record = {
        "version": 2, "frame": 1, "tries": 1, "max_tries": 5, "state": "running",
        "progress": 0.1, "worker": "slow", "started_ms": started_ms,
        "updated_ms": int(time.time() * 1000) + 600_000,
    }  # fmt: skip
    key = f"jobs/{job}/slices/1/{slice_}.json"
    body = json.dumps(record).encode()
    queue.farm.client("s3").put_object(Bucket=queue.bucket, Key=key, Body=body)


def test_slices_of_an_animation_are_seen_by_nobody(
    queue: Queue, scene: Path, tmp_path: Path
) -> None:
    job = queue.submit(scene, "1-2", "--slices", "2")
    with queue.worker(tmp_path):
        queue.wait_for(job, 2, limit_seconds=120)
    assert not queue.keys(f"jobs/{job}/previews/")


def test_a_slice_far_behind_the_others_is_given_to_a_second_worker(
    queue: Queue, scene: Path, tmp_path: Path
) -> None:
    job = queue.submit(scene, "1", "--slices", str(SLICES))
    hold(queue, job, 2, started_ms=int(time.time() * 1000) - 100_000)
    with queue.worker(tmp_path):
        (record,) = queue.wait_for(job, 1, limit_seconds=120).values()
        wait_until(lambda: not queue.waiting(queue.queue), 90, lambda: "messages stay")
    assert record["state"] == "done", record
    assert queue.keys(f"jobs/{job}/second/") == [f"jobs/{job}/second/1.2.1"]
    assert json.loads(queue.read(f"jobs/{job}/slices/1/2.json"))["state"] == "done"
    is_first_of(queue, job, scene, tmp_path)
