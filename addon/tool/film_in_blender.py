"""Runs in a Blender of its own: joins frames to the movie that the scene describes.

    blender -b SCENE.blend --python film_in_blender.py -- SCENE.blend SETTINGS.json

The settings: the scene, its output path, absolute, the first and the last frame, and the file of
each frame that was rendered. The movie is called what F12 would have called it; its sound is that
of the scene.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
from bpy.types import Scene

# The name that the line with the movie's path begins with.
TOLD = "render-on-lambda film: "


def main(blend_file: str, settings: str) -> None:
    """Join."""
    bpy.ops.wm.open_mainfile(filepath=blend_file, load_ui=False, use_scripts=False)
    given = json.loads(Path(settings).read_text(encoding="utf-8"))
    scene = bpy.data.scenes[given["scene"]]
    first, last = given["first"], given["last"]
    scene.frame_start, scene.frame_end, scene.frame_step = first, last, 1
    files = each_frame(first, last, {int(frame): path for frame, path in given["files"].items()})
    show_files(scene, first, files)
    keep_colors(scene)
    keep_size(scene, files[0])
    render = scene.render
    render.use_sequencer, render.use_compositing, render.use_stamp = True, False, False
    render.filepath = given["output"]
    folder = Path(given["output"]).parent
    before = times(folder)
    bpy.ops.render.render(animation=True, scene=scene.name)
    for path, time in times(folder).items():
        if before.get(path) != time:
            print(f"{TOLD}{path}", flush=True)


def times(folder: Path) -> dict[Path, int]:
    """When each file of a folder was written."""
    return {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.is_file()}


def each_frame(first: int, last: int, files: dict[int, str]) -> list[str]:
    """The file of each frame; where only some were rendered, each stays until the next."""
    found = []
    for frame in range(first, last + 1):
        found.append(files.get(frame, found[-1] if found else ""))
    return found


def show_files(scene: Scene, first: int, files: list[str]) -> None:
    """A strip with the frames, above all that there is: what is below is heard and not seen."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    # `sequences` until 4.3.
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    channel = min(128, max((strip.channel for strip in strips), default=0) + 1)
    strip = strips.new_image("frames", files[0], channel, first, fit_method="ORIGINAL")
    for path in files[1:]:
        strip.elements.append(Path(path).name)
    strip.blend_type = "REPLACE"
    strip.colorspace_settings.name = "sRGB"


def keep_colors(scene: Scene) -> None:
    """The frames have been through the scene's colour management already."""
    scene.render.image_settings.color_management = "FOLLOW_SCENE"
    scene.display_settings.display_device = "sRGB"
    view = scene.view_settings
    view.view_transform, view.look, view.exposure, view.gamma = "Standard", "None", 0.0, 1.0
    view.use_curve_mapping = False
    if hasattr(view, "use_white_balance"):
        view.use_white_balance = False
    scene.sequencer_colorspace_settings.name = "sRGB"


def keep_size(scene: Scene, file: str) -> None:
    """They have been cut and scaled already, too."""
    image = bpy.data.images.load(file)
    render = scene.render
    render.resolution_x, render.resolution_y = image.size
    render.resolution_percentage, render.use_border = 100, False


if __name__ == "__main__":
    main(*sys.argv[-2:])
