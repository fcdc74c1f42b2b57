"""Renders a part of a frame with all of its passes: a tile of its pixels, or some samples."""

import os
import struct
from contextlib import contextmanager, suppress

from .denoise import is_denoised
from .render_settings import render_frame
from .scene_errors import SceneError

# How often the settings of a scene are set again, until none changes another one.
MOST_ROUNDS = 8


def render_slice(scene, tile, samples, request, subframe: float):
    """Renders a slice of a frame into a folder, as `slice….exr`.

    The scene is afterwards as it was. `tile` is x, y, width, height in pixels of the frame, from
    the left and from the bottom, or None; `samples` is the first sample and how many, or None.
    """
    with kept(scene):
        prepare_passes(scene)
        prepare_file(scene, request["output_folder"])
        if tile is not None:
            prepare_tile(scene, tile)
        if samples is not None:
            scene.cycles.use_sample_subset = True
            scene.cycles.sample_offset, scene.cycles.sample_subset_length = samples
        return render_frame(scene, request["frame"], subframe)


def frame_rectangle(scene) -> tuple[int, int, int, int]:
    """What of the whole picture is rendered: x, y, width, height in pixels, from the left and from
    the bottom. Blender cuts off what is behind the point, of floats of 32 bits: of 150 borders
    each was where this says (5.2.3).
    """
    render = scene.render
    width, height = picture_size(render)
    if not render.use_border:
        return 0, 0, width, height
    left, right = (
        int(single(border * width)) for border in (render.border_min_x, render.border_max_x)
    )
    bottom, top = (
        int(single(border * height)) for border in (render.border_min_y, render.border_max_y)
    )
    return left, bottom, right - left, top - bottom


def picture_size(render) -> tuple[int, int]:
    """Width and height of the whole picture, in pixels."""
    part = render.resolution_percentage
    return render.resolution_x * part // 100, render.resolution_y * part // 100


def adaptive_tile_size(scene) -> int | None:
    """The size of Cycles' own tiles, where sampling is adaptive: it counts whether or not they are
    switched on (measured, Blender 5.2.3).
    """
    cycles = scene.cycles
    return cycles.tile_size if cycles.use_adaptive_sampling else None


def single(value: float) -> float:
    """The nearest float of 32 bits."""
    return struct.unpack("f", struct.pack("f", value))[0]


def prepare_tile(scene, tile) -> None:
    """Renders a tile alone, and writes no more than it."""
    x, y, width, height = tile
    left, bottom, _, _ = frame_rectangle(scene)
    render = scene.render
    whole_width, whole_height = picture_size(render)
    render.use_border = True
    # In the middle between two ways to round.
    render.border_min_x = (left + x + 0.25) / whole_width
    render.border_max_x = (left + x + width + 0.25) / whole_width
    render.border_min_y = (bottom + y + 0.25) / whole_height
    render.border_max_y = (bottom + y + height + 0.25) / whole_height


def prepare_passes(scene) -> None:
    """Renders what is needed to put slices together, and to finish the frame, beside the passes
    that the scene has; denoises nothing, since noise is only gone once.
    """
    for layer in scene.view_layers:
        if is_denoised(scene, layer):
            layer.cycles.denoising_store_passes = True
        for kind in ("diffuse", "glossy", "transmission"):
            if any(getattr(layer, f"use_pass_{kind}_{way}") for way in ("direct", "indirect")):
                setattr(layer, f"use_pass_{kind}_color", True)
    scene.cycles.use_denoising = False


def prepare_file(scene, folder: str) -> None:
    """Writes all passes as they are, into one file."""
    render = scene.render
    render.filepath = os.path.join(folder, "slice")
    render.use_overwrite, render.use_placeholder = True, False
    render.use_file_extension = True
    render.use_crop_to_border = True
    render.use_compositing = render.use_sequencer = render.use_stamp = False
    settings = render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER"
    settings.color_depth, settings.exr_codec = "32", "ZIP"
    settings.color_management = "FOLLOW_SCENE"
    settings.views_format = "MULTIVIEW"
    if hasattr(settings, "use_exr_interleave"):
        settings.use_exr_interleave = True


@contextmanager
def kept(scene):
    """Puts back what a slice changes."""
    layers = [
        (owner, values(owner)) for layer in scene.view_layers for owner in (layer, layer.cycles)
    ]
    before = [
        (owner, values(owner))
        for owner in (scene.render, scene.render.image_settings, scene.cycles)
    ]
    try:
        yield
    finally:
        for owner, kept_values in before + layers:
            put_back(owner, kept_values)


def values(owner) -> dict:
    """The settings of a datablock or of a part of it that can be set again."""
    found = {}
    for setting in owner.bl_rna.properties:
        name = setting.identifier
        if setting.is_readonly or setting.type in {"POINTER", "COLLECTION"} or name == "name":
            continue
        value = getattr(owner, name)
        found[name] = tuple(value) if getattr(setting, "array_length", 0) else value
    return found


def put_back(owner, kept_values: dict) -> None:
    # What one of them allows or is depends on another: they are set until all of them stay.
    for _ in range(MOST_ROUNDS):
        waiting = {key: value for key, value in kept_values.items() if differs(owner, key, value)}
        if not waiting:
            return
        for name, value in waiting.items():
            # Refused by how another one is still.
            with suppress(TypeError):
                setattr(owner, name, value)
    raise SceneError(f"cannot set {', '.join(waiting)} of {owner.bl_rna.name} again")


def differs(owner, name: str, value) -> bool:
    now = getattr(owner, name)
    return (tuple(now) if isinstance(value, tuple) else now) != value
