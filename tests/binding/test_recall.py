"""The tracer against Blender: what Blender lists, the tracer finds, expanded to files.

Each scene is made by Blender itself, saved, opened again, and asked for its paths by
`bpy.utils.blend_paths`; what Blender does not list (caches on disk) is named by the test.
"""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import bpy
import pytest
import render_on_lambda as native


def touch(path: Path) -> Path:
    """A file that is there; no test here reads what is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def image(path: Path, color: float = 0.5) -> Path:
    """A small picture."""
    made = bpy.data.images.new("made", 2, 2)
    made.generated_color = (color, color, color, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.filepath_raw = str(path)
    made.file_format = "PNG"
    made.save()
    bpy.data.images.remove(made)
    return path


def load_image(path: Path | str, source: str = "FILE") -> bpy.types.Image:
    loaded = bpy.data.images.load(str(path))
    loaded.source = source
    loaded.use_fake_user = True
    return loaded


def blender_lists(scene: Path) -> set[Path]:
    """Every absolute path that Blender names after it has opened the file."""
    bpy.ops.wm.open_mainfile(filepath=str(scene))
    listed = bpy.utils.blend_paths(absolute=True, packed=False, local=False)
    # A cache on disk in its usual place is listed with an empty path.
    return {Path(path) for path in listed if path}


def traced_paths(scene: Path) -> set[Path]:
    found: set[Path] = set()
    for dependency in native.trace(scene):
        found.add(dependency.path)
        found.update(dependency.files)
        if dependency.missing and dependency.required:
            pytest.fail(f"{dependency.kind} of {dependency.datablock}: {dependency.path}")
    return found


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An empty scene that lives in a folder of its own."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = tmp_path / "show" / "shot.blend"
    scene.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(scene))
    return scene


def save(scene: Path, *, compress: bool = True) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(scene), compress=compress)


def check(scene: Path, *also: Path) -> None:
    listed = blender_lists(scene)
    traced = traced_paths(scene)
    assert listed - traced == set()
    assert set(also) - traced == set()


@pytest.mark.parametrize("compress", [False, True])
def test_images_of_every_source(empty: Path, compress: bool) -> None:
    folder = empty.parent / "textures"
    load_image(image(folder / "wood.png"))
    frames = [image(folder / f"fire.{frame:04}.png") for frame in range(1, 6)]
    load_image(frames[0], "SEQUENCE")
    tiles = [image(folder / f"skin.{tile}.png") for tile in (1001, 1002, 1011)]
    load_image(tiles[0], "TILED").filepath = "//textures/skin.<UDIM>.png"
    packed = load_image(image(folder / "packed.png"))
    packed.pack()
    elsewhere = image(empty.parent.parent / "elsewhere" / "sky.png")
    load_image(elsewhere)
    save(empty, compress=compress)
    check(empty, *frames, *tiles, elsewhere)
    assert folder / "packed.png" not in traced_paths(empty)


def test_libraries_of_libraries_and_what_they_need(empty: Path) -> None:
    deepest = empty.parent / "sets" / "props" / "prop.blend"
    deepest.parent.mkdir(parents=True)
    for level, (path, texture) in enumerate(
        [(deepest, "rust.png"), (empty.parent / "sets" / "set.blend", "wall.png")]
    ):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        save(path)
        material = bpy.data.materials.new(f"material {level}")
        material.use_nodes = True
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = load_image(image(path.parent / texture))
        node.image.filepath = f"//{texture}"
        material.use_fake_user = True
        if level:
            deepest_blend = str(deepest)
            with bpy.data.libraries.load(deepest_blend, link=True, relative=True) as (_, into):
                into.materials = ["material 0"]
            mesh = bpy.data.meshes.new("mesh")
            mesh.materials.append(material)
            mesh.materials.append(bpy.data.materials["material 0"])
            mesh.use_fake_user = True
        save(path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(empty)
    set_blend = str(empty.parent / "sets" / "set.blend")
    with bpy.data.libraries.load(set_blend, link=True, relative=True) as (_, into):
        into.meshes = ["mesh"]
    linked = bpy.data.objects.new("set", bpy.data.meshes["mesh"])
    bpy.context.scene.collection.objects.link(linked)
    save(empty)
    check(empty, deepest, deepest.parent / "rust.png")
    rust = [item for item in native.trace(empty) if item.path.name == "rust.png"]
    assert [path.name for path in rust[0].library_chain] == [
        "shot.blend",
        "set.blend",
        "prop.blend",
    ]


def test_datablocks_of_a_packed_library_keep_their_folder(empty: Path) -> None:
    library = empty.parent / "sets" / "set.blend"
    library.parent.mkdir()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(library)
    material = bpy.data.materials.new("material")
    material.use_nodes = True
    wood = load_image(image(library.parent / "wood.png"))
    wood.filepath = "//wood.png"
    material.node_tree.nodes.new("ShaderNodeTexImage").image = wood
    material.use_fake_user = True
    save(library)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(empty)
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, into):
        into.materials = ["material"]
    packed = bpy.data.pack_linked_ids_hierarchy(into.materials[0])
    mesh = bpy.data.meshes.new("mesh")
    mesh.materials.append(packed)
    mesh.use_fake_user = True
    save(empty)
    check(empty, library.parent / "wood.png")


def test_strips_of_the_sequencer(empty: Path) -> None:
    footage = empty.parent / "footage"
    frames = [image(footage / f"plate.{frame:03}.png") for frame in range(3)]
    editor = bpy.context.scene.sequence_editor_create()
    strips = editor.strips
    strip = strips.new_image("plate", str(frames[0]), 1, 1)
    for frame in frames[1:]:
        strip.elements.append(frame.name)
    beside = image(empty.parent / "beside.png")
    strips.new_image("beside", "//beside.png", 2, 1)
    movie = touch(footage / "take.mov")
    strips.new_movie("take", str(movie), 3, 1)
    sound = touch(footage / "voice.wav")
    strips.new_sound("voice", str(sound), 4, 1)
    save(empty)
    check(empty, *frames, beside, movie, sound)


def test_nodes_that_name_files(empty: Path) -> None:
    material = bpy.data.materials.new("material")
    material.use_nodes = True
    material.use_fake_user = True
    ies = material.node_tree.nodes.new("ShaderNodeTexIES")
    ies.mode = "EXTERNAL"
    ies.filepath = "//lights/spot.ies"
    script = material.node_tree.nodes.new("ShaderNodeScript")
    script.mode = "EXTERNAL"
    script.filepath = "//shaders/glow.osl"
    geometry = bpy.data.node_groups.new("geometry", "GeometryNodeTree")
    geometry.use_fake_user = True
    importer = geometry.nodes.new("GeometryNodeImportSTL")
    importer.inputs["Path"].default_value = "//models/part.stl"
    string = geometry.nodes.new("FunctionNodeInputString")
    string.string = "//models/other.stl"
    save(empty)
    expected = [
        touch(empty.parent / name)
        for name in ("lights/spot.ies", "shaders/glow.osl", "models/part.stl", "models/other.stl")
    ]
    check(empty, *expected)


def test_files_of_datablocks_that_are_one_file_each(empty: Path) -> None:
    assets = empty.parent / "assets"
    bpy.data.sounds.load(str(touch(assets / "wind.wav"))).use_fake_user = True
    volumes = [touch(assets / f"smoke_{frame:04}.vdb") for frame in (1, 2, 3)]
    volume = bpy.data.volumes.new("smoke")
    volume.filepath = "//assets/smoke_0001.vdb"
    volume.is_sequence = True
    volume.use_fake_user = True
    text = bpy.data.texts.load(str(touch(assets / "notes.txt")))
    text.use_fake_user = True
    clip = bpy.data.movieclips.load(str(image(assets / "clip.0001.png")))
    clip.use_fake_user = True
    save(empty)
    check(empty, *volumes, assets / "clip.0001.png")
    required = {item.kind: item.required for item in native.trace(empty)}
    assert not required["text"]


def test_caches_that_blender_does_not_list(empty: Path) -> None:
    mesh = bpy.data.meshes.new("cube")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    thing = bpy.data.objects.new("Café", mesh)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.objects.active = thing
    cloth = thing.modifiers.new("cloth", "CLOTH")
    cloth.point_cache.use_disk_cache = True
    particles = thing.modifiers.new("hair", "PARTICLE_SYSTEM")
    external = particles.particle_system.point_cache
    external.use_disk_cache = True
    external.use_external = True
    external.filepath = "//simulations/"
    external.name = "sparks"
    cache = thing.modifiers.new("cache", "MESH_CACHE")
    cache.filepath = "//caches/walk.pc2"
    ocean = thing.modifiers.new("ocean", "OCEAN")
    ocean.filepath = "//caches/ocean"
    fluid = thing.modifiers.new("fluid", "FLUID")
    fluid.fluid_type = "DOMAIN"
    fluid.domain_settings.cache_directory = "//caches/fluid"
    save(empty)
    hexadecimal = "Café".encode().hex().upper()
    expected = [
        touch(empty.parent / name)
        for name in (
            f"blendcache_shot/{hexadecimal}_000001_00.bphys",
            "simulations/sparks_000001.bphys",
            "caches/walk.pc2",
            "caches/ocean/disp_0001.exr",
            "caches/fluid/data/fluid_data_0001.vdb",
        )
    ]
    stranger = touch(empty.parent / "blendcache_shot" / "00_000001_00.bphys")
    check(empty, *expected)
    assert stranger not in traced_paths(empty)


@pytest.mark.parametrize("compress", [False, True])
def test_damage_is_an_error_or_a_result(empty: Path, compress: bool) -> None:
    mesh = bpy.data.meshes.new("triangle")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    mesh.use_fake_user = True
    load_image(image(empty.parent / "wood.png"))
    save(empty, compress=compress)
    whole = empty.read_bytes()
    random = Random(7)
    damaged = [whole[: random.randrange(len(whole))] for _ in range(50)]
    for _ in range(200):
        flipped = bytearray(whole)
        flipped[random.randrange(len(whole))] ^= 1 << random.randrange(8)
        damaged.append(bytes(flipped))
    copy = empty.with_name("damaged.blend")
    for number, content in enumerate(damaged):
        copy.write_bytes(content)
        started = time.monotonic()
        try:
            native.trace(copy)
        except (ValueError, OSError) as error:
            assert "damaged.blend" in str(error), error
        assert time.monotonic() - started < 5, f"damage number {number}"


def test_a_strip_names_each_frame_that_is_not_there(empty: Path) -> None:
    frames = [image(empty.parent / f"plate.{frame:03}.png") for frame in range(3)]
    strips = bpy.context.scene.sequence_editor_create().strips
    strip = strips.new_image("plate", str(frames[0]), 1, 1)
    for frame in frames[1:]:
        strip.elements.append(frame.name)
    save(empty)
    frames[1].unlink()
    found = [item for item in native.trace(empty) if item.kind == "image sequence"]
    assert [(item.missing, item.files) for item in found] == [(True, [frames[0], frames[2]])]
