"""A job is paused, let go on, taken over by another Blender, and removed with all that is of it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from conftest import Blender, command
from local_farm import LocalFarm

RENDER = """
from bl_ext.user_default.render_on_lambda.tool import scene as scene_tool, waiting
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
scene = bpy.context.scene
scene.frame_end = 6
scene.render.filepath = f"{sys.argv[2]}/shot_####"
running = jobs.jobs()
operators = bpy.ops.render_on_lambda

def files(folder):
    return sorted(path.name for path in Path(folder).glob("*"))

"""


def frames(*numbers: int) -> list[str]:
    return [f"shot_{number:04}.png" for number in numbers]


def keys_of(farm: LocalFarm, job: str) -> list[str]:
    """What the bucket has of a job."""
    bucket = farm.outputs()["BucketName"]
    found = farm.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"jobs/{job}/")
    return [one["Key"] for one in found.get("Contents", [])]


def wait_for_an_empty_queue(farm: LocalFarm) -> None:
    """Wait until nobody has a task: before, two documents of a job that is removed stay."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = farm.client("sqs").get_queue_attributes(
            QueueUrl=farm.outputs()["QueueUrl"], AttributeNames=names
        )
        if not any(int(found["Attributes"][name]) for name in names):
            return
        time.sleep(0.2)
    pytest.fail("the queue holds tasks of jobs that are over")


def test_a_paused_job_begins_no_frame_until_it_is_resumed(
    blender: Blender, sample: Path, tmp_path: Path
) -> None:
    script = """
job = scene_tool.new_job(bpy.context, animation=True)
running.start(job)
while job.state.value == "submitting":
    running.poll()
operators.pause(job_id=job.id)
waiting.wait(job)
RESULT["paused"] = job.state.value, job.fetched
operators.go_on(job_id=job.id)
RESULT["resumed"] = job.state.value
RESULT["files"] = files(sys.argv[2])
"""
    result = blender.run(RENDER + script, str(sample), str(tmp_path / "out"))
    state, fetched = result["paused"]
    assert state == "paused" and fetched < 6
    assert result["resumed"] == "finished"
    assert result["files"] == frames(*range(1, 7))


def test_frames_that_are_missing_are_rendered_and_no_others(
    blender: Blender, sample: Path, tmp_path: Path
) -> None:
    script = """
scene.frame_start, scene.frame_end = 2, 4
operators.render_animation()
scene.frame_start, scene.frame_end = 1, 6
operators.render_missing()
RESULT["rendered"] = running.list.jobs[-1].total
RESULT["files"] = files(sys.argv[2])
try:
    operators.render_missing()
except RuntimeError as error:
    RESULT["error"] = str(error)
"""
    result = blender.run(RENDER + script, str(sample), str(tmp_path / "out"))
    assert result["rendered"] == 3
    assert result["files"] == frames(*range(1, 7))
    assert "Nothing is missing: all frames are in" in result["error"]


def test_another_blender_finds_a_job_on_the_farm_and_fetches_its_frames(
    blender: Blender, sample: Path, tmp_path: Path
) -> None:
    script = """
def strips_of(scene):
    editor = scene.sequence_editor
    strips = [] if editor is None else editor.strips
    return [(int(strip.content_start), len(getattr(strip, "elements", ""))) for strip in strips]

operators.render_animation()
job_id = running.list.jobs[-1].id
running.remove(running.list.jobs[-1])
operators.list_farm_jobs()
RESULT["listed"] = [(job.name, job.progress.done) for job in running.on_farm.listed][0]
operators.attach(job_id=job_id, directory=sys.argv[3])
job = running.list.jobs[-1]
RESULT["attached"] = job.state.value, files(sys.argv[3])
(Path(sys.argv[3]) / "shot_0003.png").unlink()
operators.fetch(job_id=job.id)
RESULT["fetched"] = files(sys.argv[3])
# A press that has nothing to do, such as one that a frame has overtaken, begins nothing.
RESULT["nothing"] = [sorted(press(job_id=job.id)) for press in (
    operators.retry, operators.pause, operators.cancel, operators.render_anyway)]
RESULT["followed"] = list(running.sessions)
# After a restart only the first and the last file are remembered by name.
job.files = type(job).from_json(job.to_json()).files
strips_before = strips_of(scene)
operators.add_strip(job_id=job.id)
RESULT["strips"] = strips_of(bpy.data.scenes[f"{job.name} Edit"])
RESULT["scene"] = strips_before == strips_of(scene)
try:
    operators.attach(job_id=job_id, directory=sys.argv[3])
except RuntimeError as error:
    RESULT["error"] = str(error)
"""
    other = tmp_path / "other"
    result = blender.run(RENDER + script, str(sample), str(tmp_path / "out"), str(other))
    assert result["listed"] == ["sample", 6]
    assert result["attached"] == ["finished", frames(*range(1, 7))]
    assert result["fetched"] == frames(*range(1, 7))
    assert result["nothing"] == [["CANCELLED"]] * 4 and result["followed"] == []
    assert result["strips"] == [[1, 6]] and result["scene"]
    assert "sample is in the list of jobs already" in result["error"]


def test_a_job_is_removed_with_all_that_the_farm_has_of_it(
    blender: Blender, sample: Path, tmp_path: Path, farm: LocalFarm
) -> None:
    script = """
operators.render_image()
job = running.list.jobs[-1]
RESULT["id"] = job.id
operators.remove(job_id=job.id, with_data=True)
RESULT["state"] = job.trouble
while running.is_being_removed(job):
    running.poll()
    time.sleep(0.1)
RESULT["left"], RESULT["notices"] = len(running.list.jobs), job.notices
"""
    result = blender.run(RENDER + script, str(sample), str(tmp_path / "out"))
    assert result["left"] == 0, result["notices"]
    assert keys_of(farm, result["id"]) == []
    assert len(list((tmp_path / "out").glob("*.png"))) == 1


def test_the_command_line_pauses_resumes_and_removes(
    farm: LocalFarm, sample: Path, tmp_path: Path
) -> None:
    submitted = command(farm, "submit", sample, "--frames", "1-6", "--json")
    job = json.loads(submitted.stdout.splitlines()[-1])["job"]
    paused = command(farm, "pause", job)
    assert (paused.returncode, paused.stdout) == (0, f"{job} is paused\n")
    assert command(farm, "pause", job).stdout == f"{job} was paused or cancelled before\n"
    listed = json.loads(command(farm, "jobs", "--json").stdout)
    assert next(one for one in listed if one["job"] == job)["is_paused"]
    resumed = command(farm, "resume", job, "--watch", "--to", tmp_path / "out")
    assert resumed.returncode == 0, resumed.stderr
    assert len(list((tmp_path / "out").glob("*.png"))) == 6
    wait_for_an_empty_queue(farm)
    removed = command(farm, "remove", job)
    assert removed.stdout == f"{job} is deleted from the bucket\n"
    assert keys_of(farm, job) == []
