"""What was painted and not saved is in the pack, and the session stays as it is."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import bpy
import numpy
import pytest
import render_on_lambda as native
from blender_scenes import image_node, new_material, save

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "addon"))

from addon.tool import painted_images
from addon.tool.cannot_render import CannotRender

SIZE = 8
RENDER = "import bpy, sys; bpy.ops.wm.open_mainfile(filepath=sys.argv[1]); {shoot}"
SHOOT = "bpy.context.scene.render.filepath = {to!r}; bpy.ops.render.render(write_still=True)"


def paint(image: bpy.types.Image, *color: float) -> None:
    pixels = numpy.tile(numpy.array(color, numpy.float32), len(image.pixels) // 4)
    # Not one colour alone, so that a picture that is turned or cut would show.
    pixels[: len(pixels) // 4] *= numpy.float32(0.5)
    pixels[3::4] = color[3]
    image.pixels.foreach_set(pixels)
    image.update()
    assert image.is_dirty


def on_disk(path: Path, *color: float) -> bpy.types.Image:
    made = bpy.data.images.new(path.stem, SIZE, SIZE)
    made.generated_color = color
    made.filepath_raw, made.file_format = str(path), "PNG"
    made.save()
    bpy.data.images.remove(made)
    return bpy.data.images.load(str(path))


def scene_of(images: list[bpy.types.Image]) -> None:
    """Emitting squares side by side, one an image."""
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x, scene.render.resolution_y = 16 * len(images), 16
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.filter_size = 0.01
    camera = bpy.data.cameras.new("camera")
    camera.type, camera.ortho_scale = "ORTHO", 2.0 * len(images)
    scene.camera = bpy.data.objects.new("camera", camera)
    scene.camera.location = (len(images) - 1, 0, 5)
    scene.collection.objects.link(scene.camera)
    for number, image in enumerate(images):
        material = new_material(image.name)
        tree = material.node_tree
        node = image_node(material, image)
        node.interpolation = "Closest"
        tree.nodes.remove(tree.nodes["Principled BSDF"])
        emission = tree.nodes.new("ShaderNodeEmission")
        tree.links.new(node.outputs["Color"], emission.inputs["Color"])
        # How Cycles reads the colours depends on whether something asks for the alpha.
        tree.links.new(node.outputs["Alpha"], emission.inputs["Strength"])
        output = tree.nodes["Material Output"]
        tree.links.new(emission.outputs[0], output.inputs["Surface"])
        bpy.ops.mesh.primitive_plane_add(location=(2.0 * number, 0, 0))
        bpy.context.object.data.materials.append(material)


def pack(blend_file: Path, to: Path, painted: list[tuple[str, str, str | None]]) -> Path:
    work = native.LocalPack(blend_file, to, painted=painted)
    written = ""
    while not work.is_over:
        for event in work.poll():
            if isinstance(event, native.LocalPackEvent.Written):
                written = event.blend_file
        time.sleep(0.01)
    return to / written


def pixels_of(path: Path) -> numpy.ndarray:
    loaded = bpy.data.images.load(str(path))
    pixels = numpy.array(loaded.pixels[:], numpy.float32)
    bpy.data.images.remove(loaded)
    return pixels


def expect_the_same(
    scene: Path, images: list[bpy.types.Image], painted: list[tuple[str, str, str | None]]
) -> None:
    """The frame of the pack is that of this session."""
    folder = scene.parent
    bpy.context.scene.render.filepath = str(folder / "local.exr")
    bpy.ops.render.render(write_still=True)
    there = pack(scene, folder / "pack", painted)
    shoot = SHOOT.format(to=str(folder / "packed.exr"))
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RENDER.format(shoot=shoot), str(there)], check=True
    )
    local, farm = pixels_of(folder / "local.exr"), pixels_of(folder / "packed.exr")
    columns = local.reshape(16, len(images), 16, 4), farm.reshape(16, len(images), 16, 4)
    for number, image in enumerate(images):
        assert numpy.allclose(columns[0][:, number], columns[1][:, number], atol=1e-3), image.name


def test_a_pack_shows_what_f12_shows(empty: Path) -> None:
    folder = empty.parent
    generated = bpy.data.images.new("generated", SIZE, SIZE)
    file = on_disk(folder / "blue.png", 0, 0, 1, 1)
    packed = on_disk(folder / "red.png", 1, 0, 0, 1)
    packed.pack()
    bright = bpy.data.images.new("bright", SIZE, SIZE, float_buffer=True)
    data = bpy.data.images.new("data", SIZE, SIZE, is_data=True)
    linear = on_disk(folder / "linear.png", 0, 0, 1, 1)
    linear.colorspace_settings.name = "Linear Rec.709"
    tiled = bpy.data.images.new("tiled", SIZE, SIZE, tiled=True)
    untouched = on_disk(folder / "untouched.png", 0, 1, 1, 1)
    images = [generated, file, packed, bright, data, linear, tiled, untouched]
    for number, image in enumerate(images[:-1]):
        paint(image, 1, 1 - number / 10, number / 10, 1)
    paint(bright, 3.5, 0.25, 0.125, 1)
    scene_of(images)
    save(empty)
    before = [(one.source, one.filepath, one.file_format, one.is_dirty) for one in images]
    names = {one.name for one in bpy.data.images}
    painted = painted_images.save_painted(folder / "painted")
    assert [(one.source, one.filepath, one.file_format, one.is_dirty) for one in images] == before
    assert {one.name for one in bpy.data.images} == names
    expect_the_same(empty, images, painted)


@pytest.mark.parametrize("engine", ["CYCLES", "BLENDER_EEVEE"])
def test_transparent_pixels_are_what_they_were_in_the_session(empty: Path, engine: str) -> None:
    """Those of which no file is read as they are held are refused by name."""
    folder = empty.parent
    images = []
    for mode in ("STRAIGHT", "PREMUL", "CHANNEL_PACKED", "NONE"):
        for is_float in (False, True):
            name = f"{mode} float" if is_float else mode
            images.append(bpy.data.images.new(name, SIZE, SIZE, alpha=True, float_buffer=is_float))
            images[-1].alpha_mode = mode
        images.append(on_disk(folder / f"{mode} file.png", 0, 0, 1, 0.5))
        images[-1].alpha_mode = mode
    for image in images:
        paint(image, 0.4, 0.3, 0.2, 0.5)
    scene_of(images)
    bpy.context.scene.render.engine = engine
    bpy.context.scene.eevee.taa_render_samples = 1
    if engine != "CYCLES":
        refused = [one for one in images if is_refused(one, folder)]
        assert {one.name for one in refused} == {
            "STRAIGHT float", "PREMUL", "PREMUL file.png", "NONE", "NONE float", "NONE file.png"
        }  # fmt: skip
        for image in refused:
            paint(image, 0.4, 0.3, 0.2, 1)
    save(empty)
    expect_the_same(empty, images, painted_images.save_painted(folder / "painted"))


def is_refused(image: bpy.types.Image, folder: Path) -> bool:
    try:
        painted_images.save(image, folder, 0)
    except CannotRender as error:
        assert f'"{image.name}" is painted and not saved' in str(error)
        return True
    return False


def test_an_image_that_nobody_uses_stays_at_home(empty: Path) -> None:
    used = bpy.data.images.new("used", SIZE, SIZE)
    scene_of([used])
    for image in (used, bpy.data.images.new("scratch", SIZE, SIZE)):
        paint(image, 1, 0, 0, 1)
    save(empty)
    painted = painted_images.save_painted(empty.parent / "painted")
    assert [name for name, *_ in painted] == ["used"]
    pack(empty, empty.parent / "pack", painted)


def test_a_painted_image_of_a_library_is_refused_by_name(empty: Path) -> None:
    library = empty.parent / "library.blend"
    on_disk(empty.parent / "brick.png", 1, 0, 0, 1).use_fake_user = True
    save(library)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.images = ["brick.png"]
    scene_of([bpy.data.images["brick.png"]])
    save(empty)
    paint(bpy.data.images["brick.png"], 1, 1, 1, 1)
    with pytest.raises(CannotRender, match=r'"brick.png" is painted.*save it'):
        painted_images.save_painted(empty.parent / "painted")


def test_an_image_that_the_file_does_not_have_is_named(empty: Path) -> None:
    save(empty)
    with pytest.raises(ValueError, match='has no image "gone" of its own'):
        pack(empty, empty.parent / "pack", [("gone", "/tmp/gone.png", None)])
