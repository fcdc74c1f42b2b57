"""The consumer beside a new Blender for each frame: overhead and memory."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tracing import FOLDER, PROJECTS, ROOT, prepare

sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "consumer")]

from local_farm import local_farm  # noqa: E402
from workers import BINARIES, Queue  # noqa: E402

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
FRAMES = 20
STAGES = ("fetch", "start", "load", "render", "upload")
NEW_PROCESS = """
import sys, bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[-3])
bpy.context.scene.render.filepath = sys.argv[-1] + "/"
frame = int(sys.argv[-2])
bpy.ops.render.render(animation=True, frame_start=frame, frame_end=frame)
"""


def main() -> None:
    """Renders and prints."""
    prepare()
    scene = PROJECTS / "heavy.blend"
    size = scene.stat().st_size
    work = FOLDER / "rendering"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    fresh = []
    for frame in range(1, RUNS + 1):
        started = time.perf_counter()
        command = [sys.executable, "-c", NEW_PROCESS, scene, str(frame), work / "fresh"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        fresh.append(time.perf_counter() - started)
    with local_farm(Path(sys.executable), BINARIES) as farm:
        functions = farm.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        outputs = farm.outputs()
        queue = Queue(
            farm, outputs["BucketName"], outputs["QueueUrl"], outputs["DeadLetterQueueUrl"]
        )
        job = queue.submit(scene, f"1-{FRAMES}")
        with queue.worker(work, LEASE_SECONDS="60") as worker:
            records = queue.wait_for(job, FRAMES, 600)
            status = Path(f"/proc/{worker.pid}/status").read_text()
        job = queue.submit(PROJECTS / "textured.blend", "1")
        with queue.worker(work, LEASE_SECONDS="60"):
            (textured,) = queue.wait_for(job, 1, 600).values()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    cold, *warm = sorted(
        (record["times"] for record in records.values()),
        key=lambda times: -times["total_seconds"],
    )
    one = statistics.median(times["total_seconds"] for times in warm)
    overhead = statistics.median(times["total_seconds"] - times["render_seconds"] for times in warm)
    new = statistics.median(fresh)
    print(f"\n| a static scene of {size / 1e6:.0f} MB | |\n|---|---|")
    print(f"| a new Blender for each frame | {new:.2f} s |")
    print(f"| frames 2 to {FRAMES} of the warm one | {one:.3f} s ({new / one:.0f} ×) |")
    print(f"| of that, over Blender's own render time | {overhead:.3f} s |")
    print(f"| the consumer's own peak memory | {int(peak.split()[1]) / 1024:.0f} MiB |")
    print(f"| its cold frame | {stages(cold)} |")
    textures = sum(file.stat().st_size for file in (PROJECTS / "textures").iterdir())
    times = textured["times"]
    print(f"| a cold frame with {textures / 1e6:.0f} MB of textures | {stages(times)} |")
    together = sum(times[f"{name}_seconds"] for name in STAGES) - times["total_seconds"]
    print(f"| of that, fetching while the scene is opened | {together:.2f} s |", flush=True)


def stages(times: dict[str, float]) -> str:
    named = [f"{name} {times[f'{name}_seconds']:.2f} s" for name in (*STAGES, "total")]
    return " · ".join(named)


if __name__ == "__main__":
    main()
