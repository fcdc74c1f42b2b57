"""Messages that are no tasks, blobs that are not what they should be, and a storage in trouble."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import time
import zipfile
from pathlib import Path

import blake3
import pytest
from fault_proxy import BREAK, CORRUPT, SLOW_DOWN, STALL, Request, fault_proxy
from workers import MAXIMUM_TRIES, Queue, blender_of, wait_until

FAULT_SECONDS = 90


def done(records: dict[int, dict]) -> list[int]:
    return sorted(frame for frame, record in records.items() if record["state"] == "done")


@pytest.mark.soak
def test_messages_that_are_no_tasks_end_with_the_dead_letters_and_stop_nobody(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    before = queue.waiting(queue.dead_letters)
    for body in (
        "garbage",
        "{}",
        '{"version":0,"job":"01900000-0000-7000-8000-000000000000","frame":1}',
        '{"version":1,"job":"01900000-0000-7000-8000-000000000000","frame":1}',
        '{"version":1,"job":"../../x","frame":1}',
    ):
        queue.send(body)
    job = queue.submit(scenes / "sound.blend", "1-4")
    queue.send(json.dumps({"version": 1, "job": job, "frame": 777}))
    with queue.worker(tmp_path):
        records = queue.wait_for(job, 4)
        assert done(records) == [1, 2, 3, 4]
        wait_until(
            lambda: queue.waiting(queue.dead_letters) == before + 6,
            90,
            lambda: f"{queue.waiting(queue.dead_letters) - before} dead letters",
        )


def test_what_a_newer_version_has_sent_is_left_to_its_workers(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    before = queue.waiting(queue.dead_letters)
    newer = "01900000-0000-7000-8000-00000000000a"
    key = f"jobs/{newer}/job.json"
    job = queue.submit(scenes / "sound.blend", "1")
    queue.farm.client("s3").put_object(
        Bucket=queue.bucket, Key=key, Body=b'{"version":99,"what":"nobody here knows"}'
    )
    queue.send(json.dumps({"version": 1, "job": newer, "frame": 1}))
    queue.send(json.dumps({"version": 99, "job": newer, "frame": 1}))
    with queue.worker(tmp_path):
        assert done(queue.wait_for(job, 1)) == [1]
        log = tmp_path / "worker.log"
        wait_until(
            lambda: (
                "a message of a newer version" in log.read_text()
                and "left to others" in log.read_text()
            ),
            60,
            log.read_text,
        )
    assert queue.waiting(queue.queue) == 2
    assert queue.waiting(queue.dead_letters) == before
    queue.farm.client("sqs").purge_queue(QueueUrl=queue.queue)


def test_deliveries_that_no_worker_has_begun_are_no_tries(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "sound.blend", "1")
    # As the mapping's do whose function is throttled, however often.
    wait_until(lambda: queue.receive_and_forget() >= 4 * MAXIMUM_TRIES, 60, lambda: "no message")
    with queue.worker(tmp_path):
        record = queue.wait_for(job, 1)[1]
    assert (record["state"], record["tries"]) == ("done", 1)


def test_a_task_that_no_worker_has_survived_is_said_to_be_given_up(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    before = queue.waiting(queue.dead_letters)
    job = queue.submit(scenes / "sound.blend", "1")
    # As workers leave it that are ended while they have the frame.
    left = {
        "version": 2, "frame": 1, "tries": MAXIMUM_TRIES, "max_tries": MAXIMUM_TRIES,
        "state": "running", "progress": None, "worker": "dead", "started_ms": 1, "updated_ms": 1,
    }  # fmt: skip
    queue.farm.client("s3").put_object(
        Bucket=queue.bucket, Key=f"jobs/{job}/tasks/1.json", Body=json.dumps(left).encode()
    )
    with queue.worker(tmp_path):
        record = queue.wait_for(job, 1)[1]
        wait_until(
            lambda: queue.waiting(queue.dead_letters) == before + 1, 30, lambda: "no dead letter"
        )
    assert record["state"] == "failed"
    assert record["failure"]["message"].startswith(f"given up after {MAXIMUM_TRIES} tries")
    assert not queue.keys(f"jobs/{job}/frames/")


def test_tasks_that_come_twice_and_in_any_order_give_one_result_each(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "sound.blend", "1-6")
    messages = [json.dumps({"version": 1, "job": job, "frame": frame}) for frame in range(1, 7)]
    random.Random(3).shuffle(messages)
    for message in messages:
        queue.send(message)
    with queue.worker(tmp_path / "", LEASE_SECONDS="30"):
        assert done(queue.wait_for(job, 6)) == [1, 2, 3, 4, 5, 6]
        wait_until(lambda: queue.waiting(queue.queue) == 0, 60, lambda: "messages are left")
    assert len(queue.keys(f"jobs/{job}/frames/")) == 6


def test_a_blob_that_was_changed_in_the_bucket_is_never_rendered(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "sound.blend", "1")
    document = json.loads(queue.read(f"jobs/{job}/job.json"))
    manifest = json.loads(queue.read(f"packs/{document['pack']}.json"))
    (scene,) = [file for file in manifest["files"] if file["path"].endswith(".blend")]
    key = f"blobs/{scene['digest'][:2]}/{scene['digest']}"
    whole = queue.read(key)
    s3 = queue.farm.client("s3")
    s3.put_object(Bucket=queue.bucket, Key=key, Body=whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        with queue.worker(tmp_path):
            record = queue.wait_for(job, 1)[1]
    finally:
        s3.put_object(Bucket=queue.bucket, Key=key, Body=whole)
    assert record["state"] == "failed"
    assert scene["digest"] in record["failure"]["message"]
    assert not queue.keys(f"jobs/{job}/frames/")


def test_a_zip_that_tries_to_escape_writes_nothing(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    """A pack made by hand, whose bundle holds other names than its manifest says."""
    job = queue.submit(scenes / "sound.blend", "1")
    document = json.loads(queue.read(f"jobs/{job}/job.json"))
    manifest = json.loads(queue.read(f"packs/{document['pack']}.json"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("../../../escaped", "/tmp/escaped-from-a-pack", "project/wood.png"):
            archive.writestr(name, b"evil")
    evil = buffer.getvalue()
    digest = blake3.blake3(evil).hexdigest()
    manifest["bundles"] = [{"digest": digest, "size_bytes": len(evil)}]
    s3 = queue.farm.client("s3")
    s3.put_object(Bucket=queue.bucket, Key=f"blobs/{digest[:2]}/{digest}", Body=evil)
    bodies = json.dumps(manifest).encode()
    pack = blake3.blake3(bodies).hexdigest()
    s3.put_object(Bucket=queue.bucket, Key=f"packs/{pack}.json", Body=bodies)
    evil_job = job[:-4] + "beef"
    document |= {"id": evil_job, "pack": pack}
    s3.put_object(
        Bucket=queue.bucket, Key=f"jobs/{evil_job}/job.json", Body=json.dumps(document).encode()
    )
    queue.send(json.dumps({"version": 1, "job": evil_job, "frame": 1}))
    with queue.worker(tmp_path):
        record = queue.wait_for(evil_job, 1)[1]
        queue.wait_for(job, 1)
    assert record["state"] == "failed"
    assert not Path("/tmp/escaped-from-a-pack").exists()
    assert not list(tmp_path.rglob("escaped*"))


def test_a_storage_that_is_slow_stalls_breaks_off_and_lies_loses_no_frame(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    choose = random.Random(11)
    faults = {SLOW_DOWN: 0, STALL: 0, BREAK: 0, CORRUPT: 0}

    def rule(request: Request) -> object:
        """A fifth of what is asked of the bucket goes wrong; one answer never comes."""
        if "/blobs/" not in request.path and "/jobs/" not in request.path:
            return None
        if request.method == "GET" and "/blobs/" in request.path and not faults[STALL]:
            fault = STALL
        elif request.method == "GET" and "/blobs/" in request.path:
            fault = choose.choice([None, None, SLOW_DOWN, BREAK, CORRUPT])
        else:
            fault = choose.choice([None, None, None, None, SLOW_DOWN])
        if fault is not None:
            faults[fault] += 1
        return fault

    with fault_proxy(queue.farm.endpoint, queue.farm.authority) as proxy:
        proxy.rule = rule  # type: ignore[assignment]
        job = queue.submit(scenes / "sound.blend", "1-10")
        with queue.worker(tmp_path, AWS_ENDPOINT_URL=proxy.endpoint):
            records = queue.wait_for(job, 10, FAULT_SECONDS)
    assert done(records) == list(range(1, 11)), records
    assert faults[SLOW_DOWN] > 5 and faults[STALL] == 1, faults


def test_a_worker_that_was_frozen_between_two_tasks_goes_on(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    first = queue.submit(scenes / "sound.blend", "1")
    with queue.worker(tmp_path) as worker:
        queue.wait_for(first, 1)
        os.killpg(worker.pid, signal.SIGSTOP)
        time.sleep(10)
        os.killpg(worker.pid, signal.SIGCONT)
        second = queue.submit(scenes / "sound.blend", "2")
        assert done(queue.wait_for(second, 1, 40)) == [2]
        third = queue.submit(scenes / "sound.blend", "3")
        os.kill(blender_of(worker.pid) or 0, signal.SIGKILL)
        assert done(queue.wait_for(third, 1, 40)) == [3]
