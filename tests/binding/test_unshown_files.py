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


def chain_that_leads_nowhere(folder: Path) -> Callable[[], None]:
    material = textured(folder, "gone.png")
    use_material(material)
    tree = material.node_tree
    image_node = next(one for one in tree.nodes if one.type == "TEX_IMAGE")
    tree.links.clear()
    invert = tree.nodes.new("ShaderNodeInvert")
    tree.links.new(image_node.outputs[0], invert.inputs["Color"])
    color = tree.nodes["Principled BSDF"].inputs["Base Color"]
    surface = tree.nodes["Material Output"].inputs["Surface"]
    tree.links.new(tree.nodes["Principled BSDF"].outputs[0], surface)
    return lambda: tree.links.new(invert.outputs[0], color) and None


def muted_strip_beside_an_effect(folder: Path) -> Callable[[], None]:
    show = strip(folder)
    color = strips().new_effect("color", "COLOR", 2, 1, length=9)
    strips().new_effect("blur", "GAUSSIAN_BLUR", 3, 1, length=9, input1=color)
    return show


def image_beside_the_compositor(folder: Path) -> Callable[[], None]:
    compositor(folder)
    scene = bpy.context.scene
    scene.render.use_compositing = True
    tree = scene.compositing_node_group
    node = next(one for one in tree.nodes if one.type == "IMAGE")
    output = next(one for one in tree.nodes if one.type == "GROUP_OUTPUT")
    tree.links.clear()
    tree.links.new(node.outputs[0], tree.nodes.new("CompositorNodeViewer").inputs[0])
    return lambda: tree.links.new(node.outputs[0], output.inputs[0]) and None


def muted_set_material(folder: Path) -> Callable[[], None]:
    group = bpy.data.node_groups.new("geometry", "GeometryNodeTree")
    for in_out in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Geometry", in_out=in_out, socket_type="NodeSocketGeometry")
    set_material = group.nodes.new("GeometryNodeSetMaterial")
    set_material.inputs["Material"].default_value = textured(folder, "gone.png")
    group.links.new(group.nodes.new("NodeGroupInput").outputs[0], set_material.inputs[0])
    group.links.new(set_material.outputs[0], group.nodes.new("NodeGroupOutput").inputs[0])
    plane().modifiers.new("nodes", "NODES").node_group = group
    set_material.mute = True
    return lambda: setattr(set_material, "mute", False)


def muted_light_profile(folder: Path) -> Callable[[], None]:
    light = bpy.data.lights.new("light", "POINT")
    light.use_nodes = True
    tree = light.node_tree
    profile = tree.nodes.new("ShaderNodeTexIES")
    profile.mode, profile.filepath = "EXTERNAL", str(folder / "gone.ies")
    tree.links.new(profile.outputs[0], tree.nodes["Emission"].inputs["Strength"])
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("light", light))
    profile.mute = True
    return lambda: setattr(profile, "mute", False)


def import_that_leads_nowhere(folder: Path) -> Callable[[], None]:
    muted_set_material(folder)
    group = bpy.data.node_groups["geometry"]
    node = next(one for one in group.nodes if one.type == "SET_MATERIAL")
    node.inputs["Material"].default_value = None
    imported = group.nodes.new("GeometryNodeImportOBJ")
    imported.inputs["Path"].default_value = str(folder / "gone.obj")
    output = next(one for one in group.nodes if one.type == "GROUP_OUTPUT")
    return lambda: group.links.new(imported.outputs[0], output.inputs[0]) and None


def mesh_cache(folder: Path) -> Callable[[], None]:
    cache = plane().modifiers.new("cache", "MESH_CACHE")
    cache.filepath = str(folder / "gone.pc2")
    cache.show_render = False

    def show_later() -> None:
        cache.show_render = True
        cache.keyframe_insert("show_render", frame=10)
        cache.show_render = False

    return show_later


def strip_of_a_muted_channel(folder: Path) -> Callable[[], None]:
    strips().new_image("strip", str(image(folder / "gone.png")), 2, 1)
    (folder / "gone.png").unlink()
    channel = bpy.context.scene.sequence_editor.channels[2]
    channel.mute = True
    return lambda: setattr(channel, "mute", False)


def strip_of_a_muted_meta(folder: Path) -> Callable[[], None]:
    meta = strips().new_meta("meta", 1, 1)
    meta.strips.new_image("strip", str(image(folder / "gone.png")), 1, 1)
    (folder / "gone.png").unlink()
    meta.mute = True
    return lambda: setattr(meta, "mute", False)


def muted_clip(folder: Path) -> Callable[[], None]:
    clip = bpy.data.movieclips.load(str(image(folder / "gone.png")))
    made = strips().new_clip("clip", clip, 1, 1)
    (folder / "gone.png").unlink()
    made.mute = True
    return lambda: setattr(made, "mute", False)


@pytest.mark.parametrize(
    "make",
    [
        chain_that_leads_nowhere,
        muted_strip_beside_an_effect,
        image_beside_the_compositor,
        muted_set_material,
        muted_light_profile,
        import_that_leads_nowhere,
        mesh_cache,
        strip_of_a_muted_channel,
        strip_of_a_muted_meta,
        muted_clip,
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


def start_of_a_zone(folder: Path) -> None:
    """Links end at its first node; no link leads from there to its last."""
    muted_set_material(folder)
    group = bpy.data.node_groups["geometry"]
    set_material = next(one for one in group.nodes if one.type == "SET_MATERIAL")
    set_material.mute = False
    first, last = (group.nodes.new(f"GeometryNodeRepeat{end}") for end in ("Input", "Output"))
    first.pair_with_output(last)
    first.inputs["Iterations"].default_value = 0
    output = next(one for one in group.nodes if one.type == "GROUP_OUTPUT")
    group.links.new(set_material.outputs[0], first.inputs["Geometry"])
    group.links.new(last.outputs["Geometry"], output.inputs[0])


def own_output_of_a_group(folder: Path) -> None:
    """A group may show what it has although nothing leads from it."""
    group = bpy.data.node_groups.new("group", "ShaderNodeTree")
    group.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
    inside = group.nodes.new("ShaderNodeTexImage")
    inside.image = gone(folder)
    group.links.new(inside.outputs[0], group.nodes.new("ShaderNodeOutputAOV").inputs[0])
    group.nodes.new("NodeGroupOutput")
    material = new_material("grouped")
    use_material(material)
    material.node_tree.nodes.new("ShaderNodeGroup").node_tree = group


def file_output_in_a_group(folder: Path) -> None:
    group = bpy.data.node_groups.new("group", "CompositorNodeTree")
    for in_out in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Image", in_out=in_out, socket_type="NodeSocketColor")
    file_output = group.nodes.new("CompositorNodeOutputFile")
    file_output.file_output_items.new("RGBA", "file")
    group.links.new(group.nodes.new("NodeGroupInput").outputs[0], file_output.inputs[0])
    compositor(folder)
    bpy.context.scene.render.use_compositing = True
    tree = bpy.context.scene.compositing_node_group
    tree.links.clear()
    node = tree.nodes.new("CompositorNodeGroup")
    node.node_tree = group
    loaded = next(one for one in tree.nodes if one.type == "IMAGE")
    tree.links.new(loaded.outputs[0], node.inputs[0])


def value_that_a_muted_node_hands_on(folder: Path) -> None:
    muted_set_material(folder)
    group = bpy.data.node_groups["geometry"]
    set_material = next(one for one in group.nodes if one.type == "SET_MATERIAL")
    set_material.mute = False
    switch = group.nodes.new("GeometryNodeSwitch")
    switch.input_type = "MATERIAL"
    switch.inputs["False"].default_value = set_material.inputs["Material"].default_value
    set_material.inputs["Material"].default_value = None
    group.links.new(switch.outputs[0], set_material.inputs["Material"])
    switch.mute = True


def path_that_a_muted_group_hands_on(folder: Path) -> None:
    group = bpy.data.node_groups.new("path", "GeometryNodeTree")
    path = group.interface.new_socket("Path", in_out="INPUT", socket_type="NodeSocketString")
    path.subtype = "FILE_PATH"
    group.interface.new_socket("Path", in_out="OUTPUT", socket_type="NodeSocketString")
    group.nodes.new("NodeGroupInput")
    group.nodes.new("NodeGroupOutput")
    import_that_leads_nowhere(folder)()
    tree = bpy.data.node_groups["geometry"]
    importing = next(one for one in tree.nodes if one.bl_idname == "GeometryNodeImportOBJ")
    node = tree.nodes.new("GeometryNodeGroup")
    node.node_tree = group
    node.inputs[0].default_value = importing.inputs["Path"].default_value
    importing.inputs["Path"].default_value = ""
    tree.links.new(node.outputs[0], importing.inputs["Path"])
    node.mute = True


def own_output_of_a_texture_group(folder: Path) -> None:
    group = bpy.data.node_groups.new("group", "TextureNodeTree")
    group.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
    inside = group.nodes.new("TextureNodeImage")
    inside.image = gone(folder)
    group.links.new(inside.outputs[0], group.nodes.new("TextureNodeOutput").inputs[0])
    texture = bpy.data.textures.new("texture", "CLOUDS")
    texture.use_nodes = True
    texture.node_tree.nodes.clear()
    texture.node_tree.nodes.new("TextureNodeGroup").node_tree = group
    settings = plane().modifiers.new("particles", "PARTICLE_SYSTEM").particle_system.settings
    settings.texture_slots.add().texture = texture


def muted_meta_around_what_shows_its_neighbours(folder: Path) -> None:
    """An adjustment shows the strips below it, and a mask outside shows the adjustment."""
    meta = strips().new_meta("meta", 1, 1)
    meta.mute = True
    meta.strips.new_image("strip", str(image(folder / "gone.png")), 1, 1)
    (folder / "gone.png").unlink()
    inner = meta.strips.new_meta("inner", 3, 1)
    inner.strips.new_effect("adjustment", "ADJUSTMENT", 3, 1, length=8)
    color = strips().new_effect("color", "COLOR", 4, 1, length=8)
    color.modifiers.new("mask", "MASK").input_mask_strip = inner


def only_a_viewer(folder: Path) -> None:
    image_beside_the_compositor(folder)
    nodes = bpy.context.scene.compositing_node_group.nodes
    nodes.remove(next(one for one in nodes if one.type == "GROUP_OUTPUT"))


def active_node_in_workbench(folder: Path) -> None:
    muted_node(folder)
    bpy.context.scene.render.engine = "BLENDER_WORKBENCH"


@pytest.mark.parametrize(
    "make",
    [
        muted_strip_of_an_effect,
        muted_strip_of_a_mask,
        nodes_of_a_strip,
        start_of_a_zone,
        own_output_of_a_group,
        file_output_in_a_group,
        value_that_a_muted_node_hands_on,
        path_that_a_muted_group_hands_on,
        own_output_of_a_texture_group,
        muted_meta_around_what_shows_its_neighbours,
        only_a_viewer,
        active_node_in_workbench,
    ],
    ids=lambda make: make.__name__,
)
def test_what_is_shown_although_it_is_off_may_not_be_missing(
    make: Callable[[Path], None], empty: Path
) -> None:
    make(empty.parent)
    assert is_stopped(empty)
