"""Workers and Blenders that are killed at random lose no frame and make none twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from workers import MAXIMUM_TRIES, Queue, blender_of, kill_session, wait_until

WORKERS = 4
FRAMES = 200
KILLS = 24
LIMIT_SECONDS = 240
RETRY_LIMIT_SECONDS = 75


def test_two_hundred_frames_arrive_once_although_four_workers_are_killed_at_random(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    choose = random.Random(5)
    job = queue.submit(scenes / "sound.blend", f"1-{FRAMES}")
    folders = [tmp_path / str(number) for number in range(WORKERS)]
    for folder in folders:
        folder.mkdir()
    workers: list[subprocess.Popen[bytes]] = [
        queue.start(folder / "worker.log") for folder in folders
    ]
    killed = {"parent": 0, "child": 0, "both": 0}
    limit = time.monotonic() + LIMIT_SECONDS
    try:
        while (done := len(queue.keys(f"jobs/{job}/frames/"))) < FRAMES:
            assert time.monotonic() < limit, unfinished(queue, job)
            time.sleep(choose.uniform(0.05, 0.35))
            number = choose.randrange(WORKERS)
            worker = workers[number]
            # At the end idle workers wait for messages, which the emulator would hand to the dead.
            if sum(killed.values()) < KILLS and done < FRAMES - 2 * WORKERS:
                victim = choose.choice(list(killed))
                killed[victim] += 1
                child = blender_of(worker.pid)
                if victim in ("child", "both") and child:
                    kill(child)
                if victim in ("parent", "both"):
                    kill(worker.pid)
            for number, worker in enumerate(workers):
                if worker.poll() is not None:
                    workers[number] = queue.start(folders[number] / "worker.log")
        records = queue.wait_for(job, FRAMES, 60)
    finally:
        for worker in workers:
            kill_session(worker)
    assert min(killed.values()) > 0, killed
    assert {record["state"] for record in records.values()} == {"done"}
    assert max(record["tries"] for record in records.values()) <= MAXIMUM_TRIES
    keys = queue.keys(f"jobs/{job}/frames/")
    assert keys == [f"jobs/{job}/frames/{frame:04}.png" for frame in range(1, FRAMES + 1)]
    s3 = queue.farm.client("s3")
    for key in keys[:: FRAMES // 20]:
        frame = tmp_path / "frame.png"
        s3.download_file(queue.bucket, key, str(frame))
        with Image.open(frame) as image:
            image.load()
            assert image.size == (16, 16)
    retried = sum(record["tries"] > 1 for record in records.values())
    print(f"\nkilled {killed}; {retried} frames were tried again")


@pytest.mark.soak
def test_a_killed_worker_is_noticed_when_the_lease_of_a_minute_ends(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    """The lease of production, where the other tests have one of seconds."""
    job = queue.submit(scenes / "heavy.blend", "1")
    worker = queue.start(tmp_path / "killed.log", LEASE_SECONDS="60")
    try:
        first = queue.wait_for(job, 1, states="running")[1]
    finally:
        kill_session(worker)
    killed = time.monotonic()
    # Ended in order: what is killed while it polls may be handed a message by the emulator.
    with queue.worker(tmp_path, LEASE_SECONDS="60"):
        wait_until(
            lambda: queue.records(job)[1]["tries"] > first["tries"],
            RETRY_LIMIT_SECONDS,
            lambda: f"no other try: {queue.records(job)}",
        )
        print(f"\ntried again after {time.monotonic() - killed:.0f} s")
        queue.cancel(job)
        wait_until(lambda: not queue.waiting(queue.queue), 30, lambda: "the task is still there")


def unfinished(queue: Queue, job: str) -> str:
    """The frames that are not there, with their records."""
    records = queue.records(job)
    open_ones = {
        frame: records.get(frame)
        for frame in range(1, FRAMES + 1)
        if records.get(frame, {}).get("state") != "done"
    }
    return f"{open_ones}; dead letters: {queue.waiting(queue.dead_letters)}"


def kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
