"""Cycles' texture cache, where it is no part of the project (Blender 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..core.translation import tr

if TYPE_CHECKING:
    from bpy.types import Scene


def note(scenes: list[Scene]) -> str:
    """What is lost of a cache in a folder of the preferences: the files in it do not travel.

    Cycles shows them instead of the images, and where it makes those that it lacks, the farm makes
    the same ones. Empty where nothing is lost.
    """
    folder = getattr(bpy.context.preferences.filepaths, "texture_cache_directory", "")
    reading = [
        scene.name
        for scene in scenes
        if scene.render.engine == "CYCLES"
        and getattr(scene.render, "use_texture_cache", False)
        and not scene.render.use_auto_generate_texture_cache
    ]
    if not folder or not reading:
        return ""
    return tr(
        'The texture cache of the scene "{scene}" is in a folder of the Preferences (File Paths)'
        " and does not travel: the farm shows the images themselves. Turn on Auto Generate, or have"
        " the cache beside the images",
        scene=reading[0],
    )
