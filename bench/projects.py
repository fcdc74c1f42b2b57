"""Makes the projects of the benchmarks with Blender: `python bench/projects.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
import numpy

LEVELS = 5
LIBRARIES_IN_LEVEL = 40
OBJECTS_IN_LIBRARY = 10
VERTICES_OF_OBJECT = 4_000
LARGE_MESHES = 9
VERTICES_OF_LARGE_MESH = 1_250_000
SMALL_OBJECTS = 20_000
SET_OBJECTS = 30_000
VERTICES_OF_SET_OBJECT = 480
GRIDS = 3
GRID_SIDE = 1500
TEXTURES = 8
TEXTURE_SIDE = 2048


def main() -> None:
    """Writes `shot.blend` with its libraries, and the files of one kind each."""
    folder = Path(sys.argv[1])
    (folder / "libraries").mkdir(parents=True, exist_ok=True)
    make_libraries(folder / "libraries")
    make_shot(folder)
    make_large(folder)
    make_set(folder)
    make_objects(folder)
    make_heavy(folder)
    make_textured(folder)


def make_libraries(folder: Path) -> None:
    """Two hundred libraries, each of which links one of the level below."""
    random = numpy.random.default_rng(1)
    for level in range(LEVELS):
        for number in range(LIBRARIES_IN_LEVEL):
            clear()
            collection = bpy.data.collections.new("set")
            bpy.context.scene.collection.children.link(collection)
            for index in range(OBJECTS_IN_LIBRARY):
                mesh = bpy.data.meshes.new("mesh")
                mesh.vertices.add(VERTICES_OF_OBJECT)
                points = random.random(VERTICES_OF_OBJECT * 3, dtype="f")
                mesh.vertices.foreach_set("co", points)
                material = bpy.data.materials.new("material")
                material.use_nodes = True
                mesh.materials.append(material)
                texture = bpy.data.images.new("texture", 4, 4)
                texture.source = "FILE"
                texture.filepath = f"//texture_{level}_{number}_{index}.png"
                material.node_tree.nodes.new("ShaderNodeTexImage").image = texture
                collection.objects.link(bpy.data.objects.new("object", mesh))
            path = folder / f"library_{level}_{number}.blend"
            save(path, compress=True)
            if level:
                link_set(folder / f"library_{level - 1}_{number}.blend", collection)
                save(path, compress=True)


def make_shot(folder: Path) -> None:
    """A shot that links every library of the highest level."""
    clear()
    save(folder / "shot.blend", compress=True)
    for number in range(LIBRARIES_IN_LEVEL):
        library = folder / "libraries" / f"library_{LEVELS - 1}_{number}.blend"
        link_set(library, bpy.context.scene.collection)
    save(folder / "shot.blend", compress=True)


def make_large(folder: Path) -> None:
    """About 500 MB of geometry in few blocks, plain and compressed."""
    clear()
    random = numpy.random.default_rng(2)
    for _ in range(LARGE_MESHES):
        mesh = bpy.data.meshes.new("mesh")
        mesh.vertices.add(VERTICES_OF_LARGE_MESH)
        mesh.vertices.foreach_set("co", random.random(VERTICES_OF_LARGE_MESH * 3, dtype="f"))
        mesh.attributes.new("first", "FLOAT_COLOR", "POINT")
        mesh.attributes.new("second", "FLOAT_COLOR", "POINT")
        thing = bpy.data.objects.new("object", mesh)
        bpy.context.scene.collection.objects.link(thing)
    save(folder / "large.blend", compress=False)


def make_set(folder: Path) -> None:
    """540 MB as a production has them: many objects with meshes of their own."""
    clear()
    random = numpy.random.default_rng(5)
    for _ in range(SET_OBJECTS):
        mesh = bpy.data.meshes.new("mesh")
        mesh.vertices.add(VERTICES_OF_SET_OBJECT)
        mesh.vertices.foreach_set("co", random.random(VERTICES_OF_SET_OBJECT * 3, dtype="f"))
        mesh.attributes.new("color", "FLOAT_COLOR", "POINT")
        thing = bpy.data.objects.new("object", mesh)
        bpy.context.scene.collection.objects.link(thing)
    save(folder / "raw.blend", compress=False)
    save(folder / "zstd.blend", compress=True)


def make_objects(folder: Path) -> None:
    """Many small objects: hundreds of thousands of blocks."""
    clear()
    mesh = bpy.data.meshes.new("mesh")
    for _ in range(SMALL_OBJECTS):
        thing = bpy.data.objects.new("object", mesh)
        thing.modifiers.new("bevel", "BEVEL")
        bpy.context.scene.collection.objects.link(thing)
    save(folder / "objects.blend", compress=False)


def make_heavy(folder: Path) -> None:
    """A scene that takes long to load and little to render: grids, and a camera."""
    clear()
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.render.filepath = "//render/"
    scene.frame_end = 20
    across = numpy.linspace(-1, 1, GRID_SIDE, dtype="f")
    x, y = numpy.meshgrid(across, across)
    at = numpy.arange(GRID_SIDE * GRID_SIDE).reshape(GRID_SIDE, GRID_SIDE)
    corners = numpy.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], axis=-1)
    for number in range(GRIDS):
        points = numpy.stack([x, y, numpy.sin(9 * x + number) / 9], axis=-1)
        mesh = bpy.data.meshes.new("grid")
        mesh.vertices.add(at.size)
        mesh.vertices.foreach_set("co", points.ravel())
        faces = corners.reshape(-1, 4)
        mesh.loops.add(faces.size)
        mesh.loops.foreach_set("vertex_index", faces.ravel())
        mesh.polygons.add(len(faces))
        mesh.polygons.foreach_set("loop_start", numpy.arange(0, faces.size, 4))
        mesh.update(calc_edges=True)
        thing = bpy.data.objects.new("grid", mesh)
        thing.location.z = -number
        scene.collection.objects.link(thing)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location.z = 4
    scene.collection.objects.link(camera)
    scene.camera = camera
    save(folder / "heavy.blend", compress=False)


def make_textured(folder: Path) -> None:
    """The heavy scene with textures that its surface alone shows."""
    bpy.ops.wm.open_mainfile(filepath=str(folder / "heavy.blend"))
    (folder / "textures").mkdir(exist_ok=True)
    random = numpy.random.default_rng(7)
    material = bpy.data.materials.new("material")
    nodes, links = material.node_tree.nodes, material.node_tree.links
    before = nodes["Principled BSDF"].inputs["Base Color"]
    for number in range(TEXTURES):
        image = bpy.data.images.new(f"{number}.exr", TEXTURE_SIDE, TEXTURE_SIDE, float_buffer=True)
        image.pixels.foreach_set(random.random(TEXTURE_SIDE * TEXTURE_SIDE * 4, dtype="f"))
        image.filepath_raw = str(folder / "textures" / image.name)
        image.file_format = "OPEN_EXR"
        image.save()
        image.filepath = f"//textures/{image.name}"
        mix, shown = nodes.new("ShaderNodeMixRGB"), nodes.new("ShaderNodeTexImage")
        shown.image = image
        links.new(shown.outputs["Color"], mix.inputs["Color1"])
        links.new(mix.outputs["Color"], before)
        before = mix.inputs["Color2"]
    for mesh in bpy.data.meshes:
        mesh.materials.append(material)
    save(folder / "textured.blend", compress=False)


def link_set(library: Path, collection: bpy.types.Collection) -> None:
    """Instances the collection `set` of a library in a collection."""
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, into):
        into.collections = ["set"]
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type = "COLLECTION"
    instance.instance_collection = into.collections[0]
    collection.objects.link(instance)


def clear() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


def save(path: Path, *, compress: bool) -> None:
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=compress)


if __name__ == "__main__":
    main()
