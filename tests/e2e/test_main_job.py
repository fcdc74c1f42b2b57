"""The main job: one press, and the frames come back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Blender
from local_farm import LocalFarm
from PIL import Image

# What each render writes anew: PNG text chunks that say when, where and for how long.
VOLATILE = re.compile(r"Date|File|RenderTime|cycles\..*_time")

RENDER = """
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
scene = bpy.context.scene
{change}
try:
    RESULT["outcome"] = sorted(bpy.ops.render_on_lambda.render_animation())
except RuntimeError as error:
    RESULT["error"] = str(error)
RESULT["job"] = job_json()
RESULT["images"] = [(image.name, image.source, image.filepath) for image in bpy.data.images]
RESULT["opened"] = bpy.data.filepath
"""


def render(blender: Blender, scene: Path, change: str = "") -> dict[str, Any]:
    """Open a scene, change it, press the button, wait."""
    return blender.run(RENDER.format(change=change), str(scene))


def same_picture(one: Path, other: Path) -> bool:
    """Whether two frames are the same in pixels, depth and metadata that matters."""
    with Image.open(one) as left, Image.open(other) as right:
        text = [
            {key: value for key, value in image.info.items() if not VOLATILE.fullmatch(str(key))}
            for image in (left, right)
        ]
        return left.mode == right.mode and left.tobytes() == right.tobytes() and text[0] == text[1]


def same_pixels(one: Path, other: Path) -> bool:
    """Whether two frames are the same in pixels, where the scenes' frame ranges differ."""
    with Image.open(one) as left, Image.open(other) as right:
        return left.mode == right.mode and left.tobytes() == right.tobytes()


def wait_for(condition: Callable[[], Any], what: str, limit_seconds: float = 60) -> Any:
    """The first truth that a condition gives."""
    limit = time.monotonic() + limit_seconds
    while time.monotonic() < limit:
        if found := condition():
            return found
        time.sleep(0.1)
    pytest.fail(f"{what} did not happen within {limit_seconds} s")


def test_every_frame_is_bit_identical_and_named_as_the_scene_says(
    blender: Blender, sample: Path, local_frames: Path
) -> None:
    before = sample.read_bytes()
    result = render(blender, sample)
    assert result["outcome"] == ["FINISHED"]
    local = sorted(local_frames.iterdir())
    fetched = sorted((sample.parent / "render").iterdir())
    assert [path.name for path in fetched] == [path.name for path in local]
    assert len(fetched) == 24
    for one, other in zip(fetched, local, strict=True):
        assert same_picture(one, other), one.name
    name = "Render on Lambda: sample"
    assert [name, "SEQUENCE", str(fetched[0])] in result["images"]
    assert sample.read_bytes() == before, "the artist's file was written"
    assert result["opened"] == str(sample)


def test_the_pack_is_rendered_where_no_original_path_exists(
    farm: LocalFarm, blender: Blender, sample_master: Path, local_frames: Path, tmp_path: Path
) -> None:
    # A folder of its own, absolute texture included, that is taken away before any worker starts.
    project = tmp_path / "project"
    shutil.copytree(sample_master / "shots", project / "shots")
    shutil.copytree(sample_master / "elsewhere", project / "elsewhere")
    output = tmp_path / "frames"
    farm.set_mapping(enabled=False)
    try:
        process = blender.start(
            RENDER.format(
                change=f"""
bpy.data.images["label.png"].filepath = {str(project / "elsewhere" / "label.png")!r}
scene.frame_end = 4
scene.render.filepath = {str(output)!r} + "/sample_####"
"""
            ),
            str(project / "shots" / "sample.blend"),
        )
        queue = farm.outputs()["QueueUrl"]
        sqs = farm.client("sqs")

        def waiting() -> bool:
            names = ["ApproximateNumberOfMessages"]
            found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
            return int(found["ApproximateNumberOfMessages"]) == 4

        wait_for(waiting, "enqueueing four frames")
        project.rename(tmp_path / "away")
        hidden = sample_master.with_name("hidden")
        sample_master.rename(hidden)
        try:
            farm.set_mapping(enabled=True)
            result = blender.finish(process)
        finally:
            hidden.rename(sample_master)
    finally:
        farm.set_mapping(enabled=True)
    assert result["outcome"] == ["FINISHED"]
    for frame in range(1, 5):
        name = f"sample_{frame:04}.png"
        assert same_pixels(output / name, local_frames / name), name


def test_two_jobs_at_once_do_not_touch_each_other(
    farm: LocalFarm, blender: Blender, sample: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "other-artist"
    folder.mkdir()
    shutil.copytree(blender.folder / "user", folder / "user")
    other = Blender(folder, farm.environment())
    change = """
scene.frame_end = 6
scene.render.filepath = "//{folder}/frame_####"
scene.render.resolution_percentage = {percentage}
"""
    processes = [
        (artist, artist.start(RENDER.format(change=change.format(**values)), str(sample)))
        for artist, values in (
            (blender, {"folder": "one", "percentage": 100}),
            (other, {"folder": "two", "percentage": 50}),
        )
    ]
    for artist, process in processes:
        assert artist.finish(process)["outcome"] == ["FINISHED"]
    for name, size in (("one", (320, 180)), ("two", (160, 90))):
        frames = sorted((sample.parent / name).iterdir())
        assert [path.name for path in frames] == [f"frame_{frame:04}.png" for frame in range(1, 7)]
        assert {Image.open(path).size for path in frames} == {size}


def test_a_frame_whose_script_raises_says_why_and_the_others_arrive(
    blender: Blender, sample: Path
) -> None:
    result = render(
        blender,
        sample,
        '''
text = bpy.data.texts.new("trap.py")
text.use_module = True
text.write("""
import bpy
def trap(scene, depsgraph=None):
    if scene.frame_current == 7:
        raise ValueError("frame seven is cursed")
bpy.app.handlers.frame_change_pre.append(trap)
""")
scene.frame_start, scene.frame_end = 5, 9
bpy.context.window_manager.render_on_lambda.allow_scripts = True
''',
    )
    job = result["job"]
    assert "1 failed" in result["error"]
    assert job["fetched"] == 4 and job["failed"] == 1
    (failure,) = job["failures"]
    assert failure["frame"] == 7
    assert "ValueError: frame seven is cursed" in failure["message"]
    assert "Traceback" in failure["log_tail"]
    names = sorted(path.name for path in (sample.parent / "render").iterdir())
    assert names == [f"sample_{frame:04}.png" for frame in (5, 6, 8, 9)]


def test_scripts_do_not_run_unless_the_artist_says_so(blender: Blender, sample: Path) -> None:
    result = render(
        blender,
        sample,
        """
text = bpy.data.texts.new("trap.py")
text.use_module = True
text.write("raise ValueError('a script ran')")
scene.frame_end = 1
""",
    )
    assert result["outcome"] == ["FINISHED"]


def test_a_scene_without_a_camera_is_refused_before_anything_is_sent(
    blender: Blender, sample: Path
) -> None:
    result = blender.run(
        """
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
bpy.context.scene.camera = None
try:
    bpy.ops.render_on_lambda.render_animation()
except RuntimeError as error:
    RESULT["error"] = str(error)
RESULT["jobs"] = len(jobs.jobs().list.jobs)
""",
        str(sample),
    )
    assert 'The scene "Scene" has no camera' in result["error"]
    assert result["jobs"] == 0


@pytest.mark.parametrize("victim", ["consumer", pytest.param("blender", marks=pytest.mark.soak)])
def test_a_frame_comes_once_although_its_worker_is_killed(
    farm: LocalFarm, blender: Blender, sample: Path, victim: str
) -> None:
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]

    def jobs_at_work() -> set[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="jobs/")
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key.split("/")[1] for key in keys if "/tasks/" in key}

    before = jobs_at_work()
    process = blender.start(
        RENDER.format(change="scene.frame_end = 2\nscene.cycles.samples = 300"), str(sample)
    )
    (job,) = wait_for(lambda: jobs_at_work() - before, "rendering")
    # Into the render, past the loading of the scene.
    time.sleep(1.5)
    workers = wait_for(farm.workers, "a worker")
    for worker in workers if victim == "consumer" else children(children(workers)):
        os.kill(worker, signal.SIGKILL)
    result = blender.finish(process)
    assert result["outcome"] == ["FINISHED"], result
    keys = [
        item["Key"]
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=f"jobs/{job}/frames/")["Contents"]
    ]
    assert keys == [f"jobs/{job}/frames/sample_0001.png", f"jobs/{job}/frames/sample_0002.png"]


def children(processes: list[int]) -> list[int]:
    """The keepers of some workers; the Blenders of some keepers."""
    found = []
    for process in processes:
        for task in Path(f"/proc/{process}/task").iterdir():
            found += [int(text) for text in (task / "children").read_text().split()]
    return found


def test_a_message_delivered_twice_gives_one_result(
    farm: LocalFarm, blender: Blender, sample: Path
) -> None:
    result = render(blender, sample, "scene.frame_end = 1")
    job = result["job"]["id"]
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    key = f"jobs/{job}/frames/sample_0001.png"
    first = s3.head_object(Bucket=bucket, Key=key)
    record = s3.get_object(Bucket=bucket, Key=f"jobs/{job}/tasks/1.json")["Body"].read()
    sqs, queue = farm.client("sqs"), farm.outputs()["QueueUrl"]
    for _ in range(3):
        sqs.send_message(QueueUrl=queue, MessageBody=f'{{"version":1,"job":"{job}","frame":1}}')

    def drained() -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return all(int(found[name]) == 0 for name in names)

    wait_for(drained, "taking the duplicates")
    again = s3.head_object(Bucket=bucket, Key=key)
    assert (again["ETag"], again["LastModified"]) == (first["ETag"], first["LastModified"])
    assert s3.get_object(Bucket=bucket, Key=f"jobs/{job}/tasks/1.json")["Body"].read() == record


def test_a_job_is_found_again_after_blender_was_closed(blender: Blender, sample: Path) -> None:
    first = blender.run(
        """
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
bpy.context.scene.frame_end = 3
from bl_ext.user_default.render_on_lambda.tool import scene
job = scene.new_job(bpy.context, animation=True)
jobs.jobs().start(job)
while job.state is JobState.SUBMITTING:
    jobs.jobs().poll()
    time.sleep(0.05)
RESULT["state"] = job.state.value
""",
        str(sample),
    )
    assert first["state"] == "rendering"
    second = blender.run(
        """
bpy.ops.render_on_lambda.resume(wait=True)
RESULT["job"] = job_json()
"""
    )
    assert second["job"]["state"] == "finished"
    assert len(list((sample.parent / "render").iterdir())) == 3


def test_a_submission_goes_on_after_blender_was_killed(blender: Blender, sample: Path) -> None:
    blender.run(
        """
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
bpy.context.scene.frame_end = 2
from bl_ext.user_default.render_on_lambda.tool import scene
jobs.jobs().start(scene.new_job(bpy.context, animation=True))
Path(sys.argv[2]).write_text("{}")
os._exit(0)
""",
        str(sample),
        str(blender.result),
    )
    after = blender.run("bpy.ops.render_on_lambda.resume(wait=True)\nRESULT['job'] = job_json()")
    assert after["job"]["state"] == "finished"
    assert len(list((sample.parent / "render").iterdir())) == 2


def test_a_missing_texture_is_named_before_anything_is_uploaded(
    farm: LocalFarm, blender: Blender, sample: Path
) -> None:
    texture = sample.parent / "textures" / "tiles.png"
    texture.unlink()
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    before = s3.list_objects_v2(Bucket=bucket)["KeyCount"]
    result = render(blender, sample, "scene.frame_end = 2")
    assert "1 file is missing" in result["error"]
    (missing,) = result["job"]["missing"]
    assert missing["datablock_type"] == "Image"
    assert missing["datablock"] == "tiles.png"
    assert missing["path"] == str(texture)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == before
    anyway = blender.run(
        """
bpy.ops.render_on_lambda.render_anyway(job_id=jobs.jobs().list.jobs[-1].id)
RESULT["job"] = job_json()
"""
    )
    assert anyway["job"]["state"] == "finished" and anyway["job"]["fetched"] == 2


def test_an_unsaved_scene_is_rendered_as_it_is_on_the_screen(
    blender: Blender, tmp_path: Path
) -> None:
    result = blender.run(
        """
import bpy
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples = 1
scene.render.resolution_x = scene.render.resolution_y = 32
scene.frame_set(5)
scene.render.filepath = sys.argv[1] + "/still_"
dirty = bpy.data.is_dirty
RESULT["outcome"] = sorted(bpy.ops.render_on_lambda.render_image())
RESULT["filepath"] = bpy.data.filepath
RESULT["job"] = job_json()
""",
        str(tmp_path / "out"),
    )
    assert result["outcome"] == ["FINISHED"]
    assert result["filepath"] == ""
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["still_0005.png"]


def test_a_cancelled_job_stops_and_keeps_what_is_done(blender: Blender, sample: Path) -> None:
    result = blender.run(
        """
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
from bl_ext.user_default.render_on_lambda.tool import scene
job = scene.new_job(bpy.context, animation=True)
jobs.jobs().start(job)
while not job.fetched:
    jobs.jobs().poll()
    time.sleep(0.05)
bpy.ops.render_on_lambda.cancel(job_id=job.id)
while not job.state.is_over:
    jobs.jobs().poll()
    time.sleep(0.05)
RESULT["job"] = job_json()
""",
        str(sample),
    )
    job = result["job"]
    assert job["state"] == "cancelled"
    frames = list((sample.parent / "render").iterdir())
    assert 1 <= job["fetched"] == len(frames) < 24


def test_the_main_thread_stays_free(
    blender: Blender, sample: Path, record_property: Callable[[str, object], None]
) -> None:
    result = blender.run(
        """
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
bpy.context.scene.frame_end = 6
from bl_ext.user_default.render_on_lambda.tool import scene
job = scene.new_job(bpy.context, animation=True)
started = time.perf_counter()
jobs.jobs().start(job)
calls = [time.perf_counter() - started]
while not job.state.is_over:
    started = time.perf_counter()
    jobs.jobs().poll()
    calls.append(time.perf_counter() - started)
    time.sleep(0.02)
RESULT["longest_ms"] = max(calls) * 1000
RESULT["calls"] = len(calls)
RESULT["state"] = job.state.value
""",
        str(sample),
    )
    assert result["state"] == "finished"
    # A figure, not a bound: these machines are noisy. The promise is 50 ms.
    print(f"\nlongest call on the main thread: {result['longest_ms']:.1f} ms of {result['calls']}")
    record_property("longest_main_thread_call_ms", result["longest_ms"])
