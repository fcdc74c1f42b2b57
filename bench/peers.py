"""Uploads and downloads beside openjd-snapshots, s5cmd and rclone, each with a server of its own.

Whole processes, the tools in turns, medians of RUNS. Run it with `make bench`. s5cmd and rclone
compare sizes and times and hash nothing that they need not; openjd-snapshots and we name each
file's bytes by their digest, and check it when they come back.
"""

from __future__ import annotations

import filecmp
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tracing import FOLDER, PEERS, ROOT, prepare
from transfer import EXAMPLES, Run, make_bucket, make_files, make_small, measure, server

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
HUGE_FILES, HUGE_FILE_BYTES = 8, 512 << 20
OPENJD = PEERS / "openjd" / "release" / "openjd-attachments"
PRINTED = "printed.json"
STEPS = ("upload", "upload again, nothing changed", "download")

Command = list[str | Path]
# From an endpoint, a bucket, a folder for its state, the files and where they come back to: one
# command a step, each asked for when the one before has ended.
Tool = Callable[[str, str, Path, Path, Path], Iterator[Command]]


def main() -> None:
    """Makes the files, measures, prints."""
    prepare()
    build_openjd()
    small, huge = FOLDER / "small", FOLDER / "huge"
    make_small(small)
    make_files(huge, HUGE_FILES, HUGE_FILE_BYTES, ".vdb")
    print("\n| files | step | " + " | ".join(f"{name} (CPU)" for name in TOOLS) + " |")
    print("|---" * (len(TOOLS) + 2) + "|")
    rows("10,000 files of 4 to 40 KB", small)
    rows("8 files of 512 MiB", huge)


def rows(description: str, files: Path) -> None:
    taken: dict[tuple[str, str], list[Run]] = {}
    names = list(TOOLS)
    for number in range(RUNS):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            with server() as (endpoint, work):
                bucket = make_bucket(endpoint, "peers")
                state, fetched = work / "state", work / "fetched"
                state.mkdir()
                commands = TOOLS[name](endpoint, bucket, state, files, fetched)
                for step, command in zip(STEPS, commands, strict=True):
                    taken.setdefault((step, name), []).append(measure(command, state / PRINTED))
                expect_the_same(files, fetched)
    for step in STEPS:
        cells = [cell(taken[step, name]) for name in names]
        print(f"| {description} | {step} | " + " | ".join(cells) + " |", flush=True)


def cell(runs: list[Run]) -> str:
    seconds = statistics.median(run.seconds for run in runs)
    processor_seconds = statistics.median(run.processor_seconds for run in runs)
    return f"{seconds:.2f} s ({processor_seconds:.2f} s)"


def expect_the_same(files: Path, fetched: Path) -> None:
    """A download that brings less would be quick."""
    for folder, _, names in os.walk(files):
        copy = fetched / Path(folder).relative_to(files)
        _, differing, missing = filecmp.cmpfiles(folder, copy, names, shallow=False)
        if differing or missing:
            raise SystemExit(f"{copy} is not what was uploaded: {(differing + missing)[:3]}")


def ours(endpoint: str, bucket: str, state: Path, files: Path, fetched: Path) -> Iterator[Command]:
    upload: Command = [EXAMPLES / "upload_folder", endpoint, bucket, state / "cache", files]
    yield upload
    yield upload
    pack = json.loads((state / PRINTED).read_text())["pack"]
    yield [EXAMPLES / "fetch_pack", endpoint, bucket, pack, fetched]


def openjd(
    endpoint: str, bucket: str, state: Path, files: Path, fetched: Path
) -> Iterator[Command]:
    upload: Command = [OPENJD, "upload", endpoint, bucket, state, files]
    yield upload
    yield upload
    yield [OPENJD, "download", endpoint, bucket, state, fetched]


def s5cmd(endpoint: str, bucket: str, _: Path, files: Path, fetched: Path) -> Iterator[Command]:
    s5cmd = [PEERS / "bin" / "s5cmd", "--endpoint-url", endpoint, "--log", "error"]
    upload: Command = [*s5cmd, "sync", f"{files}/", f"s3://{bucket}/files/"]
    yield upload
    yield upload
    yield [*s5cmd, "cp", f"s3://{bucket}/files/*", f"{fetched}/"]


def rclone(endpoint: str, bucket: str, _: Path, files: Path, fetched: Path) -> Iterator[Command]:
    s3 = f":s3,provider=SeaweedFS,env_auth,endpoint='{endpoint}':{bucket}/files"
    rclone = [PEERS / "bin" / "rclone", "--config", "", "--transfers", "16", "--checkers", "16"]
    upload: Command = [*rclone, "sync", files, s3]
    yield upload
    yield upload
    yield [*rclone, "copy", s3, fetched]


TOOLS: dict[str, Tool] = {
    "ours": ours,
    "openjd-snapshots 0.3.2": openjd,
    "s5cmd 2.3": s5cmd,
    "rclone 1.75": rclone,
}


def build_openjd() -> None:
    if OPENJD.exists():
        return
    print("Compiling openjd-snapshots (some minutes) …", file=sys.stderr)
    # It asks for a newer Rust than it needs.
    build = ["cargo", "build", "--release", "--locked", "--quiet", "--ignore-rust-version"]
    build += ["--target-dir", str(PEERS / "openjd")]
    subprocess.run(build, cwd=ROOT / "bench" / "openjd", check=True)


if __name__ == "__main__":
    main()
