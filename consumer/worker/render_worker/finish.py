"""Finishes a frame whose passes are there: what comes after the renderer, as F12 does it."""

import os
from array import array

import bpy

from .denoise import denoise, is_denoised
from .render_settings import render_frame
from .slices import frame_rectangle

ENGINE = "RENDER_ON_LAMBDA_FINISH"


class FinishEngine(bpy.types.RenderEngine):
    """Stands for Cycles: its render result is read from a file. Compositor, colour management,
    stamps, names and formats follow it as they follow any engine.
    """

    bl_idname = ENGINE
    bl_label = "Finish"
    bl_use_postprocess = True
    # With the nodes of Cycles.
    bl_use_shading_nodes_custom = False

    # The passes of the frame, and by view layer the picture without noise.
    passes = ""
    metadata = ()
    denoised = {}

    def update_render_passes(self, scene, layer) -> None:
        """Those that Cycles would have had."""
        from cycles import engine

        engine.register_passes(self, scene, layer)

    def render(self, depsgraph) -> None:
        """Reads the passes of a view layer."""
        scene = depsgraph.scene
        _, _, width, height = frame_rectangle(scene)
        views = [view.name for view in scene.render.views if view.use]
        if not scene.render.use_multiview:
            views = [""]
        for view in views:
            result = self.begin_result(
                0, 0, width, height, layer=depsgraph.view_layer.name, view=view
            )
            result.load_from_file(FinishEngine.passes)
            picture = FinishEngine.denoised.get(depsgraph.view_layer.name)
            if picture:
                use_picture(result.layers[0], picture)
            self.end_result(result)
        for name, text in FinishEngine.metadata:
            # Of that of `begin_result` Blender takes no texts over.
            self.get_result().stamp_data_add_field(name, text)


def use_picture(layer, picture: str) -> None:
    """Has the picture in the place of what has noise, which stays beside it."""
    combined, noisy = layer.passes["Combined"], layer.passes["Noisy Image"]
    pixels = array("f", bytes(4 * combined.channels * len(combined.rect)))
    combined.rect.foreach_get(pixels)
    noisy.rect.foreach_set(pixels)
    image = bpy.data.images.load(picture, check_existing=False)
    try:
        image.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(image)
    combined.rect.foreach_set(pixels)


def finish(scene, passes: str, request, subframe: float):
    """Renders a frame whose passes are in a file."""
    if not FinishEngine.is_registered:
        bpy.utils.register_class(FinishEngine)
    engine = scene.render.engine
    _, _, width, height = frame_rectangle(scene)
    FinishEngine.passes, FinishEngine.metadata = passes, request["metadata"]
    path = os.path.join(os.path.dirname(passes), "denoised-")
    FinishEngine.denoised = {
        layer.name: denoise(scene, layer, (width, height), passes, f"{path}{number}")
        for number, layer in enumerate(scene.view_layers)
        if layer.use and is_denoised(scene, layer)
    }
    scene.render.engine = ENGINE
    try:
        return render_frame(scene, request["frame"], subframe)
    finally:
        scene.render.engine = engine
