"""What the library between Blender and Mesa spares a frame of EEVEE, and whether the picture stays.

The default cube, whose picture costs the least, and a hundred monkeys under five lights; with the
library and without it, in turns, in one run. Cycles with as many samples stands beside them.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from confinement import pixels
from tracing import ROOT

ROUNDS = int(os.environ.get("BENCH_RUNS", "3"))
CASES = {
    "default cube, 320 × 320, 64 samples": ("BLENDER_EEVEE", "cube", 320, 320, 64),
    "default cube, 1,920 × 1,080, 16 samples": ("BLENDER_EEVEE", "cube", 1920, 1080, 16),
    "a hundred monkeys, 1,920 × 1,080, 8 samples": ("BLENDER_EEVEE", "many", 1920, 1080, 8),
    "Cycles: default cube, 1,920 × 1,080, 16 samples": ("CYCLES", "cube", 1920, 1080, 16),
    "Cycles: a hundred monkeys, 1,920 × 1,080, 8 samples": ("CYCLES", "many", 1920, 1080, 8),
}

RENDER = """
import os, sys, time, bpy
path, engine, kind, width, height, samples = sys.argv[-6:]
scene = bpy.context.scene
scene.render.engine = engine
scene.render.resolution_x, scene.render.resolution_y = int(width), int(height)
scene.eevee.taa_render_samples = scene.cycles.samples = int(samples)
scene.cycles.use_adaptive_sampling = scene.cycles.use_denoising = False
if kind == "many":
    bpy.ops.mesh.primitive_plane_add(size=40, location=(0, 0, -1))
    for number in range(100):
        place = (number % 10 * 2 - 10, number // 10 * 2 - 8, 0)
        bpy.ops.mesh.primitive_monkey_add(location=place)
        bpy.ops.object.modifier_add(type="SUBSURF")
    for number in range(4):
        bpy.ops.object.light_add(type="AREA", location=(number * 4 - 8, 0, 5))
scene.render.filepath = path
# The first one compiles shaders.
bpy.ops.render.render()
started = time.process_time()
bpy.ops.render.render(write_still=True)
print("FRAME", time.process_time() - started, flush=True)
os._exit(0)
"""


def main() -> None:
    """Measure and print."""
    print("| frame | Mesa alone, cpu s | with the library | times | same picture |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vendor = folder / "vendor.json"
        built = ROOT.glob("target/release/build/*/out/librender_on_lambda_opengl.so")
        library = str(max(built, key=lambda path: path.stat().st_mtime))
        icd = {"file_format_version": "1.0.0", "ICD": {"library_path": library}}
        vendor.write_text(json.dumps(icd))
        for case, arguments in CASES.items():
            seconds: dict[bool, list[float]] = {False: [], True: []}
            pictures = set()
            for number in range(ROUNDS):
                turns = ((False, True), (True, False))[number % 2]
                # Cycles makes no call to OpenGL.
                for has_library in turns if arguments[0] == "BLENDER_EEVEE" else (False,):
                    environment = {"__EGL_VENDOR_LIBRARY_FILENAMES": str(vendor)}
                    taken = render(folder, arguments, environment if has_library else {})
                    seconds[has_library].append(taken)
                    pictures.add(pixels(folder / "frame.png"))
            alone = statistics.median(seconds[False])
            if not seconds[True]:
                print(f"| {case} | {alone:.1f} | | | |", flush=True)
                continue
            ours = statistics.median(seconds[True])
            same = "yes" if len(pictures) == 1 else "no"
            print(
                f"| {case} | {alone:.1f} | {ours:.1f} | {alone / ours:.1f} | {same} |", flush=True
            )


def render(folder: Path, arguments: tuple[object, ...], more: dict[str, str]) -> float:
    """Processor-seconds of the second frame of a new process."""
    environment = os.environ | {"LIBGL_ALWAYS_SOFTWARE": "1"} | more
    command = [sys.executable, "-W", "ignore", "-c", RENDER, str(folder / "frame.png")]
    command += [str(argument) for argument in arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    taken = [line for line in done.stdout.splitlines() if line.startswith("FRAME")]
    if not taken:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return float(taken[0].split()[1])


if __name__ == "__main__":
    main()
