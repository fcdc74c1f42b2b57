"""Drivers that the artist's Blender has given up stay given up in the pack of its session."""

from __future__ import annotations

import time
from pathlib import Path

import bpy
import render_on_lambda as native
from blender_scenes import save


def pack(blend_file: Path, to: Path, *, is_session: bool) -> Path:
    work = native.LocalPack(blend_file, to, is_session=is_session)
    while not work.is_over:
        work.poll()
        time.sleep(0.01)
    return next(to.rglob("*.blend"))


def opened_at(blend_file: Path) -> list[float]:
    bpy.ops.wm.open_mainfile(filepath=str(blend_file))
    bpy.context.scene.frame_set(7)
    return list(bpy.data.objects["driven"].location)


def test_what_a_driver_left_alone_in_the_session_is_left_alone_on_the_farm(empty: Path) -> None:
    driven = bpy.data.objects.new("driven", None)
    bpy.context.scene.collection.objects.link(driven)
    nonsense, divided, targetless = (curve.driver for curve in driven.driver_add("location"))
    nonsense.expression = "frame +* 2"
    divided.expression = "1 / (frame - 1)"
    targetless.type = "AVERAGE"
    targetless.variables.new().targets[0].data_path = "location.x"
    driven.driver_add("scale", 0).driver.expression = "2 * frame"
    bpy.context.scene.frame_set(1)
    # Nothing drives it any more: it stays where the artist moves it.
    driven.location = (5, 5, 5)
    bpy.context.scene.frame_set(1)
    assert list(driven.location) == [5, 5, 5]
    save(empty)
    session = pack(empty, empty.parent / "session", is_session=True)
    assert opened_at(session) == [5, 5, 5]
    assert bpy.data.objects["driven"].scale[0] == 14
    assert bpy.data.objects["driven"].animation_data.drivers[1].mute
    # A file by itself is opened anew, as by whoever opens it: its drivers are tried once more.
    file = pack(empty, empty.parent / "file", is_session=False)
    assert opened_at(file) == opened_at(empty) != [5, 5, 5]
