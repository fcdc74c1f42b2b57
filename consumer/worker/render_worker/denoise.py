"""Denoises a frame whose passes are there, as Cycles would have done it with all samples."""

import bpy

from .scene_errors import SceneError

# What the settings of Cycles are called in the compositor's node.
PREFILTERS = {"NONE": "None", "FAST": "Fast", "ACCURATE": "Accurate"}
QUALITIES = {"HIGH": "High", "BALANCED": "Balanced", "FAST": "Fast"}


def is_denoised(scene, layer) -> bool:
    """Whether Cycles denoises a view layer."""
    return scene.cycles.use_denoising and layer.cycles.use_denoising


def denoise(scene, layer, size: tuple[int, int], passes: str, path: str) -> str:
    """Writes the picture of a view layer without its noise, to a path without extension; the path
    of the file.

    passes: an OpenEXR file with Combined, Denoising Albedo and Denoising Normal of the layer.
    """
    work = bpy.data.scenes.new("denoise")
    image = bpy.data.images.load(passes, check_existing=False)
    tree = bpy.data.node_groups.new("denoise", "CompositorNodeTree")
    try:
        denoiser = build(tree, image, layer.name, scene.cycles)
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        output = tree.nodes.new("NodeGroupOutput")
        tree.links.new(denoiser.outputs[0], output.inputs[0])
        work.compositing_node_group = tree
        prepare(work, size, path)
        outcome = bpy.ops.render.render(write_still=True, scene=work.name)
        if outcome != {"FINISHED"}:
            raise SceneError("Blender gave up denoising; its log says more")
        return work.render.filepath + ".exr"
    finally:
        bpy.data.scenes.remove(work)
        bpy.data.images.remove(image)
        bpy.data.node_groups.remove(tree)


def build(tree, image, layer: str, cycles):
    """The node that denoises what an image has of a view layer."""
    source = tree.nodes.new("CompositorNodeImage")
    source.image = image
    source.layer = layer
    node = tree.nodes.new("CompositorNodeDenoise")
    node.inputs["HDR"].default_value = True
    node.inputs["Prefilter"].default_value = PREFILTERS[cycles.denoising_prefilter]
    node.inputs["Quality"].default_value = QUALITIES[cycles.denoising_quality]
    tree.links.new(source.outputs["Combined"], node.inputs["Image"])
    guides = cycles.denoising_input_passes
    if guides in {"RGB_ALBEDO", "RGB_ALBEDO_NORMAL"}:
        tree.links.new(source.outputs["Denoising Albedo"], node.inputs["Albedo"])
    if guides == "RGB_ALBEDO_NORMAL":
        tree.links.new(source.outputs["Denoising Normal"], node.inputs["Normal"])
    return node


def prepare(work, size: tuple[int, int], path: str) -> None:
    """Writes what the compositor makes as it is."""
    render = work.render
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage = 100
    render.filepath = path
    render.use_sequencer = False
    render.compositor_device = "CPU"
    settings = render.image_settings
    settings.media_type = "IMAGE"
    settings.file_format, settings.color_mode = "OPEN_EXR", "RGBA"
    settings.color_depth, settings.exr_codec = "32", "ZIP"
    settings.color_management = "FOLLOW_SCENE"
