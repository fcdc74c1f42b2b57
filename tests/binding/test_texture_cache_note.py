"""A texture cache that does not travel is told of before anything is sent."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "addon"))

from addon.tool import texture_cache


def test_a_cache_in_a_folder_of_the_preferences_is_told_of_where_it_is_read(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, folders = bpy.context.scene, bpy.context.preferences.filepaths
    if not hasattr(folders, "texture_cache_directory"):
        pytest.skip("Blender has a texture cache since 5.2")
    scene.render.engine = "CYCLES"
    scene.render.use_texture_cache, scene.render.use_auto_generate_texture_cache = True, False
    assert texture_cache.note([scene]) == ""
    monkeypatch.setattr(folders, "texture_cache_directory", str(empty.parent))
    assert f'"{scene.name}" is in a folder of the Preferences' in texture_cache.note([scene])
    scene.render.use_auto_generate_texture_cache = True
    assert texture_cache.note([scene]) == ""
    scene.render.use_auto_generate_texture_cache = False
    scene.render.engine = "BLENDER_EEVEE"
    assert texture_cache.note([scene]) == ""
