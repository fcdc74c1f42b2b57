"""The consumer beside a new Blender for each frame: overhead, memory, and its fetch rate."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tracing import FOLDER, PROJECTS, ROOT, prepare
from transfer import CREDENTIALS, EXAMPLES, make_bucket, make_large, ours, server

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
    """Renders, fetches, prints."""
    prepare()
    rendering()
    fetching()


def rendering() -> None:
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


def fetching() -> None:
    large = FOLDER / "large"
    make_large(large)
    into_memory, to_disk, seconds = [], [], []
    environment = os.environ | CREDENTIALS
    with server() as (endpoint, work):
        bucket = make_bucket(endpoint, "fetching")
        part = work / "part"
        part.mkdir()
        for file in sorted(large.iterdir())[:500]:
            (part / file.name).hardlink_to(file)
        (part / "scene.blend").unlink(missing_ok=True)
        (part / "scene.blend").hardlink_to(large / "scene.blend")
        with (part / "volume.vdb").open("wb") as volume:
            volume.write(os.urandom(1 << 20) * 512)
        done = subprocess.run(
            ours(endpoint, bucket, work, part),
            env=environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        pack = json.loads(done.stdout)["pack"]
        for _ in range(RUNS):
            folder = work / "fetched"
            get = [EXAMPLES / "plain_get", endpoint, bucket, "blobs/"]
            plain = run(get, environment)
            written = run([*get, folder], environment)
            shutil.rmtree(folder)
            mine = run([EXAMPLES / "fetch_pack", endpoint, bucket, pack, folder], environment)
            shutil.rmtree(folder)
            into_memory.append(plain["seconds"] / mine["seconds"])
            to_disk.append(written["seconds"] / mine["seconds"])
            seconds.append(mine["bytes"] / mine["seconds"] / 1e6)
    print("\n| fetching 1.5 GB, verified, to disk | |\n|---|---|")
    print(f"| rate | {statistics.median(seconds):.0f} MB/s |")
    print(f"| beside plain parallel gets to the same disk | {statistics.median(to_disk):.0%} |")
    print(
        f"| beside plain parallel gets that drop the bytes | {statistics.median(into_memory):.0%} |"
    )


def run(command: list[str | Path], environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
