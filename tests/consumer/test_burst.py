"""Workers that a client calls work the queue beside the mapping, and leave nothing behind."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_farm import local_farm
from split_scenes import make
from workers import BINARIES, Queue, wait_until

BURST_WORKERS = 2
# How long a called worker waits at an empty queue, and a second more.
IDLE_SECONDS = 3


@pytest.fixture(scope="module")
def farm_that_bursts() -> Iterator[Queue]:
    """A farm whose mapping is off, and whose functions have thirty seconds."""
    parameters = {
        "BurstWorkers": str(BURST_WORKERS),
        "ConsumerTimeout": "30",
        "LeaseSeconds": "10",
        "MaximumConcurrency": "2",
    }
    with local_farm(Path(sys.executable), BINARIES, parameters=parameters) as farm:
        yield Queue.without_mapping(farm)


def test_called_workers_render_all_of_a_job_and_end_when_the_queue_is_empty(
    farm_that_bursts: Queue, scenes: Path
) -> None:
    queue = farm_that_bursts
    job = queue.submit(scenes / "sound.blend", "1-20")
    records = queue.wait_for(job, 20)
    assert {record["state"] for record in records.values()} == {"done"}
    assert {record["tries"] for record in records.values()} == {1}
    assert 1 <= len({record["worker"] for record in records.values()}) <= BURST_WORKERS
    wait_until(lambda: not queue.waiting(queue.queue), 30, lambda: "messages are left")


def test_no_worker_is_called_for_what_a_mapping_begins_with(
    farm_that_bursts: Queue, scenes: Path
) -> None:
    queue = farm_that_bursts
    time.sleep(IDLE_SECONDS)
    job = queue.submit(scenes / "sound.blend", "1-5")
    wait_until(lambda: queue.waiting(queue.queue) == 5, 10, lambda: "five messages wait")
    assert not queue.keys(f"jobs/{job}/tasks/")
    queue.cancel(job)


def test_a_task_for_which_the_time_does_not_suffice_goes_back_untried(
    farm_that_bursts: Queue, scenes: Path
) -> None:
    queue = farm_that_bursts
    queue.farm.client("sqs").purge_queue(QueueUrl=queue.queue)
    # Four frames are quick; each of the others takes as long as a function may.
    job = queue.submit(scenes / "waiting.blend", "1-8", "--allow-scripts")

    def states() -> list[str]:
        return sorted(record["state"] for record in queue.records(job).values())

    taken = ["done"] * 4 + ["running"] * BURST_WORKERS
    wait_until(lambda: states() == taken, 30, lambda: f"not taken: {states()}")
    back = ["done"] * 4 + ["queued"] * BURST_WORKERS
    wait_until(lambda: states() == back, 30, lambda: f"not back: {states()}")
    tries = [record["tries"] for _, record in sorted(queue.records(job).items())]
    assert tries == [1] * 4 + [0] * BURST_WORKERS
    # What they left is there for the mapping.
    wait_until(lambda: queue.waiting(queue.queue) == 4, 30, lambda: "messages are lost")
    queue.cancel(job)


def test_whoever_watches_calls_workers_for_the_slices_of_a_frame_that_was_split(
    farm_that_bursts: Queue, tmp_path: Path
) -> None:
    queue = farm_that_bursts
    queue.farm.client("sqs").purge_queue(QueueUrl=queue.queue)
    make("passes", tmp_path)
    job = queue.submit(tmp_path / "shot.blend", "1")
    # What a worker leaves that has split the frame and told so.
    queue.split(job, 8, is_enqueued=True)
    split = {"slices": 8, "after_tries": 1}
    message = {"version": 3, "job": job, "frame": 1, "split": split}
    for slice_ in range(8):
        queue.send(json.dumps(message | {"slice": slice_}))
    now = f"{round(time.time() * 1000):013}"
    queue.put(f"jobs/{job}/events/{now}.1.1.00000001.overtaken.100", b"")
    # Nobody else works: the mapping is off.
    queue.command("watch", job, "--to", tmp_path / "frames")
    (record,) = queue.records(job).values()
    assert (record["state"], record["split"]["split"]["slices"]) == ("done", 8)
