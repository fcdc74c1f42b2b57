"""One Blender serves many tasks; another setting gets another one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import bpy
import pytest
from workers import Queue, blender_of

OWN_COLOURS = Path(bpy.utils.system_resource("DATAFILES")) / "colormanagement"


def test_the_next_frame_of_a_job_finds_blender_and_scene_as_they_are(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "sound.blend", "1-5")
    with queue.worker(tmp_path) as worker:
        times = [record["times"] for record in queue.wait_for(job, 5).values()]
        first = blender_of(worker.pid)
        other = queue.submit(scenes / "chatty.blend", "1")
        queue.wait_for(other, 1)
        again = queue.submit(scenes / "sound.blend", "6")
        queue.wait_for(again, 1)
        assert blender_of(worker.pid) == first
    assert sorted(time["load_seconds"] > 0 for time in times) == [False] * 4 + [True]


def test_a_colour_configuration_of_the_artists_own_gets_a_blender_of_its_own(
    queue: Queue, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    colours = tmp_path / "colours"
    shutil.copytree(OWN_COLOURS, colours)
    monkeypatch.delenv("OCIO", raising=False)
    plain = queue.submit(scenes / "prying.blend", "1", "--allow-scripts")
    monkeypatch.setenv("OCIO", str(colours / "config.ocio"))
    coloured = queue.submit(scenes / "prying.blend", "1", "--allow-scripts")
    with queue.worker(tmp_path) as worker:
        plain_record = queue.wait_for(plain, 1)[1]
        coloured_record = queue.wait_for(coloured, 1)[1]
        assert blender_of(worker.pid)
    assert (plain_record["state"], coloured_record["state"]) == ("done", "done"), coloured_record
    found = own_environment(queue, coloured_record, coloured)
    assert re.search(rb"OCIO=\S*/colours/config\.ocio", found)
    assert b"OCIO=" not in own_environment(queue, plain_record, plain)


def own_environment(queue: Queue, record: dict, job: str) -> bytes:
    """What the scene's script has printed of Blender's own environment."""
    lines = queue.log(job, record).splitlines()
    return next(line for line in lines if b"/proc/self/environ" in line)
