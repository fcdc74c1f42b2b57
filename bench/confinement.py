"""What the cage costs a frame and a start, and whether it changes a picture.

The same scenes are rendered by the same Blender inside the cage and outside of it, in turns, in one
run: Cycles with an OSL shader and OpenImageDenoise, EEVEE and Workbench through Mesa.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CONSUMER = PROJECT / "build" / "functions" / "render-on-lambda-consumer"
ROUNDS = 9
FRAMES = 3
ENGINES = ("CYCLES", "BLENDER_WORKBENCH", "BLENDER_EEVEE")

RENDER = """
import sys, time, bpy
folder, engine, frames = sys.argv[-3], sys.argv[-2], int(sys.argv[-1])
scene = bpy.context.scene
scene.render.engine = engine
scene.render.resolution_x = scene.render.resolution_y = 256
scene.render.filepath = folder + "/####"
bpy.ops.mesh.primitive_monkey_add()
monkey = bpy.context.object
if engine == "CYCLES":
    scene.cycles.samples, scene.cycles.use_denoising = 32, True
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.shading_system = True
    material = bpy.data.materials.new("osl")
    material.use_nodes = True
    text = bpy.data.texts.new("shade.osl")
    text.write("shader shade(output color Out = 0) { Out = noise(P * 4); }")
    node = material.node_tree.nodes.new("ShaderNodeScript")
    node.script = text
    if node.outputs:
        surface = material.node_tree.nodes["Principled BSDF"]
        material.node_tree.links.new(node.outputs[0], surface.inputs["Base Color"])
    monkey.data.materials.append(material)
else:
    if engine == "BLENDER_EEVEE":
        scene.eevee.taa_render_samples = 4
print("READY", time.time(), flush=True)
for frame in range(1, frames + 1):
    monkey.rotation_euler.z = frame
    scene.frame_set(frame)
    scene.render.filepath = f"{folder}/{frame:04}"
    # The processor's time, of all threads: what else a machine does is not in it.
    started = time.process_time()
    bpy.ops.render.render(write_still=True)
    print("FRAME", time.process_time() - started, flush=True)
"""


def run(folder: Path, engine: str, *, caged: bool) -> tuple[float, list[float], str]:
    """Seconds until Blender is ready, processor seconds of each frame but the first, digest of all
    frames.
    """
    output = folder / "output"
    for old in output.glob("*"):
        old.unlink()
    script = folder / "render.py"
    script.write_text(RENDER)
    arguments = ["-I", "-W", "ignore", str(script), str(output), engine, str(FRAMES + 1)]
    command = [sys.executable, *arguments]
    if caged:
        prefixes = {sys.prefix, sys.base_prefix}
        plan = {
            "program": sys.executable,
            "arguments": arguments,
            "runnable": ["/usr", "/lib", "/lib64", "/bin", *prefixes],
            "readable": ["/etc", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
                         "/proc/sys", "/sys/devices/system", "/sys/fs/cgroup", "/dev/urandom"],
            "writable": [str(folder)],
            "may_start_processes": False,
            "largest_file_bytes": 1 << 36,
        }  # fmt: skip
        command = [str(CONSUMER), "--cage", json.dumps(plan)]
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder),
        "LIBGL_ALWAYS_SOFTWARE": "1", "MESA_SHADER_CACHE_DIR": str(folder / "shaders"),
    }  # fmt: skip
    started = time.time()
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    words = [line.split() for line in done.stdout.splitlines()]
    ready = [float(line[1]) - started for line in words if line[:1] == ["READY"]]
    frames = [float(line[1]) for line in words if line[:1] == ["FRAME"]]
    if not ready or len(frames) != FRAMES + 1:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    pictures = b"".join(pixels(path) for path in sorted(output.glob("*.png")))
    return ready[0], frames[1:], hashlib.sha256(pictures).hexdigest()[:12]


def pixels(path: Path) -> bytes:
    """Without what a file says of its own making."""
    from PIL import Image

    with Image.open(path) as image:
        return image.tobytes()


def main() -> None:
    print(f"{'engine':<20}{'start, s':>18}{'frame, cpu s':>18}{'ratio':>8}  same pictures")
    for engine in ENGINES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "output").mkdir()
            run(folder, engine, caged=False)  # Compiles shaders.
            starts: dict[bool, list[float]] = {False: [], True: []}
            frames: dict[bool, list[float]] = {False: [], True: []}
            digests = set()
            for number in range(ROUNDS):
                for caged in ((False, True), (True, False))[number % 2]:
                    start, times, digest = run(folder, engine, caged=caged)
                    starts[caged].append(start)
                    frames[caged] += times
                    digests.add(digest)
            start = [statistics.median(starts[caged]) for caged in (False, True)]
            frame = [statistics.median(frames[caged]) for caged in (False, True)]
            print(
                f"{engine:<20}{start[0]:>8.3f} → {start[1]:.3f}{frame[0]:>9.3f} → {frame[1]:.3f}"
                f"{frame[1] / frame[0]:>8.3f}  {'yes' if len(digests) == 1 else 'NO'}"
            )


if __name__ == "__main__":
    main()
