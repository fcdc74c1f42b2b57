"""Makes the scene that a farm is tried with, as it travels in the wheel.

    python tools/test_frame.py

Small, quick and of no version in particular: Blender's own first cube, 64 pixels wide, in Cycles.
"""

from __future__ import annotations

import os
from pathlib import Path

import bpy

DATA = Path(__file__).resolve().parent.parent / "native/python/python/render_on_lambda/data"


def main() -> None:
    """Write the scene."""
    bpy.ops.wm.read_factory_settings()
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 8
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = "//####"
    scene.frame_start = scene.frame_end = 1
    bpy.ops.wm.save_as_mainfile(filepath=str(DATA / "test_frame.blend"), compress=True)


main()
os._exit(0)
