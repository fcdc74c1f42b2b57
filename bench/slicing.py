"""What a frame in slices costs beside the frame of one worker: one worker renders both, one after
the other, so that the seconds are those of the work and not of waiting.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "consumer")]

from local_farm import local_farm  # noqa: E402
from workers import Queue  # noqa: E402

FUNCTIONS = ROOT / "build" / "functions"
COUNTS = [int(count) for count in os.environ.get("BENCH_SLICES", "4,16").split(",")]

SCENE = """
import sys, bpy
bpy.ops.wm.read_factory_settings(use_empty=False)
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples = "CYCLES", int(sys.argv[2])
scene.render.resolution_x, scene.render.resolution_y = 960, 540
scene.cycles.use_denoising = True
scene.view_layers[0].use_pass_z = scene.view_layers[0].use_pass_cryptomatte_object = True
for place in range(-4, 5):
    bpy.ops.mesh.primitive_monkey_add(location=(place, 2, 0))
    bpy.context.object.modifiers.new("subdivision", "SUBSURF").render_levels = 4
settings = scene.render.image_settings
settings.media_type, settings.file_format = "MULTI_LAYER_IMAGE", "OPEN_EXR_MULTILAYER"
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""


def main() -> None:
    """Render the scene whole and in slices, and print where the time went."""
    with (
        tempfile.TemporaryDirectory() as folder,
        local_farm(Path(sys.executable), FUNCTIONS) as farm,
    ):
        scene = Path(folder) / "shot.blend"
        samples = os.environ.get("BENCH_SAMPLES", "256")
        make = [sys.executable, "-W", "ignore", "-c", SCENE, str(scene), samples]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        queue = Queue.without_mapping(farm)
        with queue.worker(Path(folder)):
            # The first one warms the worker.
            whole = [frame(queue, queue.submit(scene, "1")) for _ in range(2)][-1]
            print("| slices | rendering | opening | bringing, sending | end | all | beside one |")
            print("|---|---|---|---|---|---|---|")
            row("1", [whole], None, whole["total_seconds"])
            for count in COUNTS:
                job = queue.submit(scene, "1", "--slices", str(count))
                total = frame(queue, job)
                slices = [slice_times(queue, job, number) for number in range(count)]
                spent = sum(one["total_seconds"] for one in slices)
                row(str(count), slices, total["total_seconds"] - spent, whole["total_seconds"])


def frame(queue: Queue, job: str) -> dict[str, float]:
    """Where the time of a job's only frame went."""
    (record,) = queue.wait_for(job, 1, limit_seconds=900).values()
    assert record["state"] == "done", record
    return record["times"]


def slice_times(queue: Queue, job: str, number: int) -> dict[str, float]:
    return json.loads(queue.read(f"jobs/{job}/slices/1/{number}.json"))["times"]


def row(name: str, parts: list[dict[str, float]], end: float | None, whole: float) -> None:
    """A row of the table, in seconds of one worker."""

    def together(*names: str) -> float:
        return sum(one[f"{name}_seconds"] for one in parts for name in names)

    every = together("total") + (end or 0.0)
    print(
        f"| {name} | {together('render'):.2f} | {together('load', 'start'):.2f} |"
        f" {together('fetch', 'upload'):.2f} | {f'{end:.2f}' if end is not None else '-'} |"
        f" {every:.2f} | {every / whole:.2f} × |"
    )


if __name__ == "__main__":
    main()
