"""Whether the picture of many slices is the one that F12 makes, and by what: tiles, or samples."""

import re

import bpy

from .denoise import is_denoised
from .frame_to_frame import curves_of, node_tree_of, simulates
from .render_settings import texture_cache_came_along

TILES, SAMPLES, STATISTICAL, WHOLE = "tiles", "samples", "statistical", "whole"

# Passes that are no mean over samples: a quotient, what was cut off, a difference of two others.
NO_MEANS = ("use_pass_mist", "use_pass_vector", "use_pass_transmission_direct",
            "use_pass_transmission_indirect")  # fmt: skip
NO_MEANS_OF_CYCLES = ("use_pass_volume_majorant",)

# What is set for a slice, and would be set again by an animation.
SET_FOR_A_SLICE = re.compile(
    r"cycles\.(use_denoising|use_sample_subset|sample_offset|sample_subset_length)"
    r"|view_layers\[.*\]\.(cycles\.(use_denoising|denoising_store_passes)|use_pass_\w+_color)"
)


def classes(scene) -> tuple[list[str], str]:
    """In which ways a scene's frame may be split, the best first, and what speaks against more.

    Tiles are exact to the last bit wherever a pixel is a matter of its own; samples to some parts
    in a million where nothing is decided between them.
    """
    if reason := needs_the_whole(scene):
        return [WHOLE], reason
    if reason := is_noise_of_its_own(scene):
        return [STATISTICAL, WHOLE], reason
    if reason := is_no_sum(scene):
        return [TILES], reason
    return [TILES, SAMPLES], ""


def obstacle_to_tiles(scene, allow_other_noise: bool) -> str:
    """Why a frame is not split into tiles; nothing where it can be. `allow_other_noise` is whether
    the artist agrees to a picture as good, with other noise.
    """
    ways, reason = classes(scene)
    if TILES in ways or (allow_other_noise and STATISTICAL in ways):
        return ""
    return reason


def needs_the_whole(scene) -> str:
    """Why a frame is rendered by one worker alone; nothing where it need not be."""
    render, cycles = scene.render, scene.cycles
    layers = [layer for layer in scene.view_layers if layer.use]
    if render.engine != "CYCLES":
        return f"{render.engine} draws what is around a pixel into it"
    if cycles.time_limit > 0:
        return "a time limit makes the picture depend on how fast a worker is"
    if render.use_sequencer and scene.sequence_editor and len(strips(scene.sequence_editor)):
        return "the sequencer makes the picture"
    if render.use_freestyle and any(layer.use_freestyle for layer in layers):
        return "Freestyle draws lines across the picture"
    # Those of instanced collections are drawn, too.
    if any(one.type in {"GREASEPENCIL", "GPENCIL"} for one in bpy.data.objects):
        return "Grease Pencil is drawn across the picture"
    if reads_other_scenes(scene):
        return "the compositor shows other scenes, which are rendered with it"
    if any(layer.cycles.pass_render_time for layer in layers):
        return "the pass Render Time is each worker's own"
    denoises = any(is_denoised(scene, layer) for layer in layers)
    if denoises and catches_shadows(layers):
        return "what catches shadows is denoised by itself"
    if render.use_single_layer and len(scene.view_layers) > 1:
        return "only one of its view layers is rendered"
    if render.image_settings.color_management == "OVERRIDE":
        return "the files have colours of their own"
    if calls_scripts():
        return "a script is called when a frame is rendered"
    if simulates():
        return "simulations go on from frame to frame"
    if is_set_by_animation(scene):
        return "an animation or a driver goes by what is set for a slice"
    if denoises and render.use_multiview:
        return "the views of a stereo frame are denoised with it"
    if denoises and bpy.app.version < (5, 0):
        return "Blender before 5.0 denoises as it renders"
    if cycles.use_adaptive_sampling and any(
        layer.cycles.pass_debug_sample_count for layer in layers
    ):
        return "the pass Debug Sample Count is relative to the most samples of the whole picture"
    return ""


def calls_scripts() -> bool:
    """Whether a script of the scene is called before or after a render, and may look at it."""
    handlers = bpy.app.handlers
    called = [
        handler
        for name in dir(handlers)
        if name.startswith(("render_", "composite_"))
        for handler in getattr(handlers, name)
    ]
    ours = __name__.partition(".")[0]
    return any(not str(handler.__module__).startswith(ours) for handler in called)


def is_noise_of_its_own(scene) -> str:
    """Why each slice has noise of its own, so that the picture is as good but another one."""
    if scene.cycles.use_guiding:
        return "path guiding learns in each slice anew"
    if any(map(has_volume, bpy.data.worlds)):
        return "the world's volume is sampled in each slice anew"
    if bpy.data.volumes or any(map(has_volume, bpy.data.materials)):
        return "volumes are sampled in each slice anew"
    if has_texture_cache(scene.render):
        return "the texture cache gives other details where less of the picture is seen"
    return ""


def has_texture_cache(render) -> bool:
    """Whether textures are read at the resolution that rays ask for (Blender 5.2)."""
    if not getattr(render, "use_texture_cache", False):
        return False
    makes_it = render.use_auto_generate_texture_cache and any(map(is_of_file, bpy.data.images))
    return makes_it or texture_cache_came_along()


def is_of_file(image) -> bool:
    return image.source in {"FILE", "SEQUENCE", "TILED"}


def is_no_sum(scene) -> str:
    """Why the mean of slices of samples is not the picture."""
    if scene.cycles.use_adaptive_sampling:
        return "adaptive sampling decides by all samples before"
    if scene.cycles.use_sample_subset:
        return "the scene has a part of the samples only"
    for layer in scene.view_layers:
        if any(" Direct" in aov.name or " Indirect" in aov.name for aov in layer.aovs):
            return f'the view layer "{layer.name}" has an AOV that is called as a pass is'
        if layer.samples > 0:
            return f'the view layer "{layer.name}" has a number of samples of its own'
        for owner, names in ((layer, NO_MEANS), (layer.cycles, NO_MEANS_OF_CYCLES)):
            if any(getattr(owner, name, False) for name in names):
                return f'the view layer "{layer.name}" has passes that are no means over samples'
    if catches_shadows(scene.view_layers):
        return "what catches shadows is a quotient"
    return ""


def catches_shadows(layers) -> bool:
    """Whether anything catches shadows, in an instanced collection too."""
    # Lights have the setting too, for what they light.
    objects = (one for one in bpy.data.objects if one.type != "LIGHT")
    return any(layer.cycles.use_pass_shadow_catcher for layer in layers) or any(
        one.is_shadow_catcher for one in objects
    )


def is_set_by_animation(scene) -> bool:
    """Whether keyframes or drivers set what is set for a slice, or drivers read it."""
    data = scene.animation_data
    if data is not None:
        strips = [strip for track in data.nla_tracks for strip in track.strips]
        actions = [data.action, *(strip.action for strip in strips)]
        curves = [curve for action in actions if action for curve in curves_of(action)]
        if any(SET_FOR_A_SLICE.match(curve.data_path) for curve in [*curves, *data.drivers]):
            return True
    datablocks = set(bpy.data.user_map())
    datablocks |= set(map(node_tree_of, datablocks))
    return any(
        target.data_path.startswith(("render.border", "render.use_border", "render.engine"))
        for datablock in datablocks
        if (driven := getattr(datablock, "animation_data", None))
        for curve in driven.drivers
        for variable in curve.driver.variables
        for target in variable.targets
    )


def has_volume(datablock) -> bool:
    """Whether a material or a world has something behind its volume."""
    tree = datablock.node_tree
    if tree is None:
        return False
    outputs = [node for node in tree.nodes if node.bl_idname.startswith("ShaderNodeOutput")]
    sockets = [node.inputs.get("Volume") for node in outputs]
    return any(socket is not None and socket.is_linked for socket in sockets)


def reads_other_scenes(scene) -> bool:
    """Whether the compositor has render layers of another scene, in a group of it as well."""
    if not scene.render.use_compositing:
        return False
    trees = [getattr(scene, "compositing_node_group", None) or getattr(scene, "node_tree", None)]
    seen = set()
    while trees:
        tree = trees.pop()
        if tree is None or tree in seen:
            continue
        seen.add(tree)
        for node in tree.nodes:
            if node.bl_idname == "CompositorNodeRLayers" and node.scene not in {None, scene}:
                return True
            trees.append(getattr(node, "node_tree", None))
    return False


def strips(editor):
    # Renamed in Blender 5.0.
    return editor.strips if hasattr(editor, "strips") else editor.sequences
