"""Uploads beside AWS Deadline Cloud's job attachments, against one local S3 server, as one table.

Whole processes, in turns, median of RUNS. Run it with `make bench`.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy
from s3_server import CREDENTIALS, s3_server
from tracing import FOLDER, PEERS, ROOT, prepare

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
EXAMPLES = ROOT / "target" / "release" / "examples"
SMALL_FILES = 10_000
LARGE_FILES, LARGE_FILE_BYTES = 2_000, 2 << 20


@dataclass
class Run:
    """What one process took."""

    seconds: float
    processor_seconds: float
    peak_mib: float


def main() -> None:
    """Makes the files, measures, prints."""
    prepare()
    small, large = FOLDER / "small", FOLDER / "large"
    make_small(small)
    make_large(large)
    print("| upload | Deadline | ours | faster | Deadline's CPU | ours | less |")
    print("|---|---|---|---|---|---|---|")
    with server() as (endpoint, work):
        small_rows(endpoint, work, small)
    large_row(large)
    with server() as (endpoint, work):
        memory_rows(endpoint, work, large)


@contextmanager
def server() -> Iterator[tuple[str, Path]]:
    """A server of its own, whose data is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=FOLDER) as work,
        s3_server(PEERS / "bin" / "weed", Path(work) / "s3") as endpoint,
    ):
        yield endpoint, Path(work)


def small_rows(endpoint: str, work: Path, small: Path) -> None:
    cases: dict[str, list[tuple[Run, Run]]] = {}
    for number in range(RUNS):
        state = work / f"state{number}"
        state.mkdir()
        bucket = make_bucket(endpoint, f"small{number}")
        for case in ("first", "again", "one file changed"):
            if case == "one file changed":
                (small / "0" / "0.bin").write_bytes(os.urandom(9000 + number))
            pair = (
                measure(deadline(endpoint, bucket, state, small)),
                measure(ours(endpoint, bucket, state, small)),
            )
            cases.setdefault(case, []).append(pair)
    for case, pairs in cases.items():
        print_row(f"10,000 files of 4 to 40 KB, {case}", pairs)


def large_row(large: Path) -> None:
    pairs: list[tuple[Run, Run]] = []
    rates: list[float] = []
    for _ in range(RUNS):
        with server() as (endpoint, work):
            put = [EXAMPLES / "plain_put", endpoint, make_bucket(endpoint, "plain"), large]
            plain = measure(put)
            bucket = make_bucket(endpoint, "packs")
            theirs = measure(deadline(endpoint, bucket, work, large))
            mine = measure(ours(endpoint, bucket, work, large))
            pairs.append((theirs, mine))
            rates.append(plain.seconds / mine.seconds)
    print_row("2,000 files, 4 GB, first", pairs)
    print(f"\nRate beside plain parallel puts of the same files: {statistics.median(rates):.0%}")


def print_row(case: str, pairs: list[tuple[Run, Run]]) -> None:
    theirs, mine = median([one for one, _ in pairs]), median([two for _, two in pairs])
    print(
        f"| {case} | {theirs.seconds:.2f} s | {mine.seconds:.2f} s"
        f" | {theirs.seconds / mine.seconds:.1f} × | {theirs.processor_seconds:.2f} s"
        f" | {mine.processor_seconds:.2f} s"
        f" | {theirs.processor_seconds / mine.processor_seconds:.1f} × |",
        flush=True,
    )


def memory_rows(endpoint: str, work: Path, large: Path) -> None:
    print("\n| bytes | our peak memory |\n|---|---|")
    files = sorted(large.iterdir())
    for gigabytes in (0.25, 1, 4):
        part = work / f"part{gigabytes}"
        part.mkdir()
        for file in files[: int(len(files) * gigabytes / 4)]:
            (part / file.name).hardlink_to(file)
        bucket = make_bucket(endpoint, f"memory{gigabytes}".replace(".", "-"))
        run = measure(ours(endpoint, bucket, work / f"memory-state{gigabytes}", part))
        print(f"| {gigabytes} GB | {run.peak_mib:.0f} MiB |", flush=True)


def ours(endpoint: str, bucket: str, state: Path, folder: Path) -> list[str | Path]:
    return [EXAMPLES / "upload_folder", endpoint, bucket, state / "ours", folder]


def deadline(endpoint: str, bucket: str, state: Path, folder: Path) -> list[str | Path]:
    script = ROOT / "bench" / "deadline_upload.py"
    return [PEERS / "bin" / "python", script, endpoint, bucket, state, folder]


def measure(command: list[str | Path], printed: Path = Path(os.devnull)) -> Run:
    """One run of a process: wall time, processor time, peak memory."""
    environment = os.environ | CREDENTIALS | {"AWS_EC2_METADATA_DISABLED": "true"}
    with printed.open("w") as stdout:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=stdout, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(runs: list[Run]) -> Run:
    return Run(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.processor_seconds for run in runs),
        statistics.median(run.peak_mib for run in runs),
    )


def make_bucket(endpoint: str, name: str) -> str:
    script = (
        "import boto3, sys; "
        "boto3.client('s3', endpoint_url=sys.argv[1], region_name='us-east-1')"
        ".create_bucket(Bucket=sys.argv[2])"
    )
    command = [PEERS / "bin" / "python", "-c", script, endpoint, name]
    subprocess.run(command, check=True, env=os.environ | CREDENTIALS)
    return name


def make_small(folder: Path) -> None:
    """Ten thousand files of 4 to 40 KB in a hundred folders."""
    if folder.exists():
        return
    random = numpy.random.default_rng(3)
    partial = Path(tempfile.mkdtemp(dir=folder.parent))
    for number in range(SMALL_FILES):
        path = partial / str(number % 100) / f"{number}.bin"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(random.bytes(int(random.integers(4_000, 40_000))))
    (partial / "scene.blend").write_bytes(random.bytes(300_000))
    partial.rename(folder)


def make_large(folder: Path) -> None:
    """Four GB in two thousand files."""
    make_files(folder, LARGE_FILES, LARGE_FILE_BYTES, ".exr")


def make_files(folder: Path, count: int, file_bytes: int, ending: str) -> None:
    """Files of one size that nothing makes smaller, and a scene."""
    if folder.exists():
        return
    if shutil.disk_usage(folder.parent).free < 25 << 30:
        raise SystemExit("transfers of 4 GB need 25 GB of free disk")
    random = numpy.random.default_rng(count)
    partial = Path(tempfile.mkdtemp(dir=folder.parent))
    for number in range(count):
        with (partial / f"{number}{ending}").open("wb") as file:
            for _ in range(file_bytes >> 20):
                file.write(random.bytes(1 << 20))
    (partial / "scene.blend").write_bytes(random.bytes(300_000))
    partial.rename(folder)


if __name__ == "__main__":
    main()
