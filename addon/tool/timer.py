"""Drains the events of the jobs on the main thread, a few times a second."""

from __future__ import annotations

import bpy

from . import grid_icons, jobs, rows

PERIOD_SECONDS = 0.25


def register() -> None:
    """Begin; jobs that were in motion when Blender was closed go on."""
    if not bpy.app.background:
        bpy.app.timers.register(_tick, first_interval=PERIOD_SECONDS, persistent=True)


def unregister() -> None:
    """End, and let go of the jobs."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    jobs.close()
    grid_icons.close()


def _tick() -> float:
    running = jobs.jobs()
    running.resume()
    if running.poll():
        redraw()
    rows.refresh()
    return PERIOD_SECONDS


def redraw() -> None:
    """Ask for the panels that show jobs to be drawn again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"PROPERTIES", "PREFERENCES"}:
                area.tag_redraw()
