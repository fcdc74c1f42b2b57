"""The part of the demo that runs in Blender: presses the button and waits.

python tools/demo_in_blender.py EXTENSION SCENE OUTPUT_FOLDER ENDPOINT STACK RESULT_JSON
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))
import blender_with_extension


def main(
    extension: Path, scene: Path, output: Path, endpoint: str, stack: str, result: Path
) -> None:
    """Install, open, render; what came of it goes into a JSON file."""
    blender_with_extension.install(extension)
    blender_with_extension.set_farm(endpoint, stack)
    bpy.ops.wm.open_mainfile(filepath=str(scene))
    bpy.context.scene.render.filepath = f"{output}/sample_####"
    pressed = time.time()
    outcome = bpy.ops.render_on_lambda.render_animation()
    ended = time.time()

    from bl_ext.user_default.render_on_lambda.tool import jobs

    job = jobs.jobs().list.jobs[-1]
    image = bpy.data.images[f"Render on Lambda: {job.name}"]
    arrived = sorted(Path(path).stat().st_mtime for path in job.files.values())
    document = {
        "outcome": sorted(outcome),
        "frames": job.fetched,
        "failed": job.failed,
        "workers": job.workers,
        "wall_seconds": ended - pressed,
        "first_frame_seconds": arrived[0] - pressed if arrived else None,
        "last_frame_seconds": arrived[-1] - pressed if arrived else None,
        "render_seconds": job.render_seconds,
        "billed_seconds": job.billed_seconds,
        "cost_usd": job.cost_usd,
        "files": [job.files[frame] for frame in sorted(job.files)],
        "image": [image.name, image.source],
    }
    result.write_text(json.dumps(document))


if __name__ == "__main__":
    extension, scene, output, endpoint, stack, result = sys.argv[-6:]
    main(Path(extension), Path(scene), Path(output), endpoint, stack, Path(result))
