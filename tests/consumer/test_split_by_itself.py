"""A frame that takes too long for one worker is split by the worker that finds that out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bpy
import pytest
from local_farm import local_farm
from split_scenes import make
from test_slices import SLICES, is_first_of, make_whole
from workers import BINARIES, Queue, wait_until

pytestmark = pytest.mark.skipif(bpy.app.version < (5, 0), reason="finishing came with 5.0")

# What a worker finds too long is then what takes more than 40 s.
TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def scene(queue: Queue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of one frame, rendered by one worker beside it."""
    return make_whole(queue, tmp_path_factory.mktemp("split"), 1)


def test_a_worker_that_dies_between_the_split_and_its_slices_loses_nothing(
    queue: Queue, scene: Path, tmp_path: Path
) -> None:
    job = queue.submit(scene, "1")
    queue.split(job, SLICES)
    with queue.worker(tmp_path):
        (record,) = queue.wait_for(job, 1, limit_seconds=120).values()
        wait_until(lambda: not queue.waiting(queue.queue), 60, lambda: "messages stay")
    assert (record["state"], record["tries"]) == ("done", 2), record
    assert record["split"]["is_enqueued"]
    is_first_of(queue, job, scene, tmp_path)
    names = [key.rpartition("/")[2] for key in queue.keys(f"jobs/{job}/parts/1/")]
    assert names == [f"{slice_}-{SLICES}.exr" for slice_ in range(SLICES)]
    # A client sees the slices as a later try than the one that was split.
    events = [key.rpartition("/")[2].split(".") for key in queue.keys(f"jobs/{job}/events/")]
    assert {event[2] for event in events} == {"2"}, events


def test_a_paused_job_goes_on_with_the_slices_of_a_split_frame(
    queue: Queue, scene: Path, tmp_path: Path
) -> None:
    job = queue.submit(scene, "1")
    queue.split(job, SLICES, is_enqueued=True)
    queue.command("pause", job)
    with queue.worker(tmp_path):
        wait_until(lambda: not queue.waiting(queue.queue), 60, lambda: "messages stay")
        queue.command("resume", job)
        (record,) = queue.wait_for(job, 1, limit_seconds=120).values()
    assert record["state"] == "done", record
    is_first_of(queue, job, scene, tmp_path)


def test_a_split_frame_whose_slices_failed_can_be_rendered_again(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "no_camera.blend", "1")
    queue.split(job, SLICES)
    with queue.worker(tmp_path):
        (record,) = queue.wait_for(job, 1, limit_seconds=60).values()
        assert record["state"] == "failed" and "slice" in record["failure"]["message"], record
        wait_until(lambda: not queue.waiting(queue.queue), 60, lambda: "messages stay")
        assert json.loads(queue.command("retry", "--json", job))["tasks"] == 1
        wait_until(
            lambda: (
                queue.records(job)[1]["tries"] == record["tries"] + 1
                and queue.records(job)[1]["state"] == "failed"
            ),
            60,
            lambda: f"{queue.records(job)}",
        )


def test_a_split_frame_goes_with_its_job(queue: Queue, scenes: Path, tmp_path: Path) -> None:
    job = queue.submit(scenes / "heavy.blend", "1")
    queue.split(job, SLICES)
    with queue.worker(tmp_path):
        wait_until(lambda: queue.keys(f"jobs/{job}/slices/"), 60, lambda: "nothing has begun")
        queue.cancel(job)
        wait_until(lambda: not queue.waiting(queue.queue), 60, lambda: "messages stay")


@pytest.mark.parametrize(
    "told",
    [
        {"slices": 1, "after_tries": 1},
        {"slices": 100_000, "after_tries": 1},
        {"slices": 3, "after_tries": 1, "command": "rm"},
    ],
)
def test_a_slice_of_no_split_is_put_aside(
    queue: Queue, told: dict[str, Any], tmp_path: Path
) -> None:
    before = queue.waiting(queue.dead_letters)
    message = {"version": 3, "job": "0190a5d4-7c6e-7000-8000-000000000000", "frame": 1}
    queue.send(json.dumps(message | {"slice": 0, "split": told}))
    with queue.worker(tmp_path):
        wait_until(
            lambda: queue.waiting(queue.dead_letters) == before + 1, 30, lambda: "it is not there"
        )


@pytest.mark.timeout(900)
def test_a_frame_that_would_run_past_the_functions_time_is_split(tmp_path: Path) -> None:
    """In Lambda, which alone says how much time there is: two frames of some 60 s each."""
    made = make("passes", tmp_path)
    made.render.resolution_x, made.render.resolution_y = 300, 204
    made.cycles.samples, made.frame_end = 1500, 2
    bpy.ops.wm.save_mainfile()
    parameters = {
        "ConsumerTimeout": str(TIMEOUT_SECONDS), "LeaseSeconds": "20", "MaximumConcurrency": "2",
        "MaximumTries": "2",
    }  # fmt: skip
    with local_farm(Path(sys.executable), BINARIES, parameters=parameters) as farm:
        outputs = farm.outputs()
        short = Queue(
            farm, outputs["BucketName"], outputs["QueueUrl"], outputs["DeadLetterQueueUrl"]
        )
        job = short.submit(tmp_path / "shot.blend", "1-2")
        records = short.wait_for(job, 2, limit_seconds=800)
        assert not short.waiting(short.dead_letters), records
    assert {record["state"] for record in records.values()} == {"done"}, records
    assert all(record["split"]["split"]["slices"] >= 2 for record in records.values()), records
    assert {record["tries"] for record in records.values()} == {2}, records
