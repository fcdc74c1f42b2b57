"""A worker that has done a thousand tasks holds no more than one that has done a hundred."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from local_farm import local_farm
from workers import BINARIES, Queue, children, wait_until

FRAMES = 1000
EARLY = 100


@dataclass(frozen=True)
class Held:
    """What a worker holds."""

    memory_mib: float
    descriptors: int
    files: int
    processes: int

    @classmethod
    def by(cls, worker: int, folder: Path) -> Held:
        status = Path(f"/proc/{worker}/status").read_text().split()
        return cls(
            int(status[status.index("VmRSS:") + 1]) / 1024,
            len(list(Path(f"/proc/{worker}/fd").iterdir())),
            len([path for path in folder.rglob("*") if path.is_file()]),
            sum(1 + len(children(keeper)) for keeper in children(worker)),
        )


@pytest.fixture(scope="module")
def queue() -> Iterator[Queue]:
    """A farm whose mapping is off: nobody works but those that a test starts."""
    with local_farm(Path(sys.executable), BINARIES) as farm:
        yield Queue.without_mapping(farm)


def test_a_thousand_tasks_leave_memory_descriptors_files_and_processes_as_they_were(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    """Half of them start processes of their own, which the keeper ends."""
    jobs = [
        queue.submit(scenes / "sound.blend", f"1-{FRAMES // 2}"),
        queue.submit(scenes / "parting.blend", f"1-{FRAMES // 2}", "--allow-scripts"),
    ]

    def done() -> int:
        return sum(len(queue.keys(f"jobs/{job}/frames/")) for job in jobs)

    with queue.worker(tmp_path) as worker:
        wait_until(lambda: done() >= EARLY, 300, lambda: "no hundred frames")
        early = Held.by(worker.pid, tmp_path)
        wait_until(lambda: done() == FRAMES, 900, lambda: f"{done()} frames are done")
        late = Held.by(worker.pid, tmp_path)
    print(f"\nafter {EARLY}: {early}\nafter {FRAMES}: {late}")
    assert late.memory_mib < early.memory_mib + 16
    assert late.descriptors <= early.descriptors + 4
    assert late.files <= early.files + 8
    assert late.processes <= 2
    states = {record["state"] for job in jobs for record in queue.records(job).values()}
    assert states == {"done"}
