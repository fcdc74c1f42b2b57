"""Finishes a frame whose passes are there: what comes after the renderer, as F12 does it."""

import bpy

from .slices import frame_rectangle

ENGINE = "RENDER_ON_LAMBDA_FINISH"


class FinishEngine(bpy.types.RenderEngine):
    """Stands for Cycles: its render result is read from a file. Compositor, colour management, stamps,
    names and formats follow it as they follow any engine.
    """

    bl_idname = ENGINE
    bl_label = "Finish"
    bl_use_postprocess = True
    # With the nodes of Cycles.
    bl_use_shading_nodes_custom = False

    # The passes of the frame, and its scene.
    path = ""

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
            result.load_from_file(FinishEngine.path)
            self.end_result(result)


def use_passes(scene, path: str) -> None:
    """Has the next render of a scene take its passes from a file."""
    if not hasattr(bpy.types, ENGINE):
        bpy.utils.register_class(FinishEngine)
    FinishEngine.path = path
    scene.render.engine = ENGINE
