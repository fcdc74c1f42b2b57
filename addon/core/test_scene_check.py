"""A check of the scene turns the native module's events into what the panel shows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from core.scene_check import Problem, SceneCheck
from core.test_session import Scripted, event


def test_a_check_tells_what_it_does_and_what_it_found() -> None:
    found = SimpleNamespace(
        kind="missing file", datablock_type="Image", datablock="wood", path="project/wood.png"
    )
    check = SceneCheck(
        Scripted(
            [
                [event("Tracing", path=Path("/show/shot.blend"))],
                [event("Writing", files_done=1, files_total=4, bytes_done=1, bytes_total=2)],
                [event("Opening")],
                [event("Verified", problems=[found])],
            ]
        )
    )
    seen: list[str] = []
    while not check.is_over:
        assert check.poll()
        seen.append(check.status)
    assert seen[:3] == [
        "Reading shot.blend",
        "Packing 1 of 4 files",
        "Opening the pack with Blender",
    ]
    assert check.problems == [Problem("missing file", "Image", "wood", "project/wood.png")]
    assert check.summary == "1 problem in the pack"


def test_a_check_that_fails_says_why_and_ends() -> None:
    check = SceneCheck(Scripted([OSError("no space left")]))
    assert check.poll()
    assert (check.is_over, check.summary) == (True, "No space left")
    assert not check.poll()


def test_a_sound_scene_is_said_to_be_sound() -> None:
    check = SceneCheck(Scripted([[event("Verified", problems=[])]]))
    check.poll()
    assert check.summary == "Blender finds every file and datablock in the pack"
