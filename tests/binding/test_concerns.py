"""What would differ from F12 on the farm is named before anything is sent: disabled scripts, and
simulations that are not baked.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import render_on_lambda as native
from blender_scenes import image, load_image, new_material, save, use_material

PYTHON = "len(str(frame))"


def problems(blend_file: Path, **options: Any) -> list[tuple[str, str, str]]:
    """Kind, datablock and what is wrong with it, as *Check Scene* finds them."""
    work = native.LocalPack.verify(blend_file, Path(sys.executable), **options)
    found: list[tuple[str, str, str]] = []
    while not work.is_over:
        for event in work.poll():
            if isinstance(event, native.LocalPackEvent.Verified):
                found += [(one.kind, one.datablock, one.path) for one in event.problems]
        time.sleep(0.02)
    return found


def needing_scripts(blend_file: Path, **options: Any) -> list[str]:
    found = problems(blend_file, **options)
    assert {kind for kind, *_ in found} <= {"needs Run Scripts"}
    return sorted(name for _, name, _ in found)


def unbaked(scene: Path) -> dict[str, str]:
    found = problems(scene)
    assert {kind for kind, *_ in found} <= {"not baked"}
    return {name: what.removesuffix(", not baked") for _, name, what in found}


def mesh_object(name: str, collection: bpy.types.Collection | None = None) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    made = bpy.data.objects.new(name, mesh)
    (collection or bpy.context.scene.collection).objects.link(made)
    return made


def drive(datablock: bpy.types.ID, path: str = "location", expression: str = PYTHON) -> None:
    curve = datablock.driver_add(path)
    (curve[0] if isinstance(curve, list) else curve).driver.expression = expression


def new_collection(name: str, parent: bpy.types.Collection) -> bpy.types.Collection:
    made = bpy.data.collections.new(name)
    parent.children.link(made)
    return made


def test_drivers_that_a_frame_evaluates_are_named_and_no_others(empty: Path) -> None:
    scene = bpy.context.scene
    drive(mesh_object("plain"))
    hidden = mesh_object("hidden in the viewport")
    drive(hidden)
    hidden.hide_viewport = True
    left_out = mesh_object("left out of frames")
    drive(left_out)
    left_out.hide_render = True
    drive(mesh_object("evaluated without scripts"), expression="sin(frame / 10) + 2 * pi")
    drive(mesh_object("of the viewport alone"), "hide_viewport")
    subdivided = mesh_object("subdivided for the viewport")
    subdivided.modifiers.new("smooth", "SUBSURF")
    drive(subdivided, 'modifiers["smooth"].levels')
    armature = bpy.data.objects.new("rig", bpy.data.armatures.new("rig of the viewport alone"))
    scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    armature.data.edit_bones.new("hips").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    drive(armature, 'pose.bones["hips"].custom_shape_scale_xyz')
    drive(armature, 'pose.bones["hips"].hide')
    drive(armature.data, "display_type")
    muted = mesh_object("muted")
    drive(muted)
    muted.animation_data.drivers[0].mute = True
    collection = new_collection("left out", scene.collection)
    collection.hide_render = True
    drive(mesh_object("in a hidden collection", collection))
    second = scene.view_layers.new("second")
    collection = new_collection("excluded", scene.collection)
    drive(mesh_object("excluded everywhere", collection))
    for layer in scene.view_layers:
        layer.layer_collection.children["excluded"].exclude = True
    collection = new_collection("of the second layer", scene.collection)
    drive(mesh_object("in the second layer", collection))
    for layer in scene.view_layers:
        layer.layer_collection.children["of the second layer"].exclude = layer != second
    save(empty)
    assert needing_scripts(empty) == ["hidden in the viewport", "in the second layer", "plain"]
    assert needing_scripts(empty, allow_scripts=True) == []


def test_drivers_of_what_objects_use_are_named(empty: Path) -> None:
    scene = bpy.context.scene
    material = new_material("varnish")
    drive(material.node_tree, 'nodes["Principled BSDF"].inputs["Roughness"].default_value')
    use_material(material)
    scene.world = bpy.data.worlds.new("sky")
    drive(scene.world, "color")
    lifted = mesh_object("lifted")
    lifted.shape_key_add(name="Basis")
    lifted.shape_key_add(name="up")
    lifted.data.shape_keys.name = "lifting"
    drive(lifted.data.shape_keys, 'key_blocks["up"].value')
    parent = mesh_object("parent that is not rendered")
    drive(parent)
    parent.hide_render = True
    mesh_object("child").parent = parent
    instanced = bpy.data.collections.new("instanced")
    drive(mesh_object("in an instance", instanced))
    holder = bpy.data.objects.new("holder", None)
    scene.collection.objects.link(holder)
    holder.instance_type = "COLLECTION"
    holder.instance_collection = instanced
    drive(mesh_object("in no scene", bpy.data.collections.new("unused")))
    save(empty)
    named = needing_scripts(empty)
    assert set(named) >= {"in an instance", "lifting", "parent that is not rendered", "sky"}
    assert len(named) == 5


def test_another_scene_counts_where_a_strip_or_the_compositor_shows_it(empty: Path) -> None:
    first = bpy.context.scene
    for name in ("shown", "aside"):
        other = bpy.data.scenes.new(name)
        drive(mesh_object(f"of {name}", other.collection))
    editor = first.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strips.new_scene("strip", bpy.data.scenes["shown"], 1, 1)
    save(empty)
    assert needing_scripts(empty, scene=first.name) == ["of shown"]
    assert needing_scripts(empty, scene="aside") == ["of aside"]


def test_style_modules_of_freestyle_are_python(empty: Path) -> None:
    scene = bpy.context.scene
    settings = scene.view_layers[0].freestyle_settings
    settings.mode = "SCRIPT"
    settings.modules.new().script = bpy.data.texts.new("style.py")
    scene.view_layers[0].use_freestyle = True
    save(empty)
    assert needing_scripts(empty) == []
    scene.render.use_freestyle = True
    save(empty)
    assert needing_scripts(empty) == [scene.name]
    settings.modules[0].use = False
    settings.modules.new()
    save(empty)
    assert needing_scripts(empty) == []


def appear_later(datablock: bpy.types.bpy_struct, path: str, *, rendered: object) -> None:
    """Left out of the frame that is saved, and not of those from the third on."""
    for value, frame in ((not rendered, 1), (rendered, 3)):
        setattr(datablock, path, value)
        datablock.keyframe_insert(path, frame=frame)
    bpy.context.scene.frame_set(1)


def test_what_only_later_frames_show_counts(empty: Path) -> None:
    driven = mesh_object("driven")
    drive(driven)
    appear_later(driven, "hide_render", rendered=False)
    save(empty)
    assert needing_scripts(empty) == ["driven"]
    bpy.data.objects.remove(driven)
    visible = mesh_object("object")
    cloth(visible)
    appear_later(visible, "hide_render", rendered=False)
    modified = mesh_object("modifier")
    cloth(modified)
    appear_later(modified.modifiers["cloth"], "show_render", rendered=True)
    driven = mesh_object("driver")
    cloth(driven)
    driven.hide_render = True
    driven.driver_add("hide_render").driver.expression = "frame < 3"
    still = mesh_object("left out of all")
    cloth(still)
    still.hide_render = True
    still.keyframe_insert("location", frame=1)
    save(empty)
    assert unbaked(empty) == {"driver": "cloth", "modifier": "cloth", "object": "cloth"}


def test_what_a_frame_does_not_show_is_no_problem(empty: Path) -> None:
    folder = empty.parent
    emitter = mesh_object("emitter")
    emitter.modifiers.new("particles", "PARTICLE_SYSTEM")
    emitter.particle_systems[0].settings.physics_type = "NO"
    gone = load_image(image(folder / "gone.png"))
    gone.filepath = "//gone.png"
    material = new_material("unlinked")
    use_material(material)
    idle = material.node_tree.nodes.new("ShaderNodeTexImage")
    idle.image = gone
    bpy.context.scene.world = bpy.data.worlds.new("world")
    tree = bpy.context.scene.world.node_tree
    tree.nodes.new("ShaderNodeTexEnvironment").image = gone
    load_image(image(folder / "unused.png")).filepath = "//textures\\unused.png"
    bpy.context.view_layer.objects.active = emitter
    bpy.ops.object.mode_set(mode="SCULPT")
    (folder / "gone.png").unlink()
    save(empty)
    assert problems(empty) == []
    assert not [one for one in native.trace(empty) if one.missing and one.required]
    shader = material.node_tree.nodes["Principled BSDF"].inputs["Base Color"]
    material.node_tree.links.new(idle.outputs[0], shader)
    save(empty)
    assert [(kind, name) for kind, name, _ in problems(empty)] == [("missing file", "gone.png")]


def test_a_missing_file_is_required_where_a_frame_of_the_scene_may_need_it(empty: Path) -> None:
    scene = bpy.context.scene

    def wears(one: bpy.types.Object, name: str) -> None:
        gone = load_image(image(empty.parent / f"{name}.png"))
        one.data.materials.append(new_material(name))
        tree = one.data.materials[0].node_tree
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image = gone
        tree.links.new(node.outputs[0], tree.nodes["Principled BSDF"].inputs["Base Color"])
        (empty.parent / f"{name}.png").unlink()

    hidden = mesh_object("hidden")
    hidden.hide_render = True
    wears(hidden, "hidden")
    excluded = new_collection("excluded", scene.collection)
    wears(mesh_object("excluded", excluded), "excluded")
    scene.view_layers[0].layer_collection.children["excluded"].exclude = True
    wears(mesh_object("other", bpy.data.scenes.new("other").collection), "other")
    later = mesh_object("later")
    wears(later, "later")
    appear_later(later, "hide_render", rendered=False)
    instanced = mesh_object("instanced", bpy.data.collections.new("instanced"))
    instanced.hide_render = True
    wears(instanced, "instanced")
    holder = bpy.data.objects.new("holder", None)
    holder.instance_type = "COLLECTION"
    holder.instance_collection = bpy.data.collections["instanced"]
    scene.collection.objects.link(holder)
    save(empty)
    found = {name for kind, name, _ in problems(empty, scene=scene.name)}
    assert found == {"instanced.png", "later.png"}
    found = {name for kind, name, _ in problems(empty, scene=scene.name, allow_scripts=True)}
    assert found > {"hidden.png", "excluded.png", "later.png"}


def test_a_missing_library_is_required_where_a_frame_shows_what_it_holds(empty: Path) -> None:
    library = empty.with_name("library.blend")
    mesh_object("rock").use_fake_user = True
    save(library)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = new_collection("set", bpy.context.scene.collection)
    collection.hide_render = True
    save(empty)
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, wanted):
        wanted.objects = ["rock"]
    collection.objects.link(wanted.objects[0])
    library_is_gone = library.with_suffix(".gone")
    for is_hidden, missing in ((True, 0), (False, 1)):
        collection.hide_render = is_hidden
        save(empty)
        library.rename(library_is_gone)
        required = [one for one in native.trace(empty) if one.missing and one.required]
        assert len(required) == missing
        library_is_gone.rename(library)


def cloth(one: bpy.types.Object) -> None:
    one.modifiers.new("cloth", "CLOTH")


def soft_body(one: bpy.types.Object) -> None:
    one.modifiers.new("soft", "SOFT_BODY")


def particles(one: bpy.types.Object) -> None:
    one.modifiers.new("particles", "PARTICLE_SYSTEM")


def dynamic_paint(one: bpy.types.Object) -> None:
    modifier = one.modifiers.new("paint", "DYNAMIC_PAINT")
    with bpy.context.temp_override(object=one, active_object=one):
        bpy.ops.dpaint.type_toggle(type="CANVAS")
    assert modifier.canvas_settings


def simulation_nodes(one: bpy.types.Object) -> None:
    inner = bpy.data.node_groups.new("inner", "GeometryNodeTree")
    start = inner.nodes.new("GeometryNodeSimulationInput")
    end = inner.nodes.new("GeometryNodeSimulationOutput")
    start.pair_with_output(end)
    inner.links.new(start.outputs["Geometry"], end.inputs["Geometry"])
    outer = bpy.data.node_groups.new("outer", "GeometryNodeTree")
    outer.nodes.new("GeometryNodeGroup").node_tree = inner
    for group in (inner, outer):
        group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
        group.nodes.new("NodeGroupOutput")
    inner.links.new(end.outputs["Geometry"], inner.nodes[-1].inputs["Geometry"])
    one.modifiers.new("nodes", "NODES").node_group = outer


SIMULATIONS: dict[str, Callable[[bpy.types.Object], None]] = {
    "cloth": cloth,
    "soft body": soft_body,
    "particles": particles,
    "dynamic paint": dynamic_paint,
    "simulation nodes": simulation_nodes,
}


def test_simulations_are_named_until_they_are_baked(empty: Path) -> None:
    for name, add in SIMULATIONS.items():
        add(mesh_object(name))
        left_out = mesh_object(f"{name}, left out of frames")
        add(left_out)
        left_out.hide_render = True
        switched_off = mesh_object(f"{name}, for the viewport alone")
        add(switched_off)
        switched_off.modifiers[-1].show_render = False
    hair = mesh_object("hair")
    hair.modifiers.new("hair", "PARTICLE_SYSTEM").particle_system.settings.type = "HAIR"
    still = mesh_object("no physics")
    particles(still)
    still.particle_systems[0].settings.physics_type = "NO"
    falling = mesh_object("falling")
    bpy.ops.rigidbody.world_add()
    with bpy.context.temp_override(object=falling, active_object=falling):
        bpy.ops.rigidbody.object_add()
    bpy.context.scene.frame_end = 3
    save(empty)
    expected = {name: name for name in SIMULATIONS} | {"Scene": "rigid body world"}
    assert unbaked(empty) == expected
    bpy.ops.ptcache.bake_all(bake=True)
    save(empty)
    assert unbaked(empty) == {"simulation nodes": "simulation nodes"}


def test_baked_simulation_nodes_are_no_concern(empty: Path) -> None:
    one = mesh_object("zone")
    simulation_nodes(one)
    one.modifiers["nodes"].node_group = bpy.data.node_groups["inner"]
    bpy.context.scene.frame_end = 2
    save(empty)
    assert unbaked(empty) == {"zone": "simulation nodes"}
    one.select_set(True)
    bpy.context.view_layer.objects.active = one
    bpy.ops.object.simulation_nodes_cache_bake(selected=True)
    save(empty)
    assert unbaked(empty) == {}


def test_each_zone_needs_a_bake_of_its_own_and_a_bake_node_none(empty: Path) -> None:
    one = mesh_object("zone")
    simulation_nodes(one)
    group = bpy.data.node_groups["inner"]
    one.modifiers["nodes"].node_group = group
    bpy.context.scene.frame_end = 2
    save(empty)
    one.select_set(True)
    bpy.context.view_layer.objects.active = one
    bpy.ops.object.simulation_nodes_cache_bake(selected=True)
    group.nodes.new("GeometryNodeBake")
    bpy.context.view_layer.update()
    save(empty)
    assert unbaked(empty) == {}
    start = group.nodes.new("GeometryNodeSimulationInput")
    start.pair_with_output(group.nodes.new("GeometryNodeSimulationOutput"))
    bpy.context.view_layer.update()
    save(empty)
    assert unbaked(empty) == {"zone": "simulation nodes"}
