"""What a scene needs of its libraries: linked, packed as files, packed by datablock."""

from __future__ import annotations

from pathlib import Path

import bpy
import render_on_lambda as native
from blender_scenes import (
    check,
    image,
    image_node,
    load_image,
    new_material,
    packed_names,
    save,
    touch,
    traced_paths,
    use_material,
    used_paths,
)


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
