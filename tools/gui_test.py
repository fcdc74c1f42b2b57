"""`make gui-test`: the panel in Blender's own window, pressed with a mouse, on a local farm.

Screenshots are left in demo-output/gui.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import deployment
import gui_second_day
from gui_stage import Stage, is_over
from local_farm import PROJECT
from strict_front.state import SignIns

SHOTS = PROJECT / "demo-output" / "gui"
# Where the buttons are, from the left edge and the top of a window of 1600 × 1000: before the first
# job there is a notice above them.
FIRST_RENDER_ANIMATION = (1481, 772)
CHECK_SCENE = (1481, 831)
OUTPUT = (1410, 863)
ELSEWHERE = (600, 700)
SIGN_IN = (800, 456)
OTHER_WAYS = (950, 456)
SET_UP_FARM = (397, 485)
CREATE_FARM = (455, 577)

# What sets the stage for a step, in Blender.
NODE = """
scene = bpy.context.scene
tree = bpy.data.node_groups.new("files", "CompositorNodeTree")
tree.nodes.new("CompositorNodeOutputFile").directory = "/tmp/{blend_name}/passes"
tree.use_fake_user = True
"""
MISSING = """
import os
texture = {texture!r}
os.rename(texture, texture + ".gone")
"""
UNWRITABLE = """
import os
texture = {texture!r}
os.rename(texture + ".gone", texture)
bpy.context.scene.render.filepath = "/proc/frames/shot_####"
"""
PAINTING = """
bpy.context.scene.render.filepath = {output!r}
bpy.context.scene.frame_end = 2
area = max(bpy.context.screen.areas, key=lambda area: area.width * area.height)
area.spaces.active.image = bpy.data.images.new("painting", 512, 512)
area.spaces.active.mode = "PAINT"
bpy.context.preferences.view.render_display_type = "NONE"
"""
PREFERENCES = """
with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
    bpy.ops.render_on_lambda.show_preferences(section="FARM")
    bpy.ops.render_on_lambda.check_stack()
"""


# As an administrator, with functions in sandboxes and parameters that suit this machine.
ADMINISTRATOR = """
import os
from pathlib import Path
import render_on_lambda as native
from bl_ext.user_default.render_on_lambda.tool import administration, farm, preferences
os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "test"
class Account(administration.NativeAccount):
    def set_up(self):
        self.made = farm.settings(preferences.address())
        return native.FarmSetUp(self.made, Path({functions!r}), {parameters!r})
jobs.administration._account = Account()
name = "bl_ext.user_default.render_on_lambda"
bpy.context.preferences.addons[name].preferences.stack = "second-farm"
"""
SECOND = """
bpy.context.preferences.view.render_display_type = "WINDOW"
bpy.context.scene.frame_end = 24
bpy.context.scene.render.filepath = {output!r}
bpy.ops.render_on_lambda.render_animation("INVOKE_DEFAULT")
"""
PAUSE = """
bpy.ops.render_on_lambda.pause(job_id=jobs.list.jobs[-1].id)
"""
RESUME = """
bpy.ops.render_on_lambda.go_on(job_id=jobs.list.jobs[-1].id)
"""
FARM_JOBS = """
bpy.ops.render_on_lambda.list_farm_jobs()
"""
# Two hundred jobs of ten thousand frames, one of them half done, frame by frame, and their panel.
MANY = """
from bl_ext.user_default.render_on_lambda.core.job import Job
from bl_ext.user_default.render_on_lambda.ui.jobs import panels
last = jobs.list.jobs[-1].to_json()
for number in range(200):
    many = last | {"id": f"01f00000-0000-7000-8000-{number:012}"}
    many |= {"total": 10000, "frame_last": 10000}
    many["arrived"] = [[1, 10000]] if number else [[frame, frame] for frame in range(1, 10001, 2)]
    jobs.list.add(Job.from_json(many))
jobs.list.save()
panel = panels.JobsPanel
bpy.utils.unregister_class(panel)
panel.bl_options = set()
bpy.utils.register_class(panel)
"""
ACCESS_KEY = """
with bpy.context.temp_override(window=bpy.context.window_manager.windows[-1]):
    bpy.ops.render_on_lambda.keep_access_key("INVOKE_DEFAULT")
"""
NAMED = """
name = "bl_ext.user_default.render_on_lambda"
bpy.context.preferences.addons[name].preferences.profile = "anna"
"""
LEAVE = """
bpy.ops.render_on_lambda.leave_sign_in()
name = "bl_ext.user_default.render_on_lambda"
bpy.context.preferences.addons[name].preferences.profile = ""
"""
IN_TILES = """
scene = bpy.context.scene
scene.render.filepath = {output!r}
scene.render.resolution_x, scene.render.resolution_y = 1280, 720
scene.cycles.samples, scene.cycles.use_adaptive_sampling = 256, False
chosen = bpy.context.window_manager.render_on_lambda
chosen.split_frames, chosen.slices = "ALWAYS", 12
bpy.ops.render_on_lambda.render_image("INVOKE_DEFAULT")
"""
CANCEL = """
bpy.ops.render_on_lambda.cancel(job_id=jobs.list.jobs[-1].id)
"""
LANGUAGE = """
bpy.context.preferences.view.language = {language!r}
"""


def main() -> int:
    """Run it; 0 where all went as an artist would have it."""
    met: dict[str, bool] = {}
    with Stage(SHOTS, search="lambda") as stage:
        first_day(stage, met)
        end_of_day(stage, met)
    with Stage(SHOTS) as stage:
        gui_second_day.run(stage, met)
        end_of_day(stage, met)
    for what, is_met in met.items():
        print(f"gui-test: {'yes' if is_met else 'NO '} {what}")
    return 0 if all(met.values()) else 1


def first_day(stage: Stage, met: dict[str, bool]) -> None:
    """From the first press to a farm of one's own."""
    texture = str(stage.sample / "shots/library/stripes.png")
    first_render(stage, met)
    trouble(stage, met, texture)
    painting(stage, met)
    pausing(stage, met)
    image_in_tiles(stage, met)
    languages(stage)
    stage.step(MANY)
    time.sleep(4)
    stage.shoot("9-many")
    stage.step(PREFERENCES)
    time.sleep(4)
    stage.shoot("9-preferences")
    signing_in(stage, met)
    setting_up(stage, met)


def end_of_day(stage: Stage, met: dict[str, bool]) -> None:
    """What the main thread was kept for, and whether anything went wrong unseen."""
    final = stage.wait(bool)
    before = met.get("nothing was raised", True)
    met["nothing was raised"] = before and "Traceback" not in stage.log.read_text()
    tick, draw = final["longest_tick_ms"], final["longest_draw_ms"]
    print(
        f"gui-test: longest step on the main thread {tick:.1f} ms of {final['ticks']}, longest"
        f" drawing {draw:.1f} ms; screenshots in {SHOTS.relative_to(PROJECT)}"
    )


def first_render(stage: Stage, met: dict[str, bool]) -> None:
    """Look where frames will go, check the scene, and render it."""
    stage.shoot("1-ready")
    stage.step(NODE)
    stage.mouse(*OUTPUT)
    time.sleep(1)
    stage.shoot("1-output")
    stage.mouse(*OUTPUT)
    stage.mouse(*CHECK_SCENE)
    stage.wait(lambda line: bool(line["check"]))
    time.sleep(2)
    stage.shoot("2-checked")
    stage.mouse(*FIRST_RENDER_ANIMATION)
    stage.wait(lambda line: line["fetched"] >= 4)
    time.sleep(1)
    stage.shoot("3-rendering")
    last = stage.wait(is_over)
    time.sleep(2)
    stage.shoot("4-finished")
    met["the frames came back"] = (last["state"], last["fetched"]) == ("finished", 24)
    met["they are in the Image Editor"] = "Render on Lambda: sample" in last["shown"]


def trouble(stage: Stage, met: dict[str, bool], texture: str) -> None:
    """A texture that is missing, and a folder that cannot be written to."""
    stage.step(MISSING.format(texture=texture))
    stage.mouse(*gui_second_day.ANIMATION_ON_LAMBDA)
    stage.wait(lambda line: line["state"] == "concerns")
    time.sleep(1)
    stage.shoot("5-missing")
    stage.step(UNWRITABLE.format(texture=texture))
    stage.mouse(*gui_second_day.ANIMATION_ON_LAMBDA)
    time.sleep(2)
    stage.shoot("6-unwritable")
    # The message goes with the mouse.
    stage.mouse(*ELSEWHERE)
    refused = stage.wait(lambda line: line["jobs"] == 2)
    met["a folder that cannot be written to makes no job"] = refused["jobs"] == 2


def painting(stage: Stage, met: dict[str, bool]) -> None:
    """Frames come while somebody paints a texture."""
    stage.step(PAINTING.format(output=str(stage.folder / "again" / "shot_####")))
    stage.mouse(*gui_second_day.ANIMATION_ON_LAMBDA)
    line = stage.wait(lambda line: line["jobs"] == 3 and is_over(line))
    time.sleep(2)
    stage.shoot("7-painting")
    met["who paints is left alone"] = line["shown"] == ["painting"]
    met["frames come all the same"] = (line["state"], line["fetched"]) == ("finished", 2)


def pausing(stage: Stage, met: dict[str, bool]) -> None:
    """A job is paused and goes on."""
    stage.step(SECOND.format(output=str(stage.folder / "second" / "shot_####")))
    stage.wait(lambda line: line["jobs"] == 4 and line["fetched"] >= 2)
    stage.step(PAUSE)
    paused = stage.wait(is_over)
    time.sleep(1)
    stage.shoot("8-paused")
    met["a job is paused"] = paused["state"] == "paused" and paused["fetched"] < 24
    stage.step(RESUME)
    resumed = stage.wait(is_over)
    met["and goes on"] = (resumed["state"], resumed["fetched"]) == ("finished", 24)
    stage.step(FARM_JOBS)


def image_in_tiles(stage: Stage, met: dict[str, bool]) -> None:
    """An image comes together, and is cancelled before it is whole."""
    stage.step(IN_TILES.format(output=str(stage.folder / "image" / "shot_####")))
    line = stage.wait(lambda line: line["jobs"] == 5 and line["tiles"] >= 3)
    time.sleep(2)
    stage.shoot("8-image-in-tiles")
    met["an image is seen while it comes together"] = "Render on Lambda: sample" in line["shown"]
    stage.step(CANCEL)
    line = stage.wait(lambda line: line["state"] == "cancelled")
    time.sleep(2)
    stage.shoot("8-image-cancelled")
    what_there_was = (line["state"], line["fetched"], line["tiles"] >= 3)
    met["what there was of it stays"] = what_there_was == ("cancelled", 0, True)


def signing_in(stage: Stage, met: dict[str, bool]) -> None:
    """Somebody signs in with the browser, and looks at the other ways."""
    stage.farm.front.sign_ins = SignIns(lambda: (*stage.farm.artist, ""))
    # The keys of the stage's environment come before a profile that nobody names.
    stage.step(NAMED)
    stage.mouse(*SIGN_IN)
    line = stage.wait(lambda line: line["sign_in"] in ("done", "failed"))
    time.sleep(1)
    stage.shoot("10-signed-in")
    met["somebody signs in with the browser"] = line["sign_in"] == "done"
    stage.mouse(*OTHER_WAYS)
    time.sleep(1)
    stage.shoot("10-other-ways")
    stage.key("Escape")
    stage.step(ACCESS_KEY)
    stage.shoot("10-access-key")
    stage.key("Escape")
    stage.step(LEAVE)


def setting_up(stage: Stage, met: dict[str, bool]) -> None:
    """A farm is made from the preferences, with the mouse."""
    functions = stage.folder / "functions"
    functions.mkdir()
    for name in ("consumer", "producer"):
        binary = PROJECT / "build" / "functions" / f"render-on-lambda-{name}"
        archive = deployment.function_zip(stage.farm, binary)
        (functions / f"{name}.zip").write_bytes(archive)
    parameters = {
        "Blender": sys.executable,
        **deployment.blender_versions(Path(sys.executable)),
        "ConsumerMemory": "2048",
        "ConsumerTimeout": "600",
        "MaximumConcurrency": "2",
        "BurstWorkers": "0",
    }
    stage.step(ADMINISTRATOR.format(functions=str(functions), parameters=parameters))
    stage.mouse(*SET_UP_FARM)
    stage.wait(lambda line: line["farm"] == "planned")
    time.sleep(1)
    stage.shoot("10-plan")
    stage.mouse(*CREATE_FARM)
    stage.wait(lambda line: line["farm"] == "trying")
    stage.shoot("10-making")
    # What MiniStack cannot do by itself; see deployment.py.
    deployment.set_concurrency(stage.farm, 2)
    line = stage.wait(lambda line: line["farm"] in ("done", "failed"))
    time.sleep(1)
    stage.shoot("10-made")
    met["a farm is made from the preferences"] = line["farm"] == "done"


def languages(stage: Stage) -> None:
    """The panel in other words."""
    for language in ("de_DE", "ja_JP"):
        stage.step(LANGUAGE.format(language=language))
        time.sleep(2)
        stage.shoot(f"8-{language}")
    stage.step(LANGUAGE.format(language="en_US"))


if __name__ == "__main__":
    sys.exit(main())
