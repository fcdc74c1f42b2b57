"""Makes the sample scene: run it with a Python that has bpy.

    python tools/sample_scene.py FOLDER

FOLDER/shots/sample.blend           24 frames, a camera on the move
FOLDER/shots/textures/tiles.png     an external texture, by a relative path
FOLDER/shots/screen/screen_####.png an image sequence, by a relative path
FOLDER/shots/library/props.blend    a linked library in a subfolder, with a texture of its own
FOLDER/elsewhere/label.png          a texture by an absolute path
"""

import math
import sys
from pathlib import Path

import bpy
import numpy

FRAMES = 24
RESOLUTION = (320, 180)
SAMPLES = 16


def main(folder: Path) -> None:
    """Write everything below a folder, which need not exist."""
    shots = folder / "shots"
    make_library(shots / "library")
    make_shot(shots, folder / "elsewhere")


def make_library(folder: Path) -> None:
    """A figure with a texture next to its own .blend file."""
    empty_file()
    image = save_image(stripes(256, (0.9, 0.25, 0.1), (1.0, 0.75, 0.3)), folder / "stripes.png")
    save(folder / "props.blend")
    image.filepath = "//stripes.png"
    bpy.ops.mesh.primitive_monkey_add(size=1.5, location=(0, 0, 1.0))
    figure = bpy.context.object
    figure.name = "Figure"
    figure.modifiers.new("Subdivision", "SUBSURF").render_levels = 2
    figure.data.materials.append(textured_material("Figure", image, roughness=0.25))
    bpy.ops.object.shade_smooth()
    collection = bpy.data.collections.new("Props")
    collection.objects.link(figure)
    collection.use_fake_user = True
    save(folder / "props.blend")


def make_shot(folder: Path, elsewhere: Path) -> None:
    """The scene that is rendered."""
    empty_file()
    tiles = save_image(checker(256, 8), folder / "textures" / "tiles.png")
    label = save_image(stripes(128, (0.1, 0.5, 0.9), (0.95, 0.95, 1.0)), elsewhere / "label.png")
    for frame in range(1, FRAMES + 1):
        save_image(screen(96, frame), folder / "screen" / f"screen_{frame:04}.png", keep=False)
    save(folder / "sample.blend")

    bpy.ops.mesh.primitive_plane_add(size=14)
    bpy.context.object.data.materials.append(textured_material("Floor", tiles, roughness=0.15))
    bpy.ops.mesh.primitive_cube_add(size=1.2, location=(-2.4, 0.6, 0.6))
    bpy.context.object.data.materials.append(textured_material("Box", label, roughness=0.5))
    add_screen(folder)
    link_figure(folder / "library" / "props.blend")
    add_light_and_camera()
    set_output()
    tiles.filepath = "//textures/tiles.png"
    label.filepath = str((elsewhere / "label.png").resolve())
    save(folder / "sample.blend")


def add_screen(folder: Path) -> None:
    """A glowing panel that plays the image sequence."""
    image = bpy.data.images.load(str(folder / "screen" / "screen_0001.png"))
    image.source = "SEQUENCE"
    image.filepath = "//screen/screen_0001.png"
    bpy.ops.mesh.primitive_plane_add(size=2.4, location=(2.6, 1.6, 1.3))
    panel = bpy.context.object
    panel.rotation_euler = (math.radians(90), 0, math.radians(-28))
    material = bpy.data.materials.new("Screen")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = image
    texture.image_user.frame_duration = FRAMES
    texture.image_user.use_auto_refresh = True
    glow = nodes.new("ShaderNodeEmission")
    glow.inputs["Strength"].default_value = 2.5
    output = nodes.new("ShaderNodeOutputMaterial")
    links.new(texture.outputs["Color"], glow.inputs["Color"])
    links.new(glow.outputs["Emission"], output.inputs["Surface"])
    panel.data.materials.append(material)


def link_figure(library: Path) -> None:
    """Links the figure's collection and places an instance of it."""
    with bpy.data.libraries.load(str(library), link=True) as (found, wanted):
        wanted.collections = [name for name in found.collections if name == "Props"]
    bpy.data.libraries[0].filepath = "//library/props.blend"
    instance = bpy.data.objects.new("Figure", None)
    instance.instance_type = "COLLECTION"
    instance.instance_collection = bpy.data.collections["Props"]
    bpy.context.scene.collection.objects.link(instance)
    instance.rotation_euler = (0, 0, math.radians(-30))
    instance.keyframe_insert("rotation_euler", frame=1)
    instance.rotation_euler = (0, 0, math.radians(35))
    instance.keyframe_insert("rotation_euler", frame=FRAMES)


def add_light_and_camera() -> None:
    """A key light, a dim sky, and a camera that moves past the figure."""
    scene = bpy.context.scene
    light = bpy.data.objects.new("Key", bpy.data.lights.new("Key", "AREA"))
    light.data.energy, light.data.size = 450, 3.0
    light.location = (-3.5, -4.0, 6.0)
    light.rotation_euler = (math.radians(40), 0, math.radians(-40))
    scene.collection.objects.link(light)
    scene.world = bpy.data.worlds.new("Sky")
    scene.world.use_nodes = True
    background = scene.world.node_tree.nodes.get("Background")
    background.inputs["Color"].default_value = (0.16, 0.2, 0.28, 1)
    target = bpy.data.objects.new("Target", None)
    target.location = (0.2, 0.4, 0.9)
    scene.collection.objects.link(target)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens = 38
    scene.collection.objects.link(camera)
    scene.camera = camera
    follow = camera.constraints.new("TRACK_TO")
    follow.target = target
    for frame, location in ((1, (-4.5, -6.0, 2.2)), (FRAMES, (4.5, -5.0, 3.2))):
        camera.location = location
        camera.keyframe_insert("location", frame=frame)


def set_output() -> None:
    """Small, quick frames, and the same ones each time."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, FRAMES
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = RESOLUTION
    render.resolution_percentage = 100
    render.filepath = "//render/sample_####"
    scene.cycles.device = "CPU"
    scene.cycles.samples = SAMPLES
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 4


def textured_material(name: str, image, roughness: float):
    """A material with a texture as its colour."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = nodes["Principled BSDF"]
    surface.inputs["Roughness"].default_value = roughness
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = image
    links.new(texture.outputs["Color"], surface.inputs["Base Color"])
    return material


def stripes(size: int, one, other):
    """Diagonal stripes of two colours."""
    y, x = numpy.mgrid[0:size, 0:size]
    return mix(((x + y) // 16) % 2 == 0, one, other)


def checker(size: int, count: int):
    """A checkerboard of two greys."""
    y, x = numpy.mgrid[0:size, 0:size] * count // size
    return mix((x + y) % 2 == 0, (0.55, 0.56, 0.6), (0.12, 0.13, 0.16))


def screen(size: int, frame: int):
    """Rings that grow with the frame."""
    y, x = (numpy.mgrid[0:size, 0:size] / size - 0.5) * 2
    rings = 0.5 + 0.5 * numpy.cos(18 * numpy.hypot(x, y) - 2 * math.pi * frame / FRAMES * 3)
    return numpy.dstack([0.1 + 0.2 * rings, 0.2 + 0.7 * rings, 0.5 + 0.5 * rings, rings * 0 + 1])


def mix(mask, one, other):
    """An image of one colour where the mask is set and the other elsewhere."""
    pixels = numpy.ones((*mask.shape, 4))
    pixels[..., :3] = numpy.where(mask[..., None], one, other)
    return pixels


def save_image(pixels, path: Path, keep: bool = True):
    """Write pixels as PNG; the image datablock, or None where it is not kept."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(path.stem, width, height)
    image.pixels.foreach_set(pixels.astype(numpy.float32).ravel())
    path.parent.mkdir(parents=True, exist_ok=True)
    image.filepath_raw = str(path)
    image.file_format = "PNG"
    image.save()
    bpy.data.images.remove(image)
    return bpy.data.images.load(str(path)) if keep else None


def empty_file() -> None:
    """Start from nothing, not from the user's start-up file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


def save(path: Path) -> None:
    """Save the open file; paths stay as they are written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, relative_remap=False)


if __name__ == "__main__":
    main(Path(sys.argv[-1]).resolve())
