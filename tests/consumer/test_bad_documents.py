"""One bad document harms itself alone, and what a worker says of its files is not trusted."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers import COMMAND, Queue, wait_until

EXIT_FRAMES_FAILED = 5


def run(queue: Queue, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments, "--stack", queue.farm.stack, "--endpoint", queue.farm.endpoint],
        env=os.environ | queue.farm.environment(), capture_output=True, text=True, timeout=180,
        check=False,
    )  # fmt: skip


def put(queue: Queue, key: str, body: bytes) -> None:
    queue.farm.client("s3").put_object(Bucket=queue.bucket, Key=key, Body=body)


def change(queue: Queue, job: str, frame: int, how: Callable[[dict[str, Any]], None]) -> None:
    key = f"jobs/{job}/tasks/{frame}.json"
    record = json.loads(queue.read(key))
    how(record)
    put(queue, key, json.dumps(record).encode())


def test_bad_records_cost_their_own_frames_and_no_other(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "sound.blend", "1-8")
    with queue.worker(tmp_path):
        queue.wait_for(job, 8)

    def file(**values: Any) -> Callable[[dict[str, Any]], None]:
        return lambda record: record["files"][0].update(values)

    change(queue, job, 1, file(size_bytes=7))
    change(queue, job, 2, file(size_bytes=1 << 60))
    change(queue, job, 3, file(digest="ab" * 32))
    change(queue, job, 4, file(path="elsewhere/0004.png"))
    put(queue, f"jobs/{job}/tasks/5.json", b"x" * (2 << 20))
    put(queue, f"jobs/{job}/tasks/6.json", b'{"version": 2}')
    put(queue, f"jobs/{job}/control.json", b"{" + b" " * 9000 + b"}")
    to = tmp_path / "frames"
    watched = run(queue, "watch", job, "--to", to)
    assert watched.returncode == EXIT_FRAMES_FAILED, watched.stderr
    assert sorted(path.name for path in to.iterdir() if path.is_file()) == ["0007.png", "0008.png"]
    for frame in range(1, 7):
        assert f"frame {frame}" in watched.stderr + watched.stdout, watched.stderr
    listed = run(queue, "jobs", "--json", "--limit", "100")
    assert listed.returncode == 0 and job in listed.stdout


def test_a_job_that_cannot_be_read_hides_no_other(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    bad = ["01a00000-0000-7000-8000-00000000000" + digit for digit in "123"]
    put(queue, f"jobs/{bad[0]}/job.json", b"x" * (1 << 20))
    put(queue, f"jobs/{bad[1]}/job.json", b"{}")
    put(queue, f"jobs/{bad[2]}/tasks/1.json", b"{}")
    job = queue.submit(scenes / "sound.blend", "1")
    queue.send(json.dumps({"version": 1, "job": bad[0], "frame": 1}))
    queue.send(json.dumps({"version": 1, "job": bad[1], "frame": 1}))
    with queue.worker(tmp_path):
        assert queue.wait_for(job, 1)[1]["state"] == "done"
        wait_until(lambda: queue.waiting(queue.queue) == 0, 60, lambda: "they are tried for ever")
    listed = run(queue, "jobs", "--json", "--limit", "100")
    assert listed.returncode == 0 and job in listed.stdout


def test_a_record_that_nobody_can_read_is_begun_anew(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "sound.blend", "1-3")
    put(queue, f"jobs/{job}/tasks/1.json", b"{nonsense}")
    put(queue, f"jobs/{job}/tasks/2.json", b"x" * (2 << 20))
    with queue.worker(tmp_path):
        wait_until(lambda: len(queue.keys(f"jobs/{job}/frames/")) == 3, 60, lambda: "not rendered")
        records = queue.wait_for(job, 3)
        assert {record["state"] for record in records.values()} == {"done"}
    put(queue, f"jobs/{job}/tasks/1.json", b"{nonsense}")
    again = run(queue, "retry", "--missing", job)
    assert again.returncode == 0, again.stderr


def test_a_result_goes_nowhere_but_where_a_frame_can_be(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    """A hostile worker names other files of the artist's in its records."""
    job = queue.submit(scenes / "sound.blend", "1-6")
    with queue.worker(tmp_path):
        queue.wait_for(job, 6)
    to = tmp_path / "frames"
    (to / "textures").mkdir(parents=True)
    (to / "textures" / "wood0004.png").write_bytes(b"the artist's")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (to / "link").symlink_to(elsewhere)
    hostile = {
        1: ".bashrc",
        2: "shot_0002.blend",
        3: ".config/autostart/0003.desktop",
        4: "textures/wood0004.png",
        5: "link/0005.png",
    }
    client = queue.farm.client("s3")
    for frame, path in hostile.items():
        source = f"{queue.bucket}/jobs/{job}/frames/{frame:04}.png"
        client.copy_object(Bucket=queue.bucket, Key=f"jobs/{job}/frames/{path}", CopySource=source)
        change(queue, job, frame, lambda record, path=path: record["files"][0].update(path=path))
    watched = run(queue, "watch", job, "--to", to)
    assert watched.returncode == EXIT_FRAMES_FAILED, watched.stderr
    files = sorted(str(path.relative_to(to)) for path in to.rglob("*") if path.is_file())
    assert files == ["0006.png", "textures/wood0004.png"]
    assert (to / "textures" / "wood0004.png").read_bytes() == b"the artist's"
    assert not list(elsewhere.iterdir())
    for path in hostile.values():
        assert f"{path} was not put" in watched.stderr, watched.stderr


def test_a_job_whose_first_frames_all_fail_alike_stops_itself_until_it_is_wanted(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "no_camera.blend", "1-40")
    with queue.worker(tmp_path):
        watched = run(queue, "watch", job, "--to", tmp_path / "frames")
        assert watched.returncode == EXIT_FRAMES_FAILED, watched.stderr
        assert "the job has stopped itself, 35 frames are not rendered" in watched.stderr
        assert "the first 5 frames all failed alike" in watched.stderr
        assert "camera" in watched.stderr.lower()
        wait_until(lambda: queue.waiting(queue.queue) == 0, 60, lambda: "messages are left")
        failed = [one for one in queue.records(job).values() if one["state"] == "failed"]
        assert len(failed) == 5
    again = run(queue, "retry", job)
    assert again.returncode == 0, again.stderr
    assert queue.waiting(queue.queue) == 40
    assert json.loads(queue.read(f"jobs/{job}/control.json")) == {"version": 2, "cancelled": False}
    queue.cancel(job)
