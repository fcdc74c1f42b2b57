"""The tracer against Blender: what Blender lists, the tracer finds, expanded to files.

Each scene is made by Blender itself, saved, opened again, and asked for its paths by
`bpy.utils.blend_paths`; what Blender does not list (caches on disk) is named by the test.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
import render_on_lambda as native
from blender_scenes import (
    blender_lists,
    check,
    image,
    load_image,
    packed_names,
    save,
    show,
    touch,
    traced_paths,
)


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
    # Whoever makes a scene names its folders, and they may be anybody's.
    strangers = [
        touch(empty.parent / name)
        for name in (
            "blendcache_shot/00_000001_00.bphys",
            f"blendcache_shot/{hexadecimal}_letter.txt",
            "simulations/sparks_of_genius.txt",
            "caches/ocean/taxes.txt",
            "caches/ocean/documents/disp_0001.exr",
            "caches/fluid/wallet.dat",
            "caches/fluid/data/letter.txt",
        )
    ]
    check(empty, *expected)
    assert not set(strangers) & set(traced_paths(empty))


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


def test_views_of_an_image_and_proxies_of_a_clip(empty: Path) -> None:
    folder = empty.parent / "stereo"
    views = [image(folder / f"sky_{side}.png") for side in ("L", "R")]
    bpy.context.scene.render.use_multiview = True
    sky = load_image(views[0])
    sky.use_multiview = True
    sky.views_format = "INDIVIDUAL"
    sky.filepath = "//stereo/sky.png"
    sky.reload()
    show(sky)
    clip = bpy.data.movieclips.load(str(image(folder / "clip.0001.png")))
    clip.use_proxy = True
    bpy.context.scene.active_clip = clip
    save(empty)
    proxy = touch(folder / "BL_proxy" / "clip.0001.png" / "proxy_25" / "00000001.jpg")
    traced = traced_paths(empty)
    assert proxy in traced
    assert blender_lists(empty) - traced == set()


def test_paths_that_reach_an_import_node_from_outside_it_are_found(empty: Path) -> None:
    """Through the inputs of a group, and those of the modifier: Blender lists neither."""
    models = [
        touch(empty.parent.parent / "models" / name) for name in ("group.obj", "modifier.obj")
    ]
    inner = bpy.data.node_groups.new("inner", "GeometryNodeTree")
    outer = bpy.data.node_groups.new("outer", "GeometryNodeTree")
    for tree in (inner, outer):
        socket = tree.interface.new_socket("Path", in_out="INPUT", socket_type="NodeSocketString")
        socket.subtype = "FILE_PATH"
        tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
        group = tree.nodes.new("NodeGroupInput")
        importer = tree.nodes.new("GeometryNodeImportOBJ")
        tree.links.new(group.outputs[0], importer.inputs["Path"])
    nested = outer.nodes.new("GeometryNodeGroup")
    nested.node_tree = inner
    nested.inputs[0].default_value = str(models[0])
    thing = bpy.data.objects.new("thing", bpy.data.meshes.new("mesh"))
    bpy.context.scene.collection.objects.link(thing)
    modifier = thing.modifiers.new("nodes", "NODES")
    modifier.node_group = outer
    (identifier,) = [
        item.identifier for item in outer.interface.items_tree if item.in_out == "INPUT"
    ]
    if bpy.app.version >= (5, 2, 0):
        getattr(modifier.properties.inputs, identifier).value = str(models[1])
    else:
        modifier[identifier] = str(models[1])
    save(empty)
    check(empty, *models)
    to = empty.parent / "pack"
    assert packed_names(empty, to) == {"shot.blend", "group.obj", "modifier.obj"}
    # Rewritten, the properties are read by Blender, and lead into the pack.
    (scene,) = to.rglob("shot.blend")
    found = {item.path for item in native.trace(scene) if item.kind == "node input"}
    assert found == set(to.rglob("*.obj"))
    bpy.ops.wm.open_mainfile(filepath=str(scene))
    modifier = bpy.data.objects["thing"].modifiers[0]
    if bpy.app.version >= (5, 2, 0):
        value = getattr(modifier.properties.inputs, identifier).value
    else:
        value = modifier[identifier]
    assert Path(bpy.path.abspath(value)).is_file()


def test_what_no_render_reads_and_what_is_private_is_not_sent(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A note that is a path is a note; a texture that is a key is named as missing."""
    home = empty.parent / "home"
    key = touch(home / ".ssh" / "id_ed25519")
    secret = touch(home / "secret.txt")
    monkeypatch.setenv("HOME", str(home))
    bpy.context.scene["note"] = str(secret)
    bpy.context.scene.world = bpy.data.worlds.new("world")
    bpy.context.scene.world["passwords"] = "/etc/passwd"
    thing = bpy.data.objects.new("thing", bpy.data.meshes.new("mesh"))
    bpy.context.scene.collection.objects.link(thing)
    thing["note"] = str(secret)
    picture = bpy.data.images.load(str(image(empty.parent / "wood.png")))
    picture.filepath = str(key)
    show(picture)
    save(empty)
    traced = native.trace(empty)
    assert not [item for item in traced if item.path in {secret, Path("/etc/passwd")}]
    (found,) = [item for item in traced if item.path == key]
    assert found.missing and found.required
    # Missing files are told, and nothing is packed.
    assert packed_names(empty, empty.parent / "pack") == set()


def test_strips_with_views_name_a_file_for_each(empty: Path) -> None:
    files = [image(empty.parent / f"a1_{view}.png") for view in "LR"]
    strips = bpy.context.scene.sequence_editor_create().strips
    strip = strips.new_image("plate", str(files[0]), 1, 1)
    bpy.context.scene.render.use_multiview = True
    strip.use_multiview = True
    strip.views_format = "INDIVIDUAL"
    save(empty)
    check(empty, *files)
