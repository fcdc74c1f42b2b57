"""An empty scene for each test."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An empty scene that lives in a folder of its own."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = tmp_path / "show" / "shot.blend"
    scene.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(scene))
    return scene
