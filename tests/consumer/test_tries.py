"""How often a task is tried, who may try it again, and what a cancelled job costs."""

from __future__ import annotations

import json
import time
from pathlib import Path

from workers import MAXIMUM_TRIES, Queue, wait_until


def test_a_frame_that_has_failed_is_rendered_when_someone_asks_for_it_again(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "sound.blend", "1")
    killed = tmp_path / "blender"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    with queue.worker(tmp_path, BLENDER=str(killed)):
        failed = queue.wait_for(job, 1)[1]
    assert (failed["state"], failed["tries"]) == ("failed", MAXIMUM_TRIES)
    # The message is with the dead letters; one that comes late all the same changes nothing.
    queue.send(json.dumps({"version": 1, "job": job, "frame": 1}))
    with queue.worker(tmp_path):
        wait_until(lambda: not queue.waiting(queue.queue), 30, lambda: "the message stays")
    assert queue.records(job)[1]["state"] == "failed"
    assert json.loads(queue.command("retry", "--json", job))["tasks"] == 1
    queued = queue.records(job)[1]
    assert queued["state"] == "queued"
    assert queued["max_tries"] == 2 * MAXIMUM_TRIES
    assert json.loads(queue.command("retry", "--json", job))["tasks"] == 0
    with queue.worker(tmp_path):
        done = queue.wait_for(job, 1)[1]
    assert (done["state"], done["tries"]) == ("done", MAXIMUM_TRIES + 1)


def test_the_messages_of_a_cancelled_job_are_drained_without_a_blender(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "sound.blend", "1-40")
    queue.cancel(job)
    blender = tmp_path / "blender"
    blender.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-started\n")
    blender.chmod(0o755)
    with queue.worker(tmp_path, BLENDER=str(blender)):
        wait_until(lambda: not queue.waiting(queue.queue), 30, lambda: "messages are left")
    assert not (tmp_path / "was-started").exists()
    assert not queue.keys(f"jobs/{job}/tasks/")
    (told,) = [one for one in json.loads(queue.command("jobs", "--json")) if one["job"] == job]
    assert (told["cancelled"], told["is_cancelled"]) == (40, True)


def test_each_job_has_a_group_of_its_own(queue: Queue, scenes: Path) -> None:
    jobs = {queue.submit(scenes / "sound.blend", "1-3") for _ in range(2)}
    received = []
    while len(received) < 6:
        answer = queue.farm.client("sqs").receive_message(
            QueueUrl=queue.queue, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"]
        )
        received += answer.get("Messages", [])
    groups = {json.loads(one["Body"])["job"]: one["Attributes"] for one in received}
    assert set(groups) == jobs
    assert all(attributes["MessageGroupId"] == job for job, attributes in groups.items())
    for one in received:
        queue.farm.client("sqs").delete_message(
            QueueUrl=queue.queue, ReceiptHandle=one["ReceiptHandle"]
        )


def test_a_delivery_of_a_task_that_another_worker_has_leaves_it_alone(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "heavy.blend", "1")
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with queue.worker(folders[0], LEASE_SECONDS="30"):
        first = queue.wait_for(job, 1, states="running")[1]
        queue.send(json.dumps({"version": 1, "job": job, "frame": 1}))
        with queue.worker(folders[1], LEASE_SECONDS="30"):
            time.sleep(5)
            record = queue.records(job)[1]
            assert (record["worker"], record["tries"]) == (first["worker"], 1)
            queue.cancel(job)
            wait_until(
                lambda: queue.records(job)[1]["state"] == "cancelled", 30, lambda: "not cancelled"
            )


def test_a_worker_that_is_interrupted_has_tried_nothing(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "heavy.blend", "1")
    for _ in range(2):
        with queue.worker(tmp_path, LEASE_SECONDS="30"):
            wait_until(
                lambda: queue.records(job).get(1, {}).get("state") == "running",
                60,
                lambda: f"not begun: {queue.records(job)}",
            )
        record = queue.records(job)[1]
        assert (record["state"], record["tries"]) == ("queued", 0)
    queue.cancel(job)
