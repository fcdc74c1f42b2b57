"""What goes into a pack, what stays at home, and what is said to be missing."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import bpy
import pytest
import render_on_lambda as native
from blender_scenes import (
    check,
    image,
    image_node,
    load_image,
    new_material,
    packed_names,
    save,
    show,
    touch,
    use_material,
    used_paths,
)


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
    frames[14].unlink()
    work = native.LocalPack(empty, empty.parent / "with a hole", frames=(109, 110, 1))
    missing = []
    while not work.is_over:
        for event in work.poll():
            if isinstance(event, native.LocalPackEvent.MissingFiles):
                missing += [file.path for file in event.files]
        time.sleep(0.01)
    assert missing == [frames[14]]
    shutil.copy(frames[13], frames[14])
    bpy.context.scene.render.frame_map_new = 300
    save(empty)
    assert len(packed_names(empty, empty.parent / "remapped", frames=(110, 110, 1))) == 31
    bpy.context.scene.render.frame_map_new = 100
    node.image_user.keyframe_insert("frame_offset", frame=1)
    save(empty)
    assert len(packed_names(empty, empty.parent / "moving", frames=(110, 110, 1))) == 31
    animation = material.node_tree.animation_data
    action = animation.action
    slot = getattr(animation, "action_slot", None)
    strip = animation.nla_tracks.new().strips.new("offset", 1, action)
    if slot is not None:
        strip.action_slot = slot
    animation.action = None
    save(empty)
    assert len(packed_names(empty, empty.parent / "by strips", frames=(110, 110, 1))) == 31


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
