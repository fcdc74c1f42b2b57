"""Cycles' texture cache (Blender 5.2) comes along: it changes the picture."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy
import pytest
from PIL import Image
from workers import Queue


@pytest.mark.skipif(bpy.app.version < (5, 2), reason="Cycles has a texture cache since Blender 5.2")
def test_a_texture_with_a_cache_looks_as_it_does_locally(queue: Queue, tmp_path: Path) -> None:
    scene = noisy_plane(tmp_path / "show")
    without = render(tmp_path / "without.png")
    bpy.ops.render.generate_texture_cache()
    expected = render(tmp_path / "with.png")
    assert not numpy.array_equal(without, expected)
    job = queue.submit(scene, "1")
    with queue.worker(tmp_path):
        record = queue.wait_for(job, 1)[1]
    assert record["state"] == "done", record
    queue.fetch(job, tmp_path / "fetched")
    (frame,) = (tmp_path / "fetched").iterdir()
    assert numpy.array_equal(pixels(frame), expected)


def noisy_plane(folder: Path) -> Path:
    """A plane whose texture has far more pixels than the picture."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.camera.location.z = 4
    scene.collection.objects.link(scene.camera)
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    scene.collection.objects.link(sun)
    noise = bpy.data.images.new("noise", 256, 256)
    values = numpy.random.default_rng(1).random(256 * 256 * 4, numpy.float32)
    values[3::4] = 1
    noise.pixels.foreach_set(values)
    folder.mkdir()
    noise.filepath_raw, noise.file_format = str(folder / "noise.png"), "PNG"
    noise.save()
    bpy.ops.mesh.primitive_plane_add(size=2)
    material = bpy.data.materials.new("noise")
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(folder / "noise.png"))
    tree.links.new(node.outputs[0], tree.nodes["Principled BSDF"].inputs["Base Color"])
    bpy.context.object.data.materials.append(material)
    scene.render.filepath = "//out/shot_####"
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    return folder / "shot.blend"


def render(path: Path) -> numpy.ndarray:
    bpy.context.scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return pixels(path)


def pixels(path: Path) -> numpy.ndarray:
    with Image.open(path) as image:
        return numpy.array(image)
