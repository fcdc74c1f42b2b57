"""The Blenders that the extension is for: installed, checked, upgraded, used for a day."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import PROJECT, Blender
from local_farm import LocalFarm

INSTALL = """
import bpy
import sys
from pathlib import Path
sys.path.insert(0, {tools!r})
import blender_with_extension
blender_with_extension.install(Path({extension!r}))
"""

FLOW = """
bpy.ops.wm.read_factory_settings()
blender_with_extension.enable()
blender_with_extension.set_farm(*sys.argv[1:3])
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples = "CYCLES", 1
scene.render.resolution_x = scene.render.resolution_y = 16
scene.frame_end = 2
scene.render.filepath = f"{sys.argv[3]}/shot_####"
texture = bpy.data.images.new("checks", 4, 4)
texture.filepath_raw, texture.file_format = f"{sys.argv[3]}/../checks.png", "PNG"
texture.save()
image = bpy.data.images.load(texture.filepath_raw)
material = bpy.data.objects["Cube"].material_slots[0].material
node = material.node_tree.nodes.new("ShaderNodeTexImage")
node.image = image
inputs = material.node_tree.nodes["Principled BSDF"].inputs
material.node_tree.links.new(node.outputs[0], inputs["Base Color"])
bpy.ops.wm.save_as_mainfile(filepath=f"{sys.argv[3]}/../shot.blend")
RESULT["version"] = bpy.app.version_string
RESULT["check"] = sorted(bpy.ops.render_on_lambda.check_scene())
try:
    bpy.ops.render_on_lambda.render_animation()
except RuntimeError as error:
    RESULT["asked"] = str(error)
RESULT["sent"] = jobs.jobs().list.jobs[-1].total
job_id = jobs.jobs().list.jobs[-1].id
RESULT["outcome"] = sorted(bpy.ops.render_on_lambda.render_anyway(job_id=job_id))
RESULT["job"] = job_json()
RESULT["files"] = sorted(path.name for path in Path(sys.argv[3]).glob("*"))
bpy.ops.render_on_lambda.add_strip(job_id=jobs.jobs().list.jobs[-1].id)
edit = bpy.data.scenes["shot Edit"].sequence_editor
strips = edit.strips if hasattr(edit, "strips") else edit.sequences
RESULT["strips"] = [len(strip.elements) for strip in strips]
image.filepath = "//gone.png"
try:
    bpy.ops.render_on_lambda.check_scene()
except RuntimeError as error:
    RESULT["problem"] = str(error)
RESULT["problems"] = [one.path for one in jobs.jobs().scene_check.problems]
from bl_ext.user_default.render_on_lambda.tool import rows
rows.refresh()
RESULT["rows"] = len(bpy.context.window_manager.render_on_lambda.jobs)
bpy.ops.wm.save_userpref()
"""

AGAIN = """
RESULT["jobs"] = len(jobs.jobs().list.jobs)
RESULT["stack"] = blender_with_extension.preferences().stack
import addon_utils
addon_utils.disable(blender_with_extension.MODULE)
RESULT["is_gone"] = not hasattr(bpy.types.WindowManager, "render_on_lambda")
"""


@pytest.mark.parametrize("version", ["4.2", "4.5"])
def test_an_older_blender_renders_on_the_farm_and_keeps_its_jobs_through_an_upgrade(
    farm: LocalFarm, tmp_path: Path, version: str
) -> None:
    program = PROJECT / f".tools/blender-{version}/bin/python"
    if not program.exists():
        pytest.skip(f"Blender {version} is not installed: it wants a Python 3.11")
    (tmp_path / "artist").mkdir()
    artist = Blender(tmp_path / "artist", farm.environment(), program)
    extension = next((PROJECT / "build").glob("render_on_lambda-*.zip"))
    install = INSTALL.format(tools=str(PROJECT / "tools"), extension=str(extension))
    frames = tmp_path / "show" / "frames"
    frames.mkdir(parents=True)
    result = artist.run(FLOW, farm.endpoint, farm.stack, str(frames), before=install)
    assert result["version"].startswith(version)
    newer = f"The farm renders with Blender 5.2, this is {version}, and pictures may differ"
    assert newer in result["asked"] and result["sent"] == 0, result
    assert result["check"] == result["outcome"] == ["FINISHED"], result
    assert result["job"]["state"] == "finished" and result["rows"] == 1
    assert result["files"] == ["shot_0001.png", "shot_0002.png"]
    assert result["strips"] == [2]
    assert [Path(path).name for path in result["problems"]] == ["gone.png"]
    upgraded = artist.run(AGAIN, before=install)
    assert upgraded == {"jobs": 1, "stack": farm.stack, "is_gone": True}


DAY = """
from bl_ext.user_default.render_on_lambda.tool import scene as scene_tool, waiting
bpy.ops.wm.read_factory_settings()
blender_with_extension.enable()
blender_with_extension.set_farm(*sys.argv[1:3])
running, operators, out = jobs.jobs(), bpy.ops.render_on_lambda, Path(sys.argv[3])


def small(folder, last):
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.frame_end, scene.render.filepath = last, str(out / folder / "shot_####")


def start(**choices):
    job = scene_tool.new_job(bpy.context, animation=True, **choices)
    job.may_use_other_blender = True
    running.start(job)
    return job


def until(job, states):
    while job.state.value not in states:
        running.poll()
        time.sleep(0.05)


def told(job):
    return job.state.value, job.fetched


# A file that was never saved, and two jobs at once.
small("one", 3)
first = start()
small("two", 2)
second = start()
for job in (first, second):
    waiting.wait(job)
RESULT["two"] = [told(first), told(second)]
# A folder that cannot be written to.
small("../../../../../../../proc/no", 2)
try:
    start()
except Exception as error:
    RESULT["unwritable"] = str(error)
# Paused, resumed, cancelled.
small("paused", 80)
job = start()
until(job, ("rendering",))
operators.pause(job_id=job.id)
until(job, ("paused", "finished"))
RESULT["paused"] = job.state.value
operators.go_on(job_id=job.id)
RESULT["resumed"] = told(job)
small("cancelled", 400)
job = start()
until(job, ("rendering",))
operators.cancel(job_id=job.id)
until(job, ("cancelled", "finished"))
RESULT["cancelled"] = job.state.value
# What is missing of it is rendered, and fetched again.
small("one", 3)
(out / "one" / "shot_0002.png").unlink()
job = start(only_missing=True)
waiting.wait(job)
RESULT["missing"] = told(job), sorted(path.name for path in (out / "one").iterdir())
(out / "one" / "shot_0001.png").unlink()
operators.fetch(job_id=first.id)
RESULT["fetched"] = sorted(path.name for path in (out / "one").iterdir())
# Credentials that do not hold, and others.
preferences = blender_with_extension.preferences()
preferences.profile = "nobody"
small("refused", 1)
job = start()
waiting.wait(job)
RESULT["refused"] = job.error
preferences.profile = ""
operators.try_again(job_id=job.id)
RESULT["tried again"] = told(job)
# A movie.
small("movie", 3)
settings = bpy.context.scene.render.image_settings
if hasattr(settings, "media_type"):
    settings.media_type = "VIDEO"
settings.file_format = "FFMPEG"
bpy.context.scene.render.ffmpeg.format = "MPEG4"
job = start()
waiting.wait(job)
operators.make_movie(job_id=job.id)
RESULT["movie"] = sorted(path.suffix for path in (out / "movie").iterdir())
"""


@pytest.mark.parametrize("version", ["4.2", "4.5", "5.2"])
def test_an_artists_day_without_a_window(farm: LocalFarm, tmp_path: Path, version: str) -> None:
    program = PROJECT / f".tools/blender-{version}/bin/python"
    if version == "5.2":
        program = Blender.program
    elif not program.exists():
        pytest.skip(f"Blender {version} is not installed: it wants a Python 3.11")
    (tmp_path / "artist").mkdir()
    artist = Blender(tmp_path / "artist", farm.environment(), program)
    extension = next((PROJECT / "build").glob("render_on_lambda-*.zip"))
    install = INSTALL.format(tools=str(PROJECT / "tools"), extension=str(extension))
    result = artist.run(DAY, farm.endpoint, farm.stack, str(tmp_path / "out"), before=install)
    names = [f"shot_{number:04}.png" for number in (1, 2, 3)]
    assert result["two"] == [["finished", 3], ["finished", 2]]
    assert "proc" in result["unwritable"]
    assert result["paused"] == "paused" and result["resumed"] == ["finished", 80]
    assert result["cancelled"] == "cancelled"
    assert result["missing"] == [["finished", 1], names]
    assert result["fetched"] == names
    assert "nobody" in result["refused"] and result["tried again"] == ["finished", 1]
    assert result["movie"] == [".mp4", ".png", ".png", ".png"]
