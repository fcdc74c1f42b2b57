"""Nothing is paid in vain, nothing is replaced unasked, and there is a way on."""

from __future__ import annotations

from pathlib import Path

from conftest import Blender

RENDER = """
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
scene = bpy.context.scene
scene.frame_end = 2
scene.render.filepath = f"{sys.argv[2]}/shot_####"

def render():
    try:
        RESULT["outcome"] = sorted(bpy.ops.render_on_lambda.render_animation())
    except RuntimeError as error:
        RESULT["error"] = str(error)

def files(folder):
    return sorted(path.name for path in Path(folder).glob("*"))
"""


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_sent(
    blender: Blender, sample: Path
) -> None:
    script = RENDER + "render()\nRESULT['jobs'] = len(jobs.jobs().list.jobs)"
    result = blender.run(script, str(sample), "/proc/frames")
    assert "The output folder /proc/frames cannot be written to" in result["error"]
    assert "choose another in the Output properties" in result["error"]
    assert result["jobs"] == 0


def test_an_engine_that_the_farm_has_not_got_is_refused_before_anything_is_sent(
    blender: Blender, sample: Path, tmp_path: Path
) -> None:
    script = """
class Foreign(bpy.types.RenderEngine):
    bl_idname, bl_label = "FOREIGN", "Foreign"

bpy.utils.register_class(Foreign)
scene.render.engine = "FOREIGN"
render()
RESULT["jobs"] = len(jobs.jobs().list.jobs)
"""
    result = blender.run(RENDER + script, str(sample), str(tmp_path / "out"))
    assert (
        "The farm renders with Cycles, EEVEE and Workbench, and not with FOREIGN" in result["error"]
    )
    assert result["jobs"] == 0


def test_frames_come_into_another_folder_once_it_is_changed(
    blender: Blender, sample: Path, tmp_path: Path
) -> None:
    script = """
    render()
    job = jobs.jobs().list.jobs[-1]
    RESULT["before"] = files(sys.argv[2])
    bpy.ops.render_on_lambda.change_folder(job_id=job.id, directory=sys.argv[3])
    from bl_ext.user_default.render_on_lambda.tool import waiting
    waiting.wait(job)
    RESULT["job"] = job_json()
    RESULT["after"] = files(sys.argv[3])
    try:
        bpy.ops.render_on_lambda.change_folder(job_id=job.id, directory="/proc/frames")
    except RuntimeError as error:
        RESULT["error"] = str(error)
    """
    one, other = tmp_path / "one", tmp_path / "other"
    text = RENDER + "\n".join(line.removeprefix("    ") for line in script.splitlines())
    result = blender.run(text, str(sample), str(one), str(other))
    assert result["before"] == result["after"] == ["shot_0001.png", "shot_0002.png"]
    assert result["job"]["state"] == "finished" and result["job"]["arrived"] == [[1, 2]]
    assert "/proc/frames cannot be written to" in result["error"]


def test_frames_that_are_not_of_this_scene_are_not_replaced_unasked(
    blender: Blender, sample: Path, tmp_path: Path
) -> None:
    script = """
from bl_ext.user_default.render_on_lambda.tool import scene as scenes

def question():
    return scenes.question(bpy.context, jobs.jobs().list.jobs, animation=True)

Path(sys.argv[2]).mkdir()
RESULT["empty"] = question()
(Path(sys.argv[2]) / "shot_0002.png").write_bytes(b"the artist's own")
RESULT["there"] = question()
render()
RESULT["again"] = question()
jobs.jobs().list.jobs[-1].state = JobState.RENDERING
RESULT["at_work"] = question()
jobs.jobs().list.jobs[-1].state = JobState.FINISHED
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1].replace(".blend", "_other.blend"))
RESULT["other"] = question()
scene.frame_end = 1000
scene.render.filepath = f"{sys.argv[2]}/elsewhere/shot_####"
RESULT["many"] = question()
"""
    result = blender.run(RENDER + script, str(sample), str(tmp_path / "frames"))
    assert result["empty"] == result["again"] == ""
    assert result["there"].startswith("1 frame is in ")
    assert "is still rendering into the same files" in result["at_work"]
    assert result["other"].startswith("2 frames are in ")
    assert result["many"] == "1000 frames will be rendered."


def test_a_job_that_could_not_be_sent_goes_on_once_the_farm_is_right(
    blender: Blender, sample: Path, tmp_path: Path
) -> None:
    script = """
stack = blender_with_extension.preferences().stack
blender_with_extension.preferences().stack = "nope"
render()
job = jobs.jobs().list.jobs[-1]
RESULT["state"] = job.state.value
blender_with_extension.preferences().stack = stack
bpy.ops.render_on_lambda.try_again(job_id=job.id)
RESULT["job"] = job_json()
RESULT["copy"] = Path(job.blend_file).exists()
"""
    result = blender.run(RENDER + script, str(sample), str(tmp_path / "frames"))
    assert result["state"] == "failed"
    assert result["job"]["state"] == "finished" and result["job"]["fetched"] == 2
    assert not result["copy"], "the copy of the scene is kept for no longer than it is needed"


def test_a_job_that_nobody_follows_can_be_cancelled(
    blender: Blender, sample: Path, tmp_path: Path
) -> None:
    script = """
from bl_ext.user_default.render_on_lambda.tool import scene as scenes
running = jobs.jobs()
job = scenes.new_job(bpy.context, animation=True)
running.start(job)
while job.state is JobState.SUBMITTING:
    running.poll()
    time.sleep(0.05)
# As where the frames cannot be written any more.
running.sessions.pop(job.id).close()
job.state, job.error = JobState.FAILED, "The disk is full"
bpy.ops.render_on_lambda.cancel(job_id=job.id)
limit = time.monotonic() + 60
while job.state is JobState.FAILED and time.monotonic() < limit:
    running.poll()
    time.sleep(0.05)
RESULT["job"] = job_json()
"""
    result = blender.run(RENDER + script, str(sample), str(tmp_path / "frames"))
    assert result["job"]["state"] == "cancelled", result["job"]
    assert result["job"]["error"] == ""


def test_the_lists_of_the_panel_hold_what_there_is(
    blender: Blender, sample: Path, tmp_path: Path
) -> None:
    script = """
from bl_ext.user_default.render_on_lambda.tool import rows
scene.frame_end = 1
image = next(one for one in bpy.data.images if one.filepath and not one.library)
image.filepath = "//gone/picture_0001.png"
RESULT["image"] = image.name
render()
rows.refresh()
choices = bpy.context.window_manager.render_on_lambda
RESULT["concerns"] = [(row.owner, row.what, row.datablock, row.path) for row in choices.concerns]
job = jobs.jobs().list.jobs[-1]
RESULT["jobs"] = [row.name for row in choices.jobs] == [job.id]
bpy.ops.render_on_lambda.remove(job_id=job.id)
rows.refresh()
RESULT["after"] = [len(choices.jobs), len(choices.concerns)]
"""
    result = blender.run(RENDER + script, str(sample), str(tmp_path / "frames"))
    assert result["jobs"] and result["after"] == [0, 0]
    ((owner, what, datablock, path),) = result["concerns"]
    assert owner and (what, datablock) == ("picture_0001.png", result["image"])
    assert path.endswith("/gone/picture_0001.png")


def test_the_frames_of_a_movie_become_the_movie_that_f12_makes(
    blender: Blender, sample: Path, tmp_path: Path
) -> None:
    script = """
scene.frame_end = 3
image_settings = scene.render.image_settings
if hasattr(image_settings, "media_type"):
    image_settings.media_type = "VIDEO"
image_settings.file_format = "FFMPEG"
scene.render.ffmpeg.format, scene.render.ffmpeg.codec = "MKV", "FFV1"
scene.render.filepath = f"{sys.argv[2]}/shot_"
bpy.ops.wm.save_mainfile()
render()
job = jobs.jobs().list.jobs[-1]
bpy.ops.render_on_lambda.make_movie(job_id=job.id)
RESULT["notices"] = job.notices
RESULT["files"] = files(sys.argv[2])

def first_frame(path):
    loaded = bpy.data.images.load(str(path))
    return list(loaded.size), list(loaded.pixels[:400])

folder = Path(sys.argv[2])
RESULT["movie"] = first_frame(next(folder.glob("*.mkv")))
RESULT["frame"] = first_frame(folder / "shot_0001.png")
(folder / "shot_0002.png").unlink()
try:
    bpy.ops.render_on_lambda.make_movie(job_id=job.id)
except RuntimeError as error:
    RESULT["error"] = str(error)
"""
    result = blender.run(RENDER + script, str(sample), str(tmp_path / "frames"))
    frames = [f"shot_{frame:04}.png" for frame in (1, 2, 3)]
    assert result["files"] == ["shot_0001-0003.mkv", *frames]
    assert result["notices"][-1] == f"The movie is made: {tmp_path}/frames/shot_0001-0003.mkv"
    (size, pixels), (frame_size, frame_pixels) = result["movie"], result["frame"]
    assert size == frame_size
    difference = max(abs(one - other) for one, other in zip(pixels, frame_pixels, strict=True))
    assert difference < 2 / 255
    assert "Frame 2 is not there any more" in result["error"]
