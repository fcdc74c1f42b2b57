"""Tracing beside BAT: wall time and peak memory, side by side, as one table.

Both are whole processes, interpreter included. Run it with `make bench`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "bench"
PEERS = FOLDER / "peers"
PROJECTS = FOLDER / "projects"
RUNS = 5

CASES = {
    "shot.blend": "200 libraries, five deep, zstd",
    "raw.blend": "540 MB, 30,000 objects, plain",
    "zstd.blend": "the same, zstd",
    "large.blend": "500 MB in nine meshes, plain",
    "objects.blend": "20,000 objects, plain",
}


def main() -> None:
    """Installs the peer, makes the projects, measures, prints."""
    prepare()
    print("| scene | BAT 1.23 | ours | faster | BAT | ours | memory |")
    print("|---|---|---|---|---|---|---|")
    for name, description in CASES.items():
        scene = str(PROJECTS / name)
        bat = [str(PEERS / "bin" / "bat"), "-q", "list", scene]
        ours = [
            sys.executable,
            "-c",
            "import sys, render_on_lambda; render_on_lambda.trace(sys.argv[1])",
            scene,
        ]
        # In turns, so that what else the machine does falls on both alike.
        turns = [(measure(bat), measure(ours)) for _ in range(RUNS)]
        bat_seconds, bat_mib = medians([one for one, _ in turns])
        our_seconds, our_mib = medians([other for _, other in turns])
        print(
            f"| {description} | {bat_seconds:.2f} s | {our_seconds:.3f} s"
            f" | {bat_seconds / our_seconds:.0f} × | {bat_mib:.0f} MiB | {our_mib:.0f} MiB"
            f" | 1/{bat_mib / our_mib:.1f} |"
        )


def prepare() -> None:
    if not (PEERS / "bin" / "weed").exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
        requirements = ROOT / "bench" / "requirements.txt"
        install = [PEERS / "bin" / "pip", "install", "--quiet", "-r", requirements]
        subprocess.run(install, check=True)
    if not (PROJECTS / "textured.blend").exists():
        print("Making the projects (about a minute) …", file=sys.stderr)
        script = [sys.executable, ROOT / "bench" / "projects.py", PROJECTS]
        subprocess.run(script, check=True, stdout=subprocess.DEVNULL)


def measure(command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory in MiB of one run."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return seconds, usage.ru_maxrss / 1024


def medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)


if __name__ == "__main__":
    main()
