"""A queue whose workers a test starts, stops and kills itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from local_farm import LocalFarm

PROJECT = Path(__file__).resolve().parents[2]
BINARIES = PROJECT / "build" / "functions"
COMMAND = Path(sys.executable).with_name("render-on-lambda")
# A Python with the older Blender, beside the newest one's.
OLDER = PROJECT / ".tools" / "blender-4.5" / "bin" / "python"
LEASE_SECONDS = 6
MAXIMUM_TRIES = 5


@dataclass
class Queue:
    """A farm without workers of its own."""

    farm: LocalFarm
    bucket: str
    queue: str
    dead_letters: str

    @classmethod
    def without_mapping(cls, farm: LocalFarm) -> Queue:
        """That of a farm whose mapping is held back: nobody works but those that a test starts."""
        farm.set_mapping(enabled=False)
        outputs = farm.outputs()
        return cls(farm, outputs["BucketName"], outputs["QueueUrl"], outputs["DeadLetterQueueUrl"])

    def submit(self, scene: Path, frames: str, *arguments: str) -> str:
        """Send a scene; the job's id."""
        words = self.command("submit", "--json", scene, "--frames", frames, *arguments)
        return json.loads(words.splitlines()[-1])["job"]

    def cancel(self, job: str) -> None:
        """Cancel a job."""
        self.command("cancel", job)

    def fetch(self, job: str, to: Path) -> None:
        """Bring the results of a job."""
        self.command("fetch", job, "--to", to)

    def command(self, *arguments: str | Path) -> str:
        """What the command prints."""
        done = self._run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *arguments: str | Path) -> str:
        """What the command says that does not do it."""
        done = self._run(*arguments)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def _run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        where = ["--stack", self.farm.stack, "--endpoint", self.farm.endpoint]
        return subprocess.run(
            [COMMAND, *arguments, *where],
            env=os.environ | self.farm.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def read(self, key: str) -> bytes:
        return self.farm.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def log(self, job: str, record: dict[str, Any]) -> bytes:
        """Blender's whole log of the try that a record tells of."""
        return self.read(f"jobs/{job}/logs/{record['frame']}.{record['tries']}.log")

    def keys(self, prefix: str) -> list[str]:
        pages = self.farm.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=prefix)
        return sorted(item["Key"] for page in found for item in page.get("Contents", []))

    def records(self, job: str) -> dict[int, dict[str, Any]]:
        """The record of each task that has one, by its frame."""
        records = [json.loads(self.read(key)) for key in self.keys(f"jobs/{job}/tasks/")]
        return {record["frame"]: record for record in records}

    def wait_for(
        self, job: str, frames: int, limit_seconds: float = 60, states: str = "done failed"
    ) -> dict[int, dict[str, Any]]:
        """The records when that many tasks have come to their end."""

        def final() -> dict[int, dict[str, Any]] | None:
            if len(self.keys(f"jobs/{job}/tasks/")) < frames:
                return None
            records = self.records(job)
            over = [record for record in records.values() if record["state"] in states.split()]
            return records if len(over) == frames else None

        return wait_until(final, limit_seconds, lambda: f"not all over: {self.records(job)}")

    def split(self, job: str, slices: int, *, is_enqueued: bool = False) -> None:
        """Write what a worker has written that split frame 1 at its first try, and died."""
        record: dict[str, Any] = {
            "version": 3, "frame": 1, "tries": 1, "max_tries": MAXIMUM_TRIES + 1,
            "state": "queued", "worker": "dead", "started_ms": 1, "updated_ms": 1,
            "split": {"split": {"slices": slices, "after_tries": 1}, "is_enqueued": is_enqueued},
        }  # fmt: skip
        self.put(f"jobs/{job}/tasks/1.json", json.dumps(record).encode())

    def put(self, key: str, body: bytes) -> None:
        """Put an object."""
        self.farm.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def send(self, body: str) -> None:
        self.farm.client("sqs").send_message(QueueUrl=self.queue, MessageBody=body)

    def receive_and_forget(self) -> int:
        """How often the message that was received now has been; 0 where there is none."""
        answer = self.farm.client("sqs").receive_message(
            QueueUrl=self.queue, VisibilityTimeout=0, AttributeNames=["ApproximateReceiveCount"]
        )
        counts = [message["Attributes"] for message in answer.get("Messages", [])]
        return max((int(one["ApproximateReceiveCount"]) for one in counts), default=0)

    def waiting(self, queue: str) -> int:
        """How many messages a queue holds, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs = self.farm.client("sqs")
        found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def start(
        self, log: Path, wrapper: Sequence[str] = (), **environment: str
    ) -> subprocess.Popen[bytes]:
        """A worker in a session of its own, with its Blender."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [*wrapper, str(BINARIES / "render-on-lambda-consumer"), "--poll"],
                env=os.environ
                | self.farm.worker_environment()
                | {
                    "BLENDER": sys.executable,
                    "LEASE_SECONDS": str(LEASE_SECONDS),
                    "MAX_TRIES": str(MAXIMUM_TRIES),
                    "TMPDIR": str(log.parent),
                }
                | environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @contextmanager
    def worker(self, folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker that is ended in order."""
        log = folder / "worker.log"
        process = self.start(log, **environment)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            finally:
                kill_session(process)
        assert process.returncode == 0, log.read_text()[-3000:]


def wait_until(
    condition: Callable[[], Any], limit_seconds: float, problem: Callable[[], str]
) -> Any:
    limit = time.monotonic() + limit_seconds
    while time.monotonic() < limit:
        if found := condition():
            return found
        time.sleep(0.1)
    pytest.fail(f"after {limit_seconds} s: {problem()}")


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """End a worker and its Blender, whatever state they are in."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def blender_of(worker: int) -> int | None:
    """The process of a worker's Blender: the one below its keeper."""
    for keeper in children(worker):
        for blender in children(keeper):
            return blender
    return None


@contextmanager
def slowed(process: subprocess.Popen[bytes], part: float) -> Iterator[None]:
    """Let the Blender of a worker run for a part of the time only."""
    over = threading.Event()

    def signal_blender(number: signal.Signals) -> None:
        if blender := blender_of(process.pid):
            with suppress(ProcessLookupError):
                os.kill(blender, number)

    def alternate() -> None:
        while not over.is_set():
            signal_blender(signal.SIGSTOP)
            over.wait(0.2 * (1 - part))
            signal_blender(signal.SIGCONT)
            over.wait(0.2 * part)

    thread = threading.Thread(target=alternate)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        signal_blender(signal.SIGCONT)


def children(process: int) -> list[int]:
    """The processes that a process has started or adopted, and that have not ended."""
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        found = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        return [child for child in found if state(child) != "Z"]
    except OSError:
        return []


def state(process: int) -> str:
    """The letter of a process's state (proc(5)); Z where it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"
