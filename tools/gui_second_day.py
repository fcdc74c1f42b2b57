"""The second half of gui_test.py: what an artist does once frames have come back before.

Jobs after a restart, another file in between, a movie, a file that was never saved, a thousand
frames, a frame that fails, credentials that do not hold.
"""

from __future__ import annotations

import time

from gui_stage import Stage, is_over

# From the left edge and the top of a window of 1600 × 1000.
ANIMATION_ON_LAMBDA = (1553, 339)

SHORT = """
bpy.context.scene.render.filepath = {output!r}
bpy.context.scene.frame_end = 12
"""
BEGIN = """
bpy.context.scene.render.filepath = {output!r}
bpy.context.scene.frame_start, bpy.context.scene.frame_end = {first}, {last}
bpy.ops.render_on_lambda.render_animation("INVOKE_DEFAULT")
"""
CANCEL = """
bpy.ops.render_on_lambda.cancel(job_id=jobs.list.jobs[-1].id)
"""
SCRUB = """
bpy.context.scene.frame_set(7)
"""
OTHER_FILE = """
bpy.ops.wm.read_homefile(load_ui=False)
"""
BACK = """
bpy.ops.wm.open_mainfile(filepath={file!r}, load_ui=False)
"""
MOVIE = """
settings = bpy.context.scene.render.image_settings
settings.media_type = "VIDEO"
bpy.context.scene.render.ffmpeg.format = "MPEG4"
"""
FRAMES_AGAIN = """
settings = bpy.context.scene.render.image_settings
settings.media_type = "IMAGE"
settings.file_format = "PNG"
"""
MAKE_MOVIE = """
bpy.ops.render_on_lambda.make_movie(job_id=jobs.list.jobs[-1].id)
"""
UNSAVED = """
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples = 4
scene.render.resolution_x, scene.render.resolution_y = 160, 90
scene.render.filepath = {output!r}
bpy.ops.render_on_lambda.render_image("INVOKE_DEFAULT")
"""
FAILING = """
text = bpy.data.texts.new("fails.py")
text.write("import bpy\\ndef fail(scene, *_):\\n    if scene.frame_current == 2:\\n"
           "        raise ValueError('no such light')\\n"
           "bpy.app.handlers.frame_change_pre.append(fail)\\n")
text.use_module = True
bpy.context.window_manager.render_on_lambda.allow_scripts = True
"""
RETRY = """
bpy.context.window_manager.render_on_lambda.allow_scripts = False
bpy.ops.render_on_lambda.retry(job_id=jobs.list.jobs[-1].id)
"""
PROFILE = """
name = "bl_ext.user_default.render_on_lambda"
bpy.context.preferences.addons[name].preferences.profile = {profile!r}
"""
TRY_AGAIN = """
bpy.ops.render_on_lambda.try_again(job_id=jobs.list.jobs[-1].id)
"""
TEST = """
bpy.ops.render_on_lambda.check_stack()
"""


def run(stage: Stage, met: dict[str, bool]) -> None:
    """All of it, one after the other."""
    scrubbing(stage, met)
    restarting(stage, met)
    other_file(stage, met)
    many_frames(stage, met)
    movie(stage, met)
    failing(stage, met)
    refused(stage, met)


def begin(stage: Stage, name: str, first: int = 1, last: int = 3) -> None:
    """Press Render Animation."""
    output = str(stage.folder / name / "shot_####")
    stage.step(BEGIN.format(output=output, first=first, last=last))


def scrubbing(stage: Stage, met: dict[str, bool]) -> None:
    """The frames of a job that is done follow the timeline."""
    stage.step(SHORT.format(output=str(stage.folder / "scrub" / "shot_####")))
    stage.mouse(*ANIMATION_ON_LAMBDA)
    stage.wait(lambda line: line["state"] == "rendering" and line["fetched"] >= 2)
    stage.shoot("11-rendering")
    stage.wait(lambda line: line["jobs"] == 1 and is_over(line))
    stage.step(SCRUB)
    line = stage.wait(bool)
    stage.shoot("11-scrubbed")
    met["the sequence follows the timeline"] = 7 in line["frame_shown"]


def restarting(stage: Stage, met: dict[str, bool]) -> None:
    """Blender is quit in the middle of a job, and started again."""
    begin(stage, "restart", 1, 24)
    before = stage.wait(lambda line: line["state"] == "rendering" and line["fetched"] >= 2)
    stage.restart()
    line = stage.wait(lambda line: line["jobs"] == before["jobs"] and is_over(line))
    stage.shoot("11-restarted")
    met["a job goes on after a restart"] = (line["state"], line["fetched"]) == ("finished", 24)


def other_file(stage: Stage, met: dict[str, bool]) -> None:
    """A file that was never saved is opened while a job renders, and rendered beside it."""
    begin(stage, "between", 1, 24)
    stage.wait(lambda line: line["state"] == "rendering" and line["fetched"] >= 2)
    # The window comes back with the next turn of Blender's loop.
    stage.step(OTHER_FILE)
    stage.step(UNSAVED.format(output=str(stage.folder / "unsaved" / "shot_####")))
    both = stage.wait(bool)["at_work"] == 2
    stage.shoot("11-two-jobs")
    line = stage.wait(lambda line: line["at_work"] == 0)
    time.sleep(2)
    stage.shoot("11-other-file")
    came = {name: len(list((stage.folder / name).iterdir())) for name in ("between", "unsaved")}
    met["two jobs are at work at once"] = both
    met["frames come while another file is open"] = came["between"] == 24
    met["and are not shown in it"] = not any("sample" in name for name in line["shown"])
    met["a file that was never saved renders"] = came["unsaved"] == 1
    stage.step(BACK.format(file=str(stage.sample / "shots/sample.blend")))


def many_frames(stage: Stage, met: dict[str, bool]) -> None:
    """A thousand frames are asked about, rendered, and cancelled."""
    jobs = stage.wait(bool)["jobs"]
    begin(stage, "many", 1, 1000)
    stage.shoot("11-question")
    asked = stage.wait(bool)["jobs"] == jobs
    stage.key("Return")
    stage.wait(lambda line: line["state"] == "rendering" and line["fetched"] >= 2)
    stage.shoot("11-thousand")
    stage.step(CANCEL)
    line = stage.wait(is_over)
    stage.shoot("11-cancelled")
    met["a thousand frames are asked about first"] = asked
    met["and cancelled"] = line["state"] == "cancelled" and line["fetched"] < 1000


def movie(stage: Stage, met: dict[str, bool]) -> None:
    """A movie comes back as frames, which become the movie."""
    stage.step(MOVIE)
    begin(stage, "movie", 1, 6)
    stage.wait(is_over)
    stage.step(MAKE_MOVIE)
    folder = stage.folder / "movie"
    limit = time.monotonic() + 60
    while not list(folder.glob("*.mp4")) and time.monotonic() < limit:
        time.sleep(1)
    time.sleep(2)
    stage.shoot("11-movie")
    met["frames become the movie"] = len(list(folder.glob("*.mp4"))) == 1
    stage.step(FRAMES_AGAIN)


def failing(stage: Stage, met: dict[str, bool]) -> None:
    """A frame fails, and is tried again."""
    stage.step(FAILING)
    begin(stage, "failing")
    line = stage.wait(is_over)
    stage.shoot("11-failed")
    met["a frame that fails is told of, the others come"] = (line["failed"], line["fetched"]) == (
        1,
        2,
    )
    stage.step(RETRY)
    line = stage.wait(is_over)
    met["it is tried again"] = line["failed"] == 1


def refused(stage: Stage, met: dict[str, bool]) -> None:
    """Credentials that do not hold are told of, and the job goes on with others."""
    stage.step(PROFILE.format(profile="nobody"))
    stage.step(TEST)
    line = stage.wait(lambda line: "nobody" in line["connection"])
    begin(stage, "refused")
    line = stage.wait(lambda line: line["state"] == "failed")
    stage.shoot("11-refused")
    met["a profile that is not there is named"] = "nobody" in line["error"]
    stage.step(PROFILE.format(profile=""))
    stage.step(TRY_AGAIN)
    line = stage.wait(is_over)
    met["and the job goes on with another"] = line["state"] == "finished"
