"""Fetching a pack as the consumer does, beside plain gets of the same objects.

Server and client share this machine's processors, so what limits is what both take together. Whole
processes, in turns, medians of RUNS. Run it with `make bench`.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from tracing import FOLDER, ROOT, prepare
from transfer import CREDENTIALS, EXAMPLES, Run, make_bucket, make_large, measure, ours, server

sys.path.insert(0, str(ROOT / "tools"))

from fault_proxy import fault_proxy

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
VOLUME_BYTES = 512 << 20
FAR_SECONDS = 0.1


def main() -> None:
    """Makes the files, measures, prints."""
    prepare()
    large = FOLDER / "large"
    make_large(large)
    with server() as (endpoint, work):
        files = work / "files"
        files.mkdir()
        for file in sorted(large.iterdir())[:500]:
            (files / file.name).hardlink_to(file)
        if not (files / "scene.blend").exists():
            (files / "scene.blend").hardlink_to(large / "scene.blend")
        make_volume(files / "volume.vdb")
        beside_plain_gets(endpoint, work, files)
    with server() as (endpoint, work):
        files = work / "files"
        files.mkdir()
        (files / "scene.blend").hardlink_to(large / "scene.blend")
        make_volume(files / "volume.vdb")
        from_afar(endpoint, work, files)


def beside_plain_gets(endpoint: str, work: Path, files: Path) -> None:
    bucket, pack = uploaded(endpoint, work, files)
    megabytes = sum(file.stat().st_size for file in files.iterdir()) / 1e6
    get: list[str | Path] = [EXAMPLES / "plain_get", endpoint, bucket, "blobs/"]
    commands = {
        "plain gets that drop the bytes": get,
        "plain gets to the same disk": [*get, work / "fetched"],
        "ours: to disk, each file checked": fetch(endpoint, bucket, pack, work),
    }
    runs: dict[str, list[tuple[float, Run]]] = {}
    for _ in range(RUNS):
        for name, command in commands.items():
            runs.setdefault(name, []).append(timed(command, work))
    print(f"\n| {megabytes:.0f} MB in 501 files | seconds | CPU | MB/s | ours beside it |")
    print("|---|---|---|---|---|")
    seconds = {name: statistics.median(one for one, _ in of) for name, of in runs.items()}
    for name, of in runs.items():
        processor_seconds = statistics.median(run.processor_seconds for _, run in of)
        beside = seconds[list(commands)[-1]]
        print(
            f"| {name} | {seconds[name]:.2f} s | {processor_seconds:.2f} s"
            f" | {megabytes / seconds[name]:.0f} | {seconds[name] / beside:.0%} |",
            flush=True,
        )


def from_afar(endpoint: str, work: Path, files: Path) -> None:
    bucket, pack = uploaded(endpoint, work, files)
    with fault_proxy(endpoint) as proxy:
        command = fetch(proxy.endpoint, bucket, pack, work)
        taken = {}
        for proxy.delay_seconds in (0, FAR_SECONDS):
            runs = [timed(command, work)[0] for _ in range(RUNS)]
            taken[proxy.delay_seconds] = statistics.median(runs)
    print("\n| a file of 512 MiB through a proxy | seconds |\n|---|---|")
    for delay_seconds, seconds in taken.items():
        print(f"| {delay_seconds * 1000:.0f} ms before each answer | {seconds:.2f} s |", flush=True)


def fetch(endpoint: str, bucket: str, pack: str, work: Path) -> list[str | Path]:
    return [EXAMPLES / "fetch_pack", endpoint, bucket, pack, work / "fetched"]


def timed(command: list[str | Path], work: Path) -> tuple[float, Run]:
    """The seconds that the process itself has printed, and what it took as a whole."""
    run = measure(command, work / "printed.json")
    shutil.rmtree(work / "fetched", ignore_errors=True)
    return json.loads((work / "printed.json").read_text())["seconds"], run


def uploaded(endpoint: str, work: Path, files: Path) -> tuple[str, str]:
    bucket = make_bucket(endpoint, "fetching")
    upload = ours(endpoint, bucket, work, files)
    environment = os.environ | CREDENTIALS
    done = subprocess.run(upload, env=environment, check=True, capture_output=True, text=True)
    return bucket, json.loads(done.stdout)["pack"]


def make_volume(path: Path) -> None:
    with path.open("wb") as volume:
        for _ in range(VOLUME_BYTES >> 20):
            volume.write(os.urandom(1 << 20))


if __name__ == "__main__":
    main()
