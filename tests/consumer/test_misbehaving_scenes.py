"""Scenes that fail, loop, exit, print, delete and eat: each task says in one sentence why."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from local_farm import local_farm
from workers import BINARIES, MAXIMUM_TRIES, Queue, blender_of, children, wait_until


def failure(record: dict) -> dict:
    assert record["state"] == "failed", record
    assert "\n" not in record["failure"]["message"]
    assert len(record["failure"]["log_tail"]) <= 4096
    return record["failure"]


def test_a_scene_without_camera_fails_once_by_its_own_fault(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    before = queue.waiting(queue.dead_letters)
    job = queue.submit(scenes / "no_camera.blend", "1")
    with queue.worker(tmp_path):
        record = queue.wait_for(job, 1)[1]
        wait_until(lambda: queue.waiting(queue.queue) == 0, 30, lambda: "it is tried again")
    assert failure(record)["class"] == "scene"
    assert "camera" in failure(record)["message"].lower()
    assert queue.waiting(queue.dead_letters) == before


def test_a_frame_whose_script_raises_is_the_only_one_that_fails(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "raising.blend", "1-3", "--allow-scripts")
    with queue.worker(tmp_path):
        records = queue.wait_for(job, 3)
    assert [records[frame]["state"] for frame in (1, 2, 3)] == ["done", "failed", "done"]
    assert "ValueError: frame two is cursed" in failure(records[2])["message"]
    assert "Traceback" in failure(records[2])["log_tail"]
    assert "frame two is cursed" in queue.log(job, records[2]).decode()


def test_errors_of_blenders_own_solver_are_none_of_the_scene(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "gas.blend", "1-3", "--allow-missing")
    with queue.worker(tmp_path):
        records = queue.wait_for(job, 3)
    assert {record["state"] for record in records.values()} == {"done"}, records
    assert b"Traceback" in b"".join(queue.log(job, record) for record in records.values())


def test_a_script_that_exits_blender_is_the_scenes_fault_and_the_others_go_on(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "exiting.blend", "1-3", "--allow-scripts")
    with queue.worker(tmp_path):
        records = queue.wait_for(job, 3)
    assert [records[frame]["state"] for frame in (1, 2, 3)] == ["done", "failed", "done"]
    assert failure(records[2])["class"] == "scene"
    assert "ended without an answer (exit status: 0)" in failure(records[2])["message"]


def test_a_script_that_never_ends_is_stopped_and_given_up_after_the_last_try(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    before = queue.waiting(queue.dead_letters)
    job = queue.submit(scenes / "looping.blend", "2", "--allow-scripts")
    with queue.worker(tmp_path, HANG_SECONDS="5"):
        record = queue.wait_for(job, 1)[2]
        wait_until(
            lambda: queue.waiting(queue.dead_letters) == before + 1, 30, lambda: "no dead letter"
        )
    assert failure(record)["class"] == "machine"
    message = failure(record)["message"]
    assert message == "Blender did not move for 5 s and was stopped (given up after 2 tries)"
    # It would not move elsewhere either: what fails alike is paid for twice, not five times.
    assert record["tries"] == 2 < MAXIMUM_TRIES


def test_a_driver_in_python_that_may_not_run_is_named_before_anything_is_sent(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    said = r'Python, which may not run: tick Run Scripts.*"square": location = len\(str\(frame\)\)'
    with pytest.raises(AssertionError, match=said):
        queue.submit(scenes / "driven.blend", "1")
    allowed = queue.submit(scenes / "driven.blend", "1", "--allow-scripts")
    with queue.worker(tmp_path):
        assert queue.wait_for(allowed, 1)[1]["state"] == "done"


def test_an_exception_of_any_length_is_one_bounded_sentence(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "wordy.blend", "2", "--allow-scripts")
    with queue.worker(tmp_path):
        record = queue.wait_for(job, 1)[2]
    assert failure(record)["class"] == "scene"
    message = failure(record)["message"]
    assert message.startswith("Python: ValueError: first xxx") and len(message) < 1100
    assert failure(record)["log_tail"]


def test_a_blender_that_has_ended_is_noticed_although_something_holds_its_socket(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "forking.blend", "1-3", "--allow-scripts")
    with queue.worker(tmp_path):
        records = queue.wait_for(job, 3)
    assert [records[frame]["state"] for frame in (1, 2, 3)] == ["done", "failed", "done"]
    assert failure(records[2])["class"] == "scene"


def test_what_scripts_leave_behind_ends_with_the_frame_and_reaches_no_other_job(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    first = queue.submit(scenes / "sound.blend", "1")
    with queue.worker(tmp_path) as worker:
        assert queue.wait_for(first, 1)[1]["state"] == "done"
        haunting = queue.submit(scenes / "haunting.blend", "1", "--allow-scripts")
        assert queue.wait_for(haunting, 1)[1]["state"] == "done"
        (keeper,) = children(worker.pid)
        (blender,) = children(keeper)
        assert not children(blender)
        second = queue.submit(scenes / "sound.blend", "2")
        record = queue.wait_for(second, 1)[2]
        assert record["state"] == "done", record
        clean = blender_of(worker.pid)
        assert clean and clean != blender and not children(clean)
        (picture,) = tmp_path.glob("render-on-lambda-*/packs/*/project/wood.png")
        assert picture.read_bytes() == (scenes / "wood.png").read_bytes()


def test_a_frame_is_told_its_own_peak_of_memory(queue: Queue, scenes: Path, tmp_path: Path) -> None:
    before = queue.submit(scenes / "sound.blend", "1")
    with queue.worker(tmp_path):
        small = queue.wait_for(before, 1)[1]["peak_memory_bytes"]
        swelling = queue.submit(scenes / "swelling.blend", "3", "--allow-scripts")
        large = queue.wait_for(swelling, 1)[3]["peak_memory_bytes"]
        again = queue.submit(scenes / "swelling.blend", "2", "--allow-scripts")
        after = queue.wait_for(again, 1)[2]["peak_memory_bytes"]
    assert large > small + (400 << 20)
    assert after < large - (300 << 20)


def test_what_a_scene_prints_changes_nothing(queue: Queue, scenes: Path, tmp_path: Path) -> None:
    job = queue.submit(scenes / "chatty.blend", "1-2", "--allow-scripts")
    with queue.worker(tmp_path):
        records = queue.wait_for(job, 2)
    assert {record["state"] for record in records.values()} == {"done"}
    log = queue.log(job, records[1])
    assert b'{"type": "failed"}' in log and len(log) < 2 << 20


def test_a_script_can_delete_nothing_of_its_pack(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "deleting.blend", "1-3", "--allow-scripts")
    with queue.worker(tmp_path):
        records = queue.wait_for(job, 3)
    assert {record["state"] for record in records.values()} == {"done"}, records
    assert queue.log(job, records[3]).count(b"DENIED") >= 2


def test_a_frame_that_needs_more_memory_than_there_is_says_how_much(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "hungry.blend", "1", "--allow-scripts")
    with queue.worker(tmp_path, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="1536"):
        record = queue.wait_for(job, 1)[1]
    found = re.match(
        r"the frame needs more than (\d+) MiB of memory, the function has (\d+) MiB",
        failure(record)["message"],
    )
    assert found, record
    needed, limit = map(int, found.groups())
    assert 1400 < limit <= 1536 and needed > limit
    assert record["tries"] == 2 < MAXIMUM_TRIES


def test_a_pack_that_cannot_fit_is_refused_before_its_download(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    small = tmp_path / "disk"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", small], check=True)
    try:
        job = queue.submit(scenes / "sound.blend", "1")
        with queue.worker(small):
            record = queue.wait_for(job, 1)[1]
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)
    assert failure(record)["class"] == "scene"
    assert re.match(
        r"the pack needs \d+ MiB of disk, the function has 64 MiB", failure(record)["message"]
    )


def test_a_scene_finds_no_credentials(queue: Queue, scenes: Path, tmp_path: Path) -> None:
    job = queue.submit(scenes / "prying.blend", "1", "--allow-scripts")
    with queue.worker(tmp_path):
        records = queue.wait_for(job, 1)
    log = queue.log(job, records[1]).decode()
    own = next(line for line in log.splitlines() if "/proc/self/environ" in line)
    assert "AWS_" not in own and "BUCKET_NAME" not in own
    assert "UMASK 0o22" in log


def test_a_frame_that_runs_past_the_functions_time_goes_back_and_says_so(
    scenes: Path,
) -> None:
    parameters = {"ConsumerTimeout": "30", "LeaseSeconds": "6", "MaximumTries": "1"}
    with local_farm(Path(sys.executable), BINARIES, parameters=parameters) as farm:
        outputs = farm.outputs()
        short = Queue(
            farm, outputs["BucketName"], outputs["QueueUrl"], outputs["DeadLetterQueueUrl"]
        )
        job = short.submit(scenes / "heavy.blend", "1", "--slices", "1")
        record = short.wait_for(job, 1, limit_seconds=90)[1]
        wait_until(lambda: short.waiting(short.dead_letters) == 1, 60, lambda: "no dead letter")
        log = short.log(job, record)
    message = failure(record)["message"]
    assert re.match(
        r"the frame was not ready after 2\d s, when the function's time ran out", message
    ), message
    assert failure(record)["class"] == "machine"
    assert log
