"""The check of the open scene."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..core.scene_check import SceneCheck
from . import farm, output, scene, storage

if TYPE_CHECKING:
    from bpy.types import Context


class SceneChecking:
    """One check at a time, and the copy of the scene that it reads."""

    def __init__(self) -> None:
        self.current: SceneCheck | None = None
        self._copy: Path | None = None

    def begin(self, context: Context) -> SceneCheck:
        """Begin to open a pack of the open scene with a Blender of its own.

        Raises CannotRender where Render would refuse the scene, OSError or RuntimeError where the
        copy cannot be saved.
        """
        self.forget()
        scene.check(context.scene)
        output.node_folders(output.own_output(context.scene)[0], context.scene)
        # A folder of its own each time: a check that is being stopped may still read the last one.
        copy = storage.scene_copy(farm.new_job_id())
        painted = scene.save_all(copy)
        self._copy = copy
        as_path = Path(bpy.data.filepath) if bpy.data.filepath else copy
        # Blender as a module has no program of its own: the Python that runs it is one.
        blender = Path(bpy.app.binary_path or sys.executable)
        work = farm.verify(
            copy,
            as_path,
            blender,
            scene=context.scene.name,
            allow_scripts=context.window_manager.render_on_lambda.allow_scripts,
            painted=painted,
        )
        wanted = scene.reasons_not_to_split()
        self.current = SceneCheck(work, scene.notes(context.scene), wanted)
        return self.current

    def forget(self) -> None:
        """Stop a check, or take its result off the panel."""
        if self.current is not None:
            self.current.stop()
            self.current = None
            self._discard_copy()

    def poll(self) -> bool:
        """Move it on by a step; whether anything changed. Never waits."""
        if self.current is None or not self.current.poll():
            return False
        if self.current.is_over:
            self._discard_copy()
        return True

    def _discard_copy(self) -> None:
        if self._copy is not None:
            shutil.rmtree(self._copy.parent, ignore_errors=True)
            self._copy = None
