"""How a frame may be split is told, and why not otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
import render_on_lambda
import split_scenes
from render_worker.splitting import (
    SAMPLES,
    STATISTICAL,
    TILES,
    WHOLE,
    classes,
    obstacle_to_tiles,
)

Scene = bpy.types.Scene

pytestmark = pytest.mark.skipif(bpy.app.version < (5, 0), reason="finishing came with 5.0")


def plain() -> Scene:
    """A scene in which every sample counts alike."""
    bpy.ops.wm.read_factory_settings(use_empty=False)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.use_adaptive_sampling = False
    return scene


def timed(scene: Scene) -> None:
    scene.cycles.time_limit = 60


def eevee(scene: Scene) -> None:
    scene.render.engine = "BLENDER_EEVEE"


def edited(scene: Scene) -> None:
    scene.sequence_editor_create().strips.new_effect("c", "COLOR", 1, 1, length=10)


def freestyle(scene: Scene) -> None:
    scene.render.use_freestyle = scene.view_layers[0].use_freestyle = True


def drawn(_scene: Scene) -> None:
    bpy.ops.object.grease_pencil_add(type="STROKE")


def of_two_scenes(scene: Scene) -> None:
    inner = bpy.data.node_groups.new("inner", "CompositorNodeTree")
    inner.nodes.new("CompositorNodeRLayers").scene = bpy.data.scenes.new("other")
    tree = bpy.data.node_groups.new("outer", "CompositorNodeTree")
    tree.nodes.new("CompositorNodeGroup").node_tree = inner
    scene.compositing_node_group = tree


def counted(scene: Scene) -> None:
    scene.cycles.use_adaptive_sampling = True
    scene.view_layers[0].cycles.pass_debug_sample_count = True


def stereo_without_noise(scene: Scene) -> None:
    scene.render.use_multiview = scene.cycles.use_denoising = True


def caught_without_noise(scene: Scene) -> None:
    bpy.data.objects["Cube"].is_shadow_catcher = scene.cycles.use_denoising = True


def coloured_anew(scene: Scene) -> None:
    scene.render.image_settings.color_management = "OVERRIDE"


def animated(scene: Scene) -> None:
    scene.cycles.keyframe_insert("use_denoising", frame=1)


def driven_by_the_border(scene: Scene) -> None:
    driver = bpy.data.objects["Cube"].driver_add("location", 0).driver
    variable = driver.variables.new()
    variable.targets[0].id_type, variable.targets[0].id = "SCENE", scene
    variable.targets[0].data_path = "render.border_max_x"


def simulated(_scene: Scene) -> None:
    bpy.data.objects["Cube"].modifiers.new("cloth", "CLOTH")


def cached(scene: Scene) -> None:
    scene.render.use_auto_generate_texture_cache = True
    bpy.data.images.new("texture", 4, 4).source = "FILE"


def override_of_the_world(scene: Scene) -> None:
    world = bpy.data.worlds.new("fog")
    nodes = world.node_tree.nodes
    fog = nodes.new("ShaderNodeVolumeScatter")
    output = next(node for node in nodes if node.bl_idname == "ShaderNodeOutputWorld")
    world.node_tree.links.new(fog.outputs[0], output.inputs["Volume"])
    scene.view_layers[0].world_override = world


def of_a_part(scene: Scene) -> None:
    scene.cycles.use_sample_subset = True


def guided(scene: Scene) -> None:
    scene.cycles.use_guiding = True


def foggy(scene: Scene) -> None:
    nodes = scene.world.node_tree.nodes
    fog = nodes.new("ShaderNodeVolumePrincipled")
    scene.world.node_tree.links.new(fog.outputs[0], nodes["World Output"].inputs["Volume"])


def watched(_scene: Scene) -> None:
    bpy.app.handlers.render_post.append(print)


def adaptive(scene: Scene) -> None:
    scene.cycles.use_adaptive_sampling = True


def misty(scene: Scene) -> None:
    scene.view_layers[0].use_pass_mist = True


def sampled_by_layer(scene: Scene) -> None:
    scene.view_layers[0].samples = 8


@pytest.mark.parametrize(
    ("change", "ways", "words"),
    [
        (lambda _scene: None, [TILES, SAMPLES], ""),
        (eevee, [WHOLE], "BLENDER_EEVEE draws"),
        (timed, [WHOLE], "how fast a worker is"),
        (edited, [WHOLE], "sequencer"),
        (freestyle, [WHOLE], "Freestyle"),
        (drawn, [WHOLE], "Grease Pencil"),
        (of_two_scenes, [WHOLE], "other scenes"),
        (counted, [WHOLE], "Debug Sample Count"),
        (stereo_without_noise, [WHOLE], "stereo"),
        (caught_without_noise, [WHOLE], "denoised by itself"),
        (coloured_anew, [WHOLE], "colours of their own"),
        (animated, [WHOLE], "what is set for a slice"),
        (driven_by_the_border, [WHOLE], "what is set for a slice"),
        (simulated, [WHOLE], "simulations"),
        (watched, [WHOLE], "a script is called"),
        (cached, [STATISTICAL, WHOLE], "texture cache"),
        (override_of_the_world, [STATISTICAL, WHOLE], "world's volume"),
        (of_a_part, [TILES], "a part of the samples"),
        (guided, [STATISTICAL, WHOLE], "guiding"),
        (foggy, [STATISTICAL, WHOLE], "world's volume"),
        (adaptive, [TILES], "adaptive"),
        (misty, [TILES], "no means over samples"),
        (sampled_by_layer, [TILES], "number of samples of its own"),
    ],
)
def test_what_is_in_the_way_is_told(
    change: Callable[[Scene], None], ways: list[str], words: str
) -> None:
    scene = plain()
    scene.cycles.use_denoising = False
    change(scene)
    found, reason = classes(scene)
    bpy.app.handlers.render_post.clear()
    assert (found, words in reason) == (ways, True), (found, reason)


def test_other_noise_is_for_the_artist_to_accept() -> None:
    scene = plain()
    guided(scene)
    assert "guiding" in obstacle_to_tiles(scene, allow_other_noise=False)
    assert obstacle_to_tiles(scene, allow_other_noise=True) == ""
    scene.cycles.time_limit = 60
    assert "how fast a worker is" in obstacle_to_tiles(scene, allow_other_noise=True)


# What the worker alone finds out: as it renders, or by looking at more than a file tells.
FOUND_BY_THE_WORKER = (
    of_two_scenes, counted, stereo_without_noise, caught_without_noise, animated,
    driven_by_the_border, simulated, watched, cached,
)  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [eevee, timed, edited, freestyle, drawn, coloured_anew, override_of_the_world, guided,
     foggy, of_a_part, adaptive, misty, sampled_by_layer, *FOUND_BY_THE_WORKER],
)  # fmt: skip
def test_what_is_told_before_anything_is_sent_the_worker_finds_too(
    change: Callable[[Scene], None], tmp_path: Path
) -> None:
    scene = plain()
    scene.cycles.use_denoising = False
    change(scene)
    found = obstacle_to_tiles(scene, allow_other_noise=False)
    bpy.app.handlers.render_post.clear()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    told = render_on_lambda.split_obstacle(tmp_path / "shot.blend")
    assert bool(told) == (bool(found) and change not in FOUND_BY_THE_WORKER), (told, found)


@pytest.mark.parametrize("name", split_scenes.SCENES)
def test_scenes_that_are_tried_in_slices_may_be_split(name: str, tmp_path_factory) -> None:
    scene = split_scenes.make(name, tmp_path_factory.mktemp("split"))
    assert TILES in classes(scene)[0], classes(scene)
    assert render_on_lambda.split_obstacle(Path(bpy.data.filepath)) is None
