"""What Blender tells the artist in its status bar and keeps in the Info editor."""

from __future__ import annotations

import bpy


def tell(text: str, *, is_good: bool) -> None:
    """Tell it, as Blender's own operators do. In the background there is nobody to tell."""
    windows = bpy.context.window_manager.windows
    if bpy.app.background or not windows:
        return
    with bpy.context.temp_override(window=windows[0]):
        bpy.ops.render_on_lambda.tell("INVOKE_DEFAULT", text=text, is_good=is_good)
