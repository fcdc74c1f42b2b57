"""Renders a part of a frame with all of its passes: a tile of its pixels, or some samples."""

import os
from contextlib import contextmanager

from .render_settings import render_frame
from .scene_errors import SceneError


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
    the bottom (`render_init_from_main`, `pipeline.cc`, Blender 5.2).
    """
    render = scene.render
    width = render.resolution_x * render.resolution_percentage // 100
    height = render.resolution_y * render.resolution_percentage // 100
    if not render.use_border:
        return 0, 0, width, height
    left, right = (
        round_half_up(render.border_min_x * width),
        round_half_up(render.border_max_x * width),
    )
    bottom, top = (
        round_half_up(render.border_min_y * height),
        round_half_up(render.border_max_y * height),
    )
    return left, bottom, right - left, top - bottom


def round_half_up(value: float) -> int:
    """As Blender rounds (`round_fl_to_int`)."""
    return int(value + 0.5)


def prepare_tile(scene, tile) -> None:
    """Renders a tile alone, and writes no more than it."""
    x, y, width, height = tile
    left, bottom, _, _ = frame_rectangle(scene)
    render = scene.render
    whole_width = render.resolution_x * render.resolution_percentage // 100
    whole_height = render.resolution_y * render.resolution_percentage // 100
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
    denoises = scene.cycles.use_denoising
    for layer in scene.view_layers:
        if denoises and layer.cycles.use_denoising:
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
    # What one of them allows depends on another: those that are refused are tried again.
    waiting = {name: value for name, value in kept_values.items() if differs(owner, name, value)}
    while waiting:
        refused = {}
        for name, value in waiting.items():
            try:
                setattr(owner, name, value)
            except TypeError:
                refused[name] = value
        if len(refused) == len(waiting):
            raise SceneError(f"cannot set {', '.join(refused)} of {owner.bl_rna.name} again")
        waiting = refused


def differs(owner, name: str, value) -> bool:
    now = getattr(owner, name)
    return (tuple(now) if isinstance(value, tuple) else now) != value
