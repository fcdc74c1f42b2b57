"""What a farm of up to 1,000 workers would make of one frame: a model (native/plan) with the real
planner, the real merge, and what is measured here; held against real workers, two and four.

    python bench/simulation.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy
import OpenEXR
import render_on_lambda as native

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "consumer")]

from local_farm import local_farm  # noqa: E402
from slicing import FUNCTIONS, SCENE, frame, slice_times  # noqa: E402
from workers import Queue  # noqa: E402

SIMULATE = ROOT / "target" / "release" / "examples" / "simulate"
# On one thread: a frame of half a minute.
SLICES, SAMPLES = 8, 48
CORES = 2
# Not measured here: a cold start in Lambda, that is its container, whose image loads lazily,
# Blender's own (some 3 s here), and the pack.
LAMBDA_START_SECONDS, SUBMISSION_SECONDS = 8.0, 2.0
# Assumed: an hour of 6 processors, five seconds of it to load and build the scene; two thirds of
# the tiles within a factor of 1.5 of each other.
HOUR_SECONDS, HOUR_FIXED_SECONDS, UNEVENNESS = 3600.0, 5.0, 0.4
HOUR_SIZE, HOUR_CHANNELS = (1920, 1080), 24
# Denoising and finishing a frame of 1920 × 1080 (bench/slicing.py: 3.3 s at 960 × 540).
FINISH_SECONDS = 6.0


def main() -> None:
    """Measure, predict, compare."""
    merging = merge_seconds(64)
    print(f"the real merge of 64 tiles of {HOUR_SIZE}, {HOUR_CHANNELS} channels: {merging:.1f} s")
    print("\nreal workers beside the model:")
    compare()
    print("\nan hour of 6 processors, by the model; workers of the queue's mapping:")
    ask(HOUR_FIXED_SECONDS, HOUR_SECONDS - HOUR_FIXED_SECONDS, merging + FINISH_SECONDS, 0,
        ["1", "8", "64", "256", "1000"])  # fmt: skip
    print("\nthe same, all but five workers called at once, three of them at a tenth of the speed:")
    ask(HOUR_FIXED_SECONDS, HOUR_SECONDS - HOUR_FIXED_SECONDS, merging + FINISH_SECONDS, 3,
        ["8:0:3", "64:0:59", "256:0:251", "1000:0:995", "1000:1000:995"])  # fmt: skip


def compare() -> None:
    """Two and four workers of one thread each, and what the model says of them."""
    with (
        tempfile.TemporaryDirectory() as name,
        local_farm(Path(sys.executable), FUNCTIONS) as farm,
    ):
        folder = Path(name)
        scene = folder / "shot.blend"
        one_thread = SCENE.replace(
            "bpy.ops.wm.save_as",
            "scene.render.threads_mode, scene.render.threads = 'FIXED', 1\nbpy.ops.wm.save_as",
        )
        make = [sys.executable, "-W", "ignore", "-c", one_thread, str(scene), str(SAMPLES)]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        queue = Queue.without_mapping(farm)
        with queue.worker(folder):
            # The first one warms the worker.
            whole = [frame(queue, queue.submit(scene, "1")) for _ in range(2)][-1]
            job = queue.submit(scene, "1", "--slices", str(SLICES))
            total = frame(queue, job)["total_seconds"]
            took = [slice_times(queue, job, one)["total_seconds"] for one in range(SLICES)]
        fixed = max(0.0, (sum(took) - whole["total_seconds"]) / (SLICES - 1))
        shared, end = whole["total_seconds"] - fixed, max(0.0, total - sum(took) - fixed)
        deviation = float(numpy.std(numpy.log(numpy.maximum(numpy.array(took) - fixed, 0.01))))
        print(f"measured: fixed {fixed:.2f} s, shared {shared:.1f} s, end {end:.1f} s")
        for workers in (2, 4):
            slower = workers / CORES
            with ExitStack() as started:
                for number in range(workers):
                    own = folder / f"{workers}-{number}"
                    own.mkdir()
                    started.enter_context(queue.worker(own))
                # Warm: each has rendered the scene once.
                warm = queue.submit(scene, f"1-{workers * 2}", "--slices", "1")
                queue.wait_for(warm, workers * 2, limit_seconds=900)
                began = time.monotonic()
                job = queue.submit(scene, "1", "--slices", str(SLICES))
                queue.wait_for(job, 1, limit_seconds=900)
                real = time.monotonic() - began
            print(f"{workers} workers on {CORES} processors took {real:.1f} s; the model:")
            ask(
                fixed * slower,
                shared * slower,
                end,
                0,
                [f"{workers}:{SLICES}"],
                0.0,
                1.0,
                deviation,
            )


def ask(
    fixed: float,
    shared: float,
    end: float,
    slow: int,
    rows: list[str],
    start: float = LAMBDA_START_SECONDS,
    submission: float = SUBMISSION_SECONDS,
    unevenness: float = UNEVENNESS,
) -> None:
    """What the model says."""
    numbers = (fixed, shared, end, start, submission, unevenness, slow)
    said = subprocess.run(
        [SIMULATE, *map(str, numbers), *rows], capture_output=True, text=True, check=True
    )
    print(said.stdout, end="")


def merge_seconds(count: int) -> float:
    """How long the real merge of a frame's tiles takes."""
    random = numpy.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name:
        tiles = []
        for number, place in enumerate(native.plan_tiles(HOUR_SIZE, count)):
            _, _, _, (width, height) = place
            noise = random.random((height, width), dtype=numpy.float32)
            channels = {f"ViewLayer.Pass{at:02}.V": noise for at in range(HOUR_CHANNELS)}
            header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
            path = Path(name) / f"{number}.exr"
            OpenEXR.File(header, channels).write(str(path))
            tiles.append((path, *place))
        began = time.monotonic()
        native.merge_tiles(tiles, HOUR_SIZE, Path(name) / "frame.exr")
        return time.monotonic() - began


if __name__ == "__main__":
    main()
