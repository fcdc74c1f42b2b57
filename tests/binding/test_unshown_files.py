"""A missing file stops a job where a frame shows it, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
import render_on_lambda as native
from blender_scenes import image, load_image, new_material, save, use_material


def is_stopped(blend_file: Path) -> bool:
    """Whether a job would be, for want of a file."""
    save(blend_file)
    return any(one.missing and one.required for one in native.trace(blend_file))


def gone(folder: Path, name: str = "gone.png") -> bpy.types.Image:
    """An image whose file is not there any more."""
    loaded = load_image(image(folder / name))
    (folder / name).unlink()
    return loaded


def plane(material: bpy.types.Material | None = None) -> bpy.types.Object:
    mesh = bpy.data.meshes.new("plane")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    made = bpy.data.objects.new("plane", mesh)
    bpy.context.scene.collection.objects.link(made)
    if material:
        mesh.materials.append(material)
    return made


def background_of_the_camera(folder: Path) -> Callable[[], None]:
    camera = bpy.data.cameras.new("camera")
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("camera", camera))
    camera.background_images.new().image = gone(folder)
    return lambda: use_material(textured(folder, "gone.png"))


def reference(folder: Path) -> Callable[[], None]:
    made = bpy.data.objects.new("reference", None)
    made.empty_display_type = "IMAGE"
    made.data = gone(folder)
    bpy.context.scene.collection.objects.link(made)
    return lambda: use_material(textured(folder, "gone.png"))


def textured(folder: Path, name: str) -> bpy.types.Material:
    material = new_material("textured")
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.get(name) or gone(folder, name)
    tree.links.new(node.outputs[0], tree.nodes["Principled BSDF"].inputs["Base Color"])
    return material


def muted_node(folder: Path) -> Callable[[], None]:
    material = textured(folder, "gone.png")
    use_material(material)
    node = next(one for one in material.node_tree.nodes if one.type == "TEX_IMAGE")
    node.mute = True
    return lambda: setattr(node, "mute", False)


def muted_group(folder: Path) -> Callable[[], None]:
    group = bpy.data.node_groups.new("group", "ShaderNodeTree")
    group.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
    inside = group.nodes.new("ShaderNodeTexImage")
    inside.image = gone(folder)
    group.links.new(inside.outputs[0], group.nodes.new("NodeGroupOutput").inputs[0])
    material = new_material("grouped")
    use_material(material)
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = group
    tree.links.new(node.outputs[0], tree.nodes["Principled BSDF"].inputs["Base Color"])
    node.mute = True
    return lambda: setattr(node, "mute", False)


def modifier(folder: Path) -> Callable[[], None]:
    displace = plane().modifiers.new("displace", "DISPLACE")
    displace.texture = bpy.data.textures.new("texture", "IMAGE")
    displace.texture.image = gone(folder)
    displace.show_render = False

    def show_later() -> None:
        displace.show_render = True
        displace.keyframe_insert("show_render", frame=10)
        displace.show_render = False

    return show_later


def strip(folder: Path) -> Callable[[], None]:
    made = strips().new_image("strip", str(image(folder / "gone.png")), 1, 1)
    (folder / "gone.png").unlink()
    made.mute = True

    def show_later() -> None:
        made.mute = False
        made.keyframe_insert("mute", frame=10)
        made.mute = True

    return show_later


def strips() -> bpy.types.StripsTopLevel:
    return bpy.context.scene.sequence_editor_create().strips


def sequencer(folder: Path) -> Callable[[], None]:
    strips().new_image("strip", str(image(folder / "gone.png")), 1, 1)
    (folder / "gone.png").unlink()
    render = bpy.context.scene.render
    render.use_sequencer = False
    return lambda: setattr(render, "use_sequencer", True)


def compositor(folder: Path) -> Callable[[], None]:
    scene = bpy.context.scene
    scene.compositing_node_group = tree = bpy.data.node_groups.new("group", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    node = tree.nodes.new("CompositorNodeImage")
    node.image = gone(folder)
    tree.links.new(node.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
    scene.render.use_compositing = False
    return lambda: setattr(scene.render, "use_compositing", True)


@pytest.mark.parametrize(
    "make",
    [
        background_of_the_camera,
        reference,
        muted_node,
        muted_group,
        modifier,
        strip,
        sequencer,
        compositor,
    ],
    ids=lambda make: make.__name__,
)
def test_what_no_frame_shows_may_be_missing(
    make: Callable[[Path], Callable[[], None]], empty: Path
) -> None:
    show = make(empty.parent)
    assert not is_stopped(empty)
    show()
    assert is_stopped(empty)


def muted_strip_of_an_effect(folder: Path) -> None:
    muted = strips().new_image("muted", str(image(folder / "gone.png")), 1, 1)
    muted.frame_final_duration = 9
    muted.mute = True
    (folder / "gone.png").unlink()
    strips().new_effect("blur", "GAUSSIAN_BLUR", 2, 1, length=9, input1=muted)


def muted_strip_of_a_mask(folder: Path) -> None:
    muted = strips().new_image("muted", str(image(folder / "gone.png")), 1, 1)
    muted.mute = True
    (folder / "gone.png").unlink()
    color = strips().new_effect("color", "COLOR", 2, 1, length=9)
    mask = color.modifiers.new("bright", "BRIGHT_CONTRAST")
    mask.input_mask_type, mask.input_mask_strip = "STRIP", muted


def nodes_of_a_strip(folder: Path) -> None:
    compositor(folder)
    color = strips().new_effect("color", "COLOR", 1, 1, length=9)
    modifier = color.modifiers.new("nodes", "COMPOSITOR")
    modifier.node_group = bpy.data.node_groups["group"]


def active_node_in_workbench(folder: Path) -> None:
    muted_node(folder)
    bpy.context.scene.render.engine = "BLENDER_WORKBENCH"


@pytest.mark.parametrize(
    "make",
    [
        muted_strip_of_an_effect,
        muted_strip_of_a_mask,
        nodes_of_a_strip,
        active_node_in_workbench,
    ],
    ids=lambda make: make.__name__,
)
def test_what_is_shown_although_it_is_off_may_not_be_missing(
    make: Callable[[Path], None], empty: Path
) -> None:
    make(empty.parent)
    assert is_stopped(empty)
