"""Drivers that the artist's Blender has given up stay given up in the pack of its session."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import bpy
import render_on_lambda as native
from blender_scenes import save

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "addon"))

from addon.tool import given_up_drivers


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


def test_those_of_linked_data_are_tried_anew_and_told_of(empty: Path) -> None:
    library = empty.with_name("library.blend")
    rig = bpy.data.objects.new("rig", None)
    rig.use_fake_user = True
    rig.driver_add("location", 0).driver.expression = "1 / (frame - 1)"
    bpy.context.scene.frame_set(7)
    save(library)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.objects = ["rig"]
    bpy.context.scene.collection.objects.link(bpy.data.objects["rig"])
    bpy.context.scene.frame_set(7)
    assert given_up_drivers.note() == ""
    bpy.context.scene.frame_set(1)
    assert 'tried anew on the farm: "rig" (location).' in given_up_drivers.note()
