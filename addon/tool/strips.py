"""Frames as a strip of the Video Sequencer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..core import film

if TYPE_CHECKING:
    from bpy.types import Scene

    from ..core.job import Job


def add(job: Job) -> Scene:
    """Add a strip of a job's frames to the scene in which strips are edited; the scene that it is.

    Never to the scene that was rendered, whose next frames would then be those of the strip.
    """
    scene = edited_scene(job) or new_scene(job)
    editor = scene.sequence_editor or scene.sequence_editor_create()
    # `sequences` until 4.3.
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    # The names of the ends are remembered, those of this session are known.
    files = film.frame_files(job) | job.files
    frames = sorted(files)
    channel = max((strip.channel for strip in strips), default=0) + 1
    strip = strips.new_image(job.name, files[frames[0]], channel, frames[0])
    for frame in frames[1:]:
        strip.elements.append(Path(files[frame]).name)
    scene.frame_start = min(scene.frame_start, frames[0])
    scene.frame_end = max(scene.frame_end, frames[0] + len(frames) - 1)
    return scene


def edited_scene(job: Job) -> Scene | None:
    """The scene of the workspace's sequencer (5.0), where that is not the one that was rendered."""
    scene = getattr(bpy.context.workspace, "sequencer_scene", None)
    return scene if scene is not None and scene.name != job.scene else None


def new_scene(job: Job) -> Scene:
    """A scene for strips, with the size and the rate of the one that was rendered."""
    scene = bpy.data.scenes.new(f"{job.name} Edit")
    if rendered := bpy.data.scenes.get(job.scene):
        own, other = scene.render, rendered.render
        own.resolution_x, own.resolution_y = other.resolution_x, other.resolution_y
        own.resolution_percentage = other.resolution_percentage
        own.fps, own.fps_base = other.fps, other.fps_base
        scene.frame_start, scene.frame_end = rendered.frame_start, rendered.frame_end
    scene.view_settings.view_transform = "Standard"
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = scene
    return scene
