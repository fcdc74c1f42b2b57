"""Previews of frames as Blender writes them, in its own colours."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy
import pytest
import render_on_lambda as native

FORMATS = [
    ("PNG", "8"), ("PNG", "16"), ("JPEG", "8"), ("TIFF", "8"), ("TIFF", "16"), ("TARGA", "8"),
    ("BMP", "8"), ("WEBP", "8"), ("HDR", "32"), ("OPEN_EXR", "16"), ("OPEN_EXR", "32"),
    ("OPEN_EXR_MULTILAYER", "16"), ("OPEN_EXR_MULTILAYER", "32"),
]  # fmt: skip


@pytest.fixture(scope="module")
def rendered() -> bpy.types.Scene:
    """A frame of one bright colour."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x, scene.render.resolution_y = 96, 48
    scene.view_settings.view_transform = "Standard"
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(scene.camera)
    scene.world = bpy.data.worlds.new("world")
    scene.world.node_tree.nodes["Background"].inputs[0].default_value = (0.8, 0.4, 0.1, 1)
    return scene


def color_in_blender(path: Path) -> numpy.ndarray:
    """What Blender's Image Editor would show of the middle of an image."""
    loaded = bpy.data.images.load(str(path))
    pixels = numpy.array(loaded.pixels[:]).reshape(loaded.size[1], loaded.size[0], -1)
    color, size = pixels[loaded.size[1] // 2, loaded.size[0] // 2, :3], tuple(loaded.size)
    bpy.data.images.remove(loaded)
    assert size == (32, 16)
    return color


@pytest.mark.parametrize(("file_format", "depth"), FORMATS)
def test_a_preview_looks_as_its_frame(
    rendered: bpy.types.Scene, tmp_path: Path, file_format: str, depth: str
) -> None:
    settings = rendered.render.image_settings
    is_layered = file_format == "OPEN_EXR_MULTILAYER"
    settings.media_type = "MULTI_LAYER_IMAGE" if is_layered else "IMAGE"
    settings.file_format = file_format
    settings.color_mode = "RGB" if not is_layered else settings.color_mode
    settings.color_depth = depth
    rendered.render.filepath = str(tmp_path / "frame")
    bpy.ops.render.render(write_still=True)
    (frame,) = tmp_path.glob("frame*")
    made = native.make_preview(frame, tmp_path, "latest", 32)
    is_linear = file_format in {"HDR", "OPEN_EXR", "OPEN_EXR_MULTILAYER"}
    assert made == tmp_path / ("latest.exr" if is_linear else "latest.png")
    linear = numpy.array([0.8, 0.4, 0.1])
    encoded = 1.055 * linear ** (1 / 2.4) - 0.055
    expected = linear if is_linear else encoded
    assert numpy.allclose(color_in_blender(made), expected, atol=0.02)


def test_what_is_no_frame_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        native.make_preview(tmp_path / "gone.png", tmp_path, "latest", 32)
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ValueError, match=r"bad\.png"):
        native.make_preview(tmp_path / "bad.png", tmp_path, "latest", 32)
