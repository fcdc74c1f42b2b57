"""`make demo`: renders the sample scene on a farm that is wholly on this machine.

Starts MiniStack, deploys the stack, opens the sample scene in Blender without a window, presses the
button, and leaves the frames, a contact sheet and a table. Nothing is left running, also when it is
interrupted.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import build_extension
from local_farm import PROJECT, LocalFarm, local_farm
from PIL import Image

OUTPUT = PROJECT / "demo-output"
BINARIES = PROJECT / "target" / "release"
COLUMNS = 6


def main() -> int:
    """Run the demo; 0 where every frame arrived."""
    # Both end everything in order, also where the shell that started us ignores Ctrl-C.
    for interruption in (signal.SIGINT, signal.SIGTERM):
        signal.signal(interruption, signal.default_int_handler)
    began = time.monotonic()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    say("packing the extension")
    extension = build_extension.main(PROJECT / "build")
    with tempfile.TemporaryDirectory(prefix="render-on-lambda-demo-") as temporary:
        folder = Path(temporary)
        say("making the sample scene")
        run_in_blender(folder, {}, "sample_scene.py", folder / "sample", quiet=True)
        say("starting MiniStack and deploying the stack on it")
        with local_farm(Path(sys.executable), BINARIES) as farm:
            result = render(folder, farm, extension)
    sheet = contact_sheet([Path(path) for path in result["files"]])
    print(table(result, time.monotonic() - began))
    print(f"frames:        {OUTPUT.relative_to(PROJECT)}/sample_####.png")
    print(f"contact sheet: {sheet.relative_to(PROJECT)}")
    name, source = result["image"]
    print(f'in Blender:    the image "{name}", loaded as an image {source.lower()}')
    return 0 if result["outcome"] == ["FINISHED"] else 1


def render(folder: Path, farm: LocalFarm, extension: Path) -> dict[str, Any]:
    """Press the button in a Blender without a window; what came of it."""
    result = folder / "result.json"
    say("rendering")
    run_in_blender(
        folder,
        farm.environment(),
        "demo_in_blender.py",
        extension,
        folder / "sample" / "shots" / "sample.blend",
        OUTPUT,
        farm.endpoint,
        farm.stack,
        result,
    )
    return json.loads(result.read_text())


def run_in_blender(
    folder: Path, environment: dict[str, str], script: str, *arguments: object, quiet: bool = False
) -> None:
    """Run a script of this folder with bpy, away from the user's own Blender settings."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning"]
    command += [str(PROJECT / "tools" / script), *map(str, arguments)]
    subprocess.run(
        command,
        env=os.environ
        | environment
        | {"BLENDER_USER_RESOURCES": str(folder / "blender"), "TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL if quiet else None,
        check=True,
    )


def contact_sheet(frames: list[Path]) -> Path:
    """All frames on one picture."""
    images = [Image.open(frame).convert("RGB") for frame in frames]
    width, height = images[0].size
    rows = -(-len(images) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width, rows * height))
    for number, image in enumerate(images):
        sheet.paste(image, (number % COLUMNS * width, number // COLUMNS * height))
    path = OUTPUT / "contact-sheet.png"
    sheet.save(path)
    return path


def table(result: dict[str, Any], whole_seconds: float) -> str:
    """What a person wants to know of it."""
    frames = result["frames"]
    overhead = (result["billed_seconds"] - result["render_seconds"]) / max(frames, 1)
    rows = [
        ("frames", f"{frames}" + (f" ({result['failed']} failed)" if result["failed"] else "")),
        ("workers", f"{result['workers']}"),
        ("press to first frame", f"{result['first_frame_seconds']:.1f} s"),
        ("press to last frame", f"{result['last_frame_seconds']:.1f} s"),
        ("Blender's own render time", f"{result['render_seconds']:.1f} s"),
        ("overhead a frame", f"{overhead:.2f} s"),
        ("whole demo", f"{whole_seconds:.1f} s"),
        ("on Lambda it would have cost", f"${result['cost_usd']:.4f}"),
    ]
    return "\n" + "\n".join(f"{name:<30}{value:>14}" for name, value in rows) + "\n"


def say(text: str) -> None:
    """One line of what is going on."""
    print(f"demo: {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        sys.exit(130)
