"""A frame that lies far behind the others of its job is given to a second worker."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from workers import COMMAND, Queue, slowed, wait_until

FRAMES = 4
SPEED = 0.1


# A minute and a half; the rule itself is tested in native/farm/src/job/stragglers.rs.
@pytest.mark.soak
def test_a_frame_whose_worker_is_slow_comes_from_a_second_one_and_both_are_paid(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "steady.blend", f"1-{FRAMES}")
    slow, quick, to = tmp_path / "slow", tmp_path / "quick", tmp_path / "frames"
    slow.mkdir()
    quick.mkdir()
    with queue.worker(slow) as worker, slowed(worker, SPEED):
        wait_until(lambda: queue.keys(f"jobs/{job}/tasks/"), 60, lambda: "nothing has begun")
        with queue.worker(quick):
            watched = subprocess.run(
                [COMMAND, "watch", "--json", job, "--to", to,
                 "--stack", queue.farm.stack, "--endpoint", queue.farm.endpoint],
                env=os.environ | queue.farm.environment(),
                capture_output=True, text=True, check=False, timeout=300,
            )  # fmt: skip
            assert watched.returncode == 0, watched.stderr
            # The slow one finds out, and says what it has cost.
            wait_until(
                lambda: any("overtaken" in key for key in queue.keys(f"jobs/{job}/events/")),
                30,
                lambda: f"nobody was overtaken: {queue.keys(f'jobs/{job}/events/')}",
            )
    records = queue.records(job)
    (late,) = [frame for frame in records if f"frame {frame};" in watched.stderr]
    assert "far behind the others" in watched.stderr
    assert {record["state"] for record in records.values()} == {"done"}
    assert {record["tries"] for record in records.values()} == {1}
    assert len({record["worker"] for record in records.values()}) == 1
    assert queue.keys(f"jobs/{job}/second/") == [f"jobs/{job}/second/{late}.1"]
    for path in to.glob("*.png"):
        with Image.open(path) as image:
            image.load()
    assert len(list(to.glob("*.png"))) == FRAMES
    ends = [key for key in queue.keys(f"jobs/{job}/events/") if ".done." in key]
    assert len(ends) == FRAMES
    (cost,) = [key for key in queue.keys(f"jobs/{job}/events/") if ".overtaken." in key]
    assert int(cost.rsplit(".", 1)[1]) > 10_000
    assert not queue.waiting(queue.queue)


def test_a_second_worker_that_fails_leaves_the_frame_to_the_first(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "heavy.blend", "1")
    slow, broken = tmp_path / "slow", tmp_path / "broken"
    slow.mkdir()
    broken.mkdir()
    with queue.worker(slow):
        first = wait_until(lambda: queue.records(job), 60, lambda: "nothing has begun")[1]
        for _ in range(2):
            queue.send(json.dumps({"version": 1, "job": job, "frame": 1, "second": True}))
        killed = broken / "blender"
        killed.write_text("#!/bin/sh\nkill -9 $$\n")
        killed.chmod(0o755)
        with queue.worker(broken, BLENDER=str(killed)):
            # Both messages are gone: the second worker's, and the one too many.
            wait_until(lambda: queue.waiting(queue.queue) == 1, 60, lambda: "messages are left")
        assert "overtaken" in "".join(queue.keys(f"jobs/{job}/events/"))
        record = queue.records(job)[1]
        assert (record["state"], record["tries"]) == ("running", 1)
        assert record["worker"] == first["worker"]
        queue.cancel(job)
        queue.wait_for(job, 1, states="cancelled")
