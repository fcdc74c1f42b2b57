"""The tracer against Blender: what Blender lists, the tracer finds, expanded to files.

Each scene is made by Blender itself, saved, opened again, and asked for its paths by
`bpy.utils.blend_paths`; what Blender does not list (caches on disk) is named by the test.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

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


def test_a_library_that_is_packed_as_a_file_keeps_its_folder_and_its_own_libraries(
    empty: Path,
) -> None:
    sets = empty.parent.parent / "sets"
    inner, outer = sets / "props" / "inner.blend", sets / "outer.blend"
    inner.parent.mkdir(parents=True)
    for path, texture in ((inner, "rust.png"), (outer, "wall.png")):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        material = new_material(path.stem)
        image_node(material, load_image(image(path.parent / texture)))
        use_material(material)
        if path == outer:
            with bpy.data.libraries.load(str(inner), link=True) as (_, into):
                into.materials = ["inner"]
            use_material(into.materials[0])
        save(path)
    bpy.ops.wm.open_mainfile(filepath=str(empty))
    with bpy.data.libraries.load(str(outer), link=True, relative=True) as (there, into):
        into.objects = there.objects
    for thing in into.objects:
        bpy.context.scene.collection.objects.link(thing)
    bpy.ops.file.pack_libraries()
    save(empty)
    inner.unlink()
    outer.unlink()
    check(empty, inner.with_name("rust.png"), sets / "wall.png")
    packed = packed_names(empty, empty.parent.parent / "pack")
    assert packed == {"shot.blend", "inner.blend", "outer.blend", "rust.png", "wall.png"}


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


def show(shown: bpy.types.Image) -> None:
    """Make the scene use an image."""
    empty = bpy.data.objects.new("shown", None)
    empty.data = shown
    bpy.context.scene.collection.objects.link(empty)


def use_material(material: bpy.types.Material) -> None:
    """Make the scene use a material."""
    mesh = bpy.data.meshes.new("mesh")
    mesh.materials.append(material)
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("thing", mesh))


def image_node(material: bpy.types.Material, shown: bpy.types.Image) -> bpy.types.Node:
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = shown
    return node


def new_material(name: str) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    return material


def used_paths(scene: Path) -> set[str]:
    return {item.path.name for item in native.trace(scene) if item.used}


def packed_names(scene: Path, to: Path, frames: tuple[int, int, int] | None = None) -> set[str]:
    """The names of the files in a pack."""
    work = native.LocalPack(scene, to, frames=frames)
    while not work.is_over:
        work.poll()
        time.sleep(0.01)
    return {path.name for path in to.rglob("*") if path.is_file()}


def test_what_no_scene_leads_to_is_listed_and_stays_out_of_the_pack(empty: Path) -> None:
    folder = empty.parent
    show(load_image(image(folder / "shown.png")))
    load_image(image(folder / "kept by a fake user.png"))
    painted = bpy.data.textures.new("bristles", "IMAGE")
    painted.image = load_image(image(folder / "bristles.png"))
    brush = bpy.data.brushes.new("brush", mode="TEXTURE_PAINT")
    brush.texture = painted
    brush.use_fake_user = True
    save(empty)
    check(empty, folder / "bristles.png")
    assert used_paths(empty) == {"shown.png"}
    assert packed_names(empty, folder / "pack") == {"shot.blend", "shown.png"}


def test_of_a_library_only_what_is_linked_counts(empty: Path) -> None:
    library = empty.parent / "materials.blend"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(library)
    for name in ("oak", "ash", "elm"):
        material = new_material(name)
        image_node(material, load_image(image(empty.parent / f"{name}.png")))
        material.use_fake_user = True
    save(library)
    (empty.parent / "elm.png").unlink()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(empty)
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, into):
        into.materials = ["oak"]
    use_material(into.materials[0])
    save(empty)
    check(empty, library, empty.parent / "oak.png")
    assert used_paths(empty) == {"materials.blend", "oak.png"}


def test_a_datablock_that_a_library_itself_links_is_followed(empty: Path) -> None:
    inner, outer = empty.parent / "inner.blend", empty.parent / "outer.blend"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(inner)
    group = bpy.data.node_groups.new("group", "ShaderNodeTree")
    group.nodes.new("ShaderNodeTexImage").image = load_image(image(empty.parent / "deep.png"))
    group.use_fake_user = True
    save(inner)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(outer)
    with bpy.data.libraries.load(str(inner), link=True, relative=True) as (_, into):
        into.node_groups = ["group"]
    material = new_material("material")
    material.node_tree.nodes.new("ShaderNodeGroup").node_tree = into.node_groups[0]
    material.use_fake_user = True
    save(outer)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(empty)
    with bpy.data.libraries.load(str(outer), link=True, relative=True) as (_, into):
        into.materials = ["material"]
    use_material(into.materials[0])
    save(empty)
    check(empty, outer, inner, empty.parent / "deep.png")
    assert used_paths(empty) == {"outer.blend", "inner.blend", "deep.png"}


def test_libraries_that_link_each_other_in_a_circle_are_read_once(empty: Path) -> None:
    one, two = empty.parent / "one.blend", empty.parent / "two.blend"
    for path, other in ((one, None), (two, one), (one, two)):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        save(path)
        whole = bpy.data.collections.new(f"whole {path.stem}")
        whole.children.link(bpy.data.collections.new(f"part {path.stem}"))
        whole.use_fake_user = True
        if other:
            with bpy.data.libraries.load(str(other), link=True, relative=True) as (_, into):
                into.collections = [f"part {other.stem}"]
            whole.children.link(into.collections[0])
        save(path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(empty)
    for path in (one, two):
        with bpy.data.libraries.load(str(path), link=True, relative=True) as (_, into):
            into.collections = [f"whole {path.stem}"]
        bpy.context.scene.collection.children.link(into.collections[0])
    save(empty)
    check(empty, one, two)
    assert [item.path for item in native.trace(empty) if item.used].count(one) == 2


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


def test_where_a_datablock_was_appended_from_is_listed_and_not_packed(empty: Path) -> None:
    library = empty.parent / "materials.blend"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(library)
    new_material("oak").use_fake_user = True
    save(library)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(empty)
    bpy.ops.wm.append(
        directory=f"{library}/Material/", filename="oak", do_reuse_local_id=True, link=False
    )
    bpy.data.materials["oak"].use_fake_user = True
    save(empty)
    check(empty)
    assert packed_names(empty, empty.parent / "pack") == {"shot.blend"}


def test_a_sequence_is_limited_to_what_the_frames_of_the_job_show(empty: Path) -> None:
    frames = [image(empty.parent / f"fire.{frame:04}.png") for frame in range(1, 31)]
    sequence = load_image(frames[0], "SEQUENCE")
    material = new_material("fire")
    node = image_node(material, sequence)
    node.image_user.frame_duration = 20
    node.image_user.frame_start = 101
    node.image_user.frame_offset = 5
    node.image_user.use_auto_refresh = True
    use_material(material)
    save(empty)
    # Frame 110 shows file 15; one more on either side, and the one that was shown when saved.
    limited = packed_names(empty, empty.parent / "limited", frames=(110, 110, 1))
    assert {"fire.0014.png", "fire.0015.png", "fire.0016.png"} <= limited
    assert len(limited) <= 5
    assert len(packed_names(empty, empty.parent / "whole")) == 31
    node.image_user.keyframe_insert("frame_offset", frame=1)
    save(empty)
    assert len(packed_names(empty, empty.parent / "moving", frames=(110, 110, 1))) == 31


def test_a_colour_configuration_of_the_artists_own_travels_along(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = empty.parent / "colour" / "config.ocio"
    table = touch(config.parent / "luts" / "film.spi1d")
    config.write_text("ocio_profile_version: 2\nsearch_path: luts\n")
    monkeypatch.setenv("OCIO", str(config))
    (found,) = [item for item in native.trace(empty) if item.kind == "colour configuration"]
    assert (found.files, found.required) == ([config, table], True)
    assert packed_names(empty, empty.parent / "pack") >= {"config.ocio", "film.spi1d"}
    monkeypatch.setenv("OCIO", str(config.with_name("gone.ocio")))
    (found,) = [item for item in native.trace(empty) if item.kind == "colour configuration"]
    assert found.missing and found.required


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


def test_layers_of_usd_and_the_shader_of_a_camera_travel_along(empty: Path) -> None:
    layer = empty.parent / "sets" / "layer.usda"
    touch(layer).write_text("#usda 1.0\n")
    top = layer.with_name("top.usda")
    top.write_text("#usda 1.0\n(\n    subLayers = [@./layer.usda@]\n)\n")
    thing = bpy.data.objects.new("thing", bpy.data.meshes.new("mesh"))
    bpy.context.scene.collection.objects.link(thing)
    bpy.ops.cachefile.open(filepath=str(top))
    thing.modifiers.new("cache", "MESH_SEQUENCE_CACHE").cache_file = bpy.data.cache_files[0]
    expected = [layer, top]
    camera = bpy.data.cameras.new("camera")
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("camera", camera))
    if hasattr(camera, "custom_filepath"):
        header = touch(empty.parent / "shaders" / "inc.h")
        shader = header.with_name("lens.osl")
        shader.write_text('#include "inc.h"\n')
        camera.type, camera.custom_mode = "CUSTOM", "EXTERNAL"
        camera.custom_filepath = str(shader)
        expected += [shader, header]
    save(empty)
    check(empty, *expected)
    names = {path.name for path in expected} | {"shot.blend"}
    assert packed_names(empty, empty.parent / "pack") == names


def test_names_that_not_every_system_takes_stay_what_they_are_in_a_pack(empty: Path) -> None:
    folder = empty.parent / "50%3a"
    names = ["take:1.png", "b001:x.png", "c%20d.png", os.fsdecode(b"caf\xe9.png")]
    for name in names:
        show(load_image(image(folder / name)))
    frames = [image(folder / f"plate{frame}%25.png") for frame in (1, 2)]
    strips = bpy.context.scene.sequence_editor_create().strips
    strip = strips.new_image("plate", str(frames[0]), 1, 1)
    strip.elements.append(frames[1].name)
    save(empty)
    check(empty, *frames)
    pack = empty.parent.parent / "pack"
    packed = packed_names(empty, pack)
    assert packed == {empty.name, *names, *(frame.name for frame in frames)}
    (scene,) = pack.rglob(empty.name)
    shutil.rmtree(folder)
    bpy.ops.wm.open_mainfile(filepath=str(scene))
    listed = {Path(path) for path in bpy.utils.blend_paths(absolute=True, packed=False)}
    assert {path.name for path in listed} >= {*names, frames[0].name}
    assert all(path.is_file() and pack in path.parents for path in listed)


def test_frames_that_a_strip_shows_of_another_scene_are_not_left_out(empty: Path) -> None:
    frames = [image(empty.parent / f"f.{frame:04}.png") for frame in range(1, 13)]
    node = image_node(new_material("shown"), load_image(frames[0], "SEQUENCE"))
    node.image_user.frame_duration = 12
    node.image_user.use_auto_refresh = True
    use_material(bpy.data.materials["shown"])
    later = bpy.context.scene
    later.frame_start = 7
    edit = bpy.data.scenes.new("edit")
    edit.sequence_editor_create().strips.new_scene("later", later, 1, 1)
    save(empty)
    packed = packed_names(empty, empty.parent.parent / "pack", frames=(1, 2, 1))
    assert {frame.name for frame in frames} <= packed


def test_strips_with_views_name_a_file_for_each(empty: Path) -> None:
    files = [image(empty.parent / f"a1_{view}.png") for view in "LR"]
    strips = bpy.context.scene.sequence_editor_create().strips
    strip = strips.new_image("plate", str(files[0]), 1, 1)
    bpy.context.scene.render.use_multiview = True
    strip.use_multiview = True
    strip.views_format = "INDIVIDUAL"
    save(empty)
    check(empty, *files)


def test_a_cache_of_a_linked_object_may_lie_beside_the_scene(empty: Path) -> None:
    library = empty.parent.parent / "props" / "prop.blend"
    library.parent.mkdir()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh = bpy.data.meshes.new("mesh")
    thing = bpy.data.objects.new("cloth", mesh)
    bpy.context.scene.collection.objects.link(thing)
    thing.modifiers.new("cloth", "CLOTH")
    save(library)
    cache = thing.modifiers[0].point_cache
    cache.use_disk_cache, cache.use_library_path = True, False
    save(library)
    bpy.ops.wm.open_mainfile(filepath=str(empty))
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, into):
        into.objects = ["cloth"]
    bpy.context.scene.collection.objects.link(into.objects[0])
    save(empty)
    prefix = "".join(f"{byte:02X}" for byte in b"cloth")
    found = touch(empty.with_name(f"blendcache_{empty.stem}") / f"{prefix}_000001_00.bphys")
    assert found in traced_paths(empty)


def test_the_file_of_a_library_whose_datablocks_are_packed_is_not_needed(empty: Path) -> None:
    library = empty.parent.parent / "props" / "prop.blend"
    library.parent.mkdir()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("prop", None))
    save(library)
    bpy.ops.wm.open_mainfile(filepath=str(empty))
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, into):
        into.objects = ["prop"]
    packed = bpy.data.pack_linked_ids_hierarchy(into.objects[0])
    bpy.context.scene.collection.objects.link(packed)
    save(empty)
    library.unlink()
    assert not [item for item in native.trace(empty) if item.missing and item.required]


def test_what_is_missing_is_found_although_something_unused_has_its_name(empty: Path) -> None:
    library = empty.parent / "a" / "props.blend"
    library.parent.mkdir()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(library)
    wood = load_image(image(library.parent / "wood.png"))
    wood.filepath = "//wood.png"
    image_node(new_material("wood"), wood)
    bpy.data.materials["wood"].use_fake_user = True
    save(library)
    bpy.ops.wm.open_mainfile(filepath=str(empty))
    load_image(image(empty.parent / "wood.png")).filepath = "//wood.png"
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, into):
        into.materials = ["wood"]
    use_material(into.materials[0])
    save(empty)
    (library.parent / "wood.png").unlink()
    (empty.parent / "wood.png").unlink()
    work = native.LocalPack.verify(empty, Path(sys.executable))
    problems = []
    while not work.is_over:
        for event in work.poll():
            if isinstance(event, native.LocalPackEvent.Verified):
                problems += event.problems
        time.sleep(0.01)
    assert [problem.datablock for problem in problems] == ["wood.png"] * len(problems)
    assert problems
