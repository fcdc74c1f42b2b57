"""What a file tells of why its frames are not rendered in parts is what the worker finds."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
import render_on_lambda

Scene = bpy.types.Scene


def engine(scene: Scene) -> None:
    names = [item.identifier for item in scene.render.bl_rna.properties["engine"].enum_items]
    scene.render.engine = "BLENDER_WORKBENCH" if "BLENDER_WORKBENCH" in names else names[0]


def time_limit(scene: Scene) -> None:
    scene.cycles.time_limit = 0.5


def sequencer(scene: Scene) -> None:
    scene.sequence_editor_create().strips.new_effect("c", "COLOR", 1, 1, length=10)


def freestyle(scene: Scene) -> None:
    scene.render.use_freestyle = scene.view_layers[0].use_freestyle = True


def grease_pencil(_scene: Scene) -> None:
    bpy.ops.object.grease_pencil_add(type="STROKE")


def single_layer(scene: Scene) -> None:
    scene.view_layers.new("second")
    scene.render.use_single_layer = True


def own_colors(scene: Scene) -> None:
    scene.render.image_settings.color_management = "OVERRIDE"


def path_guiding(scene: Scene) -> None:
    scene.cycles.use_guiding = True


def volumes(scene: Scene) -> None:
    nodes = scene.world.node_tree.nodes
    fog = nodes.new("ShaderNodeVolumePrincipled")
    scene.world.node_tree.links.new(fog.outputs[0], nodes["World Output"].inputs["Volume"])


def smoke(_scene: Scene) -> None:
    material = bpy.data.objects["Cube"].material_slots[0].material
    nodes = material.node_tree.nodes
    smoke = nodes.new("ShaderNodeVolumeScatter")
    output = next(node for node in nodes if node.bl_idname == "ShaderNodeOutputMaterial")
    material.node_tree.links.new(smoke.outputs[0], output.inputs["Volume"])


def openvdb(_scene: Scene) -> None:
    bpy.ops.object.volume_add()


def texture_cache(scene: Scene) -> None:
    scene.render.use_auto_generate_texture_cache = True
    image = bpy.data.images.new("texture", 4, 4)
    image.source, image.filepath = "FILE", "//texture.png"
    material = bpy.data.objects["Cube"].material_slots[0].material
    nodes = material.node_tree.nodes
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = image
    shader = next(node for node in nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    material.node_tree.links.new(texture.outputs[0], shader.inputs[0])


def save(change: Callable[[Scene], None], folder: Path) -> Path:
    bpy.ops.wm.read_factory_settings(use_empty=False)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    change(scene)
    path = folder / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True)
    return path


@pytest.mark.parametrize(
    "change",
    [engine, time_limit, sequencer, freestyle, grease_pencil, single_layer, own_colors,
     path_guiding, volumes, texture_cache],
)  # fmt: skip
def test_each_reason_is_found(change: Callable[[Scene], None], tmp_path: Path) -> None:
    found = render_on_lambda.split_obstacle(save(change, tmp_path))
    assert found is not None
    assert found[0] == change.__name__.replace("_", " ")


@pytest.mark.parametrize("change", [smoke, openvdb])
def test_volumes_of_objects_are_found(change: Callable[[Scene], None], tmp_path: Path) -> None:
    found = render_on_lambda.split_obstacle(save(change, tmp_path))
    assert found is not None and found[0] == "volumes"


def switched_off(scene: Scene) -> None:
    """What would be a reason, and is not used by any frame."""
    sequencer(scene)
    scene.render.use_sequencer = False
    scene.render.use_single_layer = True
    scene.view_layers[0].use_freestyle = True
    scene.cycles.time_limit = 5
    scene.cycles.time_limit = 0
    scene.cycles.use_guiding = True
    scene.cycles.use_guiding = False
    material = bpy.data.materials.new("unused smoke")
    material.use_fake_user = True
    nodes = material.node_tree.nodes
    fog = nodes.new("ShaderNodeVolumeScatter")
    output = next(node for node in nodes if node.bl_idname == "ShaderNodeOutputMaterial")
    material.node_tree.links.new(fog.outputs[0], output.inputs["Volume"])


@pytest.mark.parametrize("change", [lambda _scene: None, switched_off])
def test_what_no_frame_uses_is_no_reason(change: Callable[[Scene], None], tmp_path: Path) -> None:
    assert render_on_lambda.split_obstacle(save(change, tmp_path)) is None


def test_another_scene_of_the_file_is_no_reason(tmp_path: Path) -> None:
    def beside(scene: Scene) -> None:
        other = bpy.data.scenes.new("other")
        other.render.engine = "BLENDER_WORKBENCH"
        scene["note"] = other

    path = save(beside, tmp_path)
    assert render_on_lambda.split_obstacle(path, "Scene") is None
    assert (render_on_lambda.split_obstacle(path, "other") or ("",))[0] == "engine"


@pytest.mark.timeout(60)
def test_properties_that_lead_to_themselves_are_looked_at_once(tmp_path: Path) -> None:
    """What no Blender writes: the settings of Cycles hold themselves, and come after themselves."""
    path = save(time_limit, tmp_path)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
    assert render_on_lambda.split_obstacle(path) is not None
    data = bytearray(path.read_bytes())
    # A header of 17 bytes, then blocks with heads of 32; `IDProperty`, `DNA_ID.h`, Blender 5.2.
    at, patched = 17, 0
    while data[at : at + 4] != b"ENDB":
        _, address, length, _ = struct.unpack_from("<iqqq", data, at + 4)
        payload = at + 32
        if data[payload + 20 : payload + 27] == b"cycles\0" and data[payload + 16] == 6:
            struct.pack_into("<q", data, payload, address)
            struct.pack_into("<q", data, payload + 96, address)
            patched += 1
        at = payload + length
    assert patched
    path.write_bytes(data)
    assert render_on_lambda.split_obstacle(path) is None
