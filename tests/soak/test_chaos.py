"""A hostile week: kills, faults, stalls and duplicates at random. Each frame arrives once, every
record comes to its end, and the watch ends by itself.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fault_proxy import BREAK, CORRUPT, SLOW_DOWN, Answer, Fault, Request, fault_proxy
from local_farm import local_farm
from PIL import Image
from workers import BINARIES, COMMAND, LEASE_SECONDS, Queue, blender_of, kill_session

FRAMES = 300
WORKERS = 4
KILLS = 36
DUPLICATES = FRAMES // 10
FAULTS = 0.05
STALLS = 0.01
STALL_SECONDS = 2.0
LIMIT_SECONDS = 900
# So many workers may die with one frame: each kill is a try that nobody could finish.
TRIES = 10

INTERNAL_ERROR = Answer(500, b"<Error><Code>InternalError</Code><Message>no</Message></Error>")


class Chaos:
    """Decides what happens to each request."""

    def __init__(self, seed: int) -> None:
        self._choose = random.Random(seed)
        self._stalled: dict[int, float] = {}
        self.counts: Counter[str] = Counter()

    def fault(self, request: Request) -> Fault:
        if self._choose.random() >= FAULTS:
            return None
        faults: list[tuple[str, Fault]] = [("error", INTERNAL_ERROR), ("slow down", SLOW_DOWN)]
        if request.method == "GET":
            faults += [("broken off", BREAK)]
        if request.method == "GET" and "/blobs/" in request.path:
            faults += [("corrupt", CORRUPT)]
        name, fault = self._choose.choice(faults)
        self.counts[name] += 1
        return fault

    def holds(self, request: Request) -> bool:
        """Holds one of a hundred requests for two seconds."""
        until = self._stalled.get(id(request))
        if until is None:
            stalls = self._choose.random() < STALLS
            self.counts["stalled"] += stalls
            until = time.monotonic() + (STALL_SECONDS if stalls else 0.0)
            self._stalled[id(request)] = until
        if time.monotonic() < until:
            return True
        del self._stalled[id(request)]
        return False


@pytest.fixture(scope="module")
def queue() -> Iterator[Queue]:
    """A farm whose mapping is off: nobody works but those that a test starts."""
    parameters = {"LeaseSeconds": str(LEASE_SECONDS), "MaximumTries": str(TRIES)}
    with local_farm(Path(sys.executable), BINARIES, parameters=parameters) as farm:
        yield Queue.without_mapping(farm)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_hundred_frames_survive_kills_faults_stalls_and_duplicates(
    queue: Queue, scenes: Path, tmp_path: Path, seed: int
) -> None:
    choose, chaos = random.Random(seed), Chaos(seed)
    began = time.monotonic()
    with fault_proxy(queue.farm.endpoint, queue.farm.authority) as proxy:
        proxy.rule, proxy.holds = chaos.fault, chaos.holds
        job = queue.submit(scenes / "sound.blend", f"1-{FRAMES}")
        for frame in choose.sample(range(1, FRAMES + 1), DUPLICATES):
            queue.send(json.dumps({"version": 1, "job": job, "frame": frame}))
        to = tmp_path / "frames"
        watch = subprocess.Popen(
            [COMMAND, "watch", job, "--to", to, "--stack", queue.farm.stack,
             "--endpoint", proxy.endpoint],
            env=os.environ | queue.farm.environment(),
            stdout=subprocess.DEVNULL, stderr=(tmp_path / "watch.log").open("wb"),
        )  # fmt: skip
        environment = {"AWS_ENDPOINT_URL": proxy.endpoint, "MAX_TRIES": str(TRIES)}
        folders = [tmp_path / str(number) for number in range(WORKERS)]
        for folder in folders:
            folder.mkdir()

        def start(number: int) -> subprocess.Popen[bytes]:
            return queue.start(folders[number] / "worker.log", **environment)

        workers = [start(number) for number in range(WORKERS)]
        killed: Counter[str] = Counter()
        try:
            while watch.poll() is None:
                assert time.monotonic() - began < LIMIT_SECONDS, states(queue, job)
                time.sleep(choose.uniform(0.1, 1.0))
                worker = workers[choose.randrange(WORKERS)]
                # At the end idle workers wait for messages, which the emulator would hand to the
                # dead.
                done = len(queue.keys(f"jobs/{job}/frames/"))
                if killed.total() < KILLS and done < FRAMES - 2 * WORKERS:
                    victim = choose.choice(["parent", "child", "both"])
                    killed[victim] += 1
                    child = blender_of(worker.pid) if victim != "parent" else None
                    if child:
                        kill(child)
                    if victim != "child":
                        kill(worker.pid)
                for number, worker in enumerate(workers):
                    if worker.poll() is not None:
                        workers[number] = start(number)
        finally:
            for worker in workers:
                kill_session(worker)
            watch.kill()
    records = queue.records(job)
    assert watch.returncode == 0, (tmp_path / "watch.log").read_text()[-2000:]
    assert Counter(record["state"] for record in records.values()) == {"done": FRAMES}
    files = sorted(to.iterdir())
    assert [file.name for file in files] == [f"{frame:04}.png" for frame in range(1, FRAMES + 1)]
    for file in files:
        with Image.open(file) as image:
            image.load()
            assert image.size == (16, 16)
    assert killed.total() > KILLS // 2
    retried = sum(record["tries"] > 1 for record in records.values())
    print(
        f"\nseed {seed}: {time.monotonic() - began:.0f} s, killed {dict(killed)},"
        f" faults {dict(chaos.counts)}, {retried} frames tried again"
    )


def states(queue: Queue, job: str) -> str:
    return str(Counter(record["state"] for record in queue.records(job).values()))


def kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
