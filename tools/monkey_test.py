"""`make monkey-test`: half an hour of clicks and calls at random in Blender's own window.

    python tools/monkey_test.py [MINUTES] [SEED]

Renders on a local farm meanwhile. What is called is written to demo-output/monkey/calls.txt before
it is called, so that the last line tells of a crash; the same seed makes the same choices. Nothing
may be raised, Blender must not crash, and it must still render in the end.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time

from gui_stage import Stage, is_over, on_display
from local_farm import PROJECT

SHOTS = PROJECT / "demo-output" / "monkey"
MINUTES = 30.0
# Pictures are taken so often.
SHOT_SECONDS = 120.0
# Where the buttons of the add-on are, in a window of 1600 × 1000 whose properties are searched.
PANEL = (1360, 300, 1590, 960)

# What a person calls, each time another one. Errors of operators are answers, not faults.
MONKEY = """
import random
from pathlib import Path
from bl_ext.user_default.render_on_lambda.tool import jobs as tool_jobs

NAME = "bl_ext.user_default.render_on_lambda"
SAMPLE = {sample!r}
CALLS, STOP = Path({calls!r}), Path({calls!r}).with_suffix(".stop")
chance = random.Random({seed})
# What would leave the farm, or wait on the main thread until a render is over.
NEVER = {{"remove_farm", "make_farm", "use_role", "tell", "forget_access_key"}}
own = sorted(set(dir(bpy.ops.render_on_lambda)) - NEVER)


def job_id():
    known = tool_jobs.jobs().list.jobs
    return chance.choice(known).id if known else ""


def call_own():
    name = chance.choice(own)
    operator = getattr(bpy.ops.render_on_lambda, name)
    values = {{}}
    for key in operator.get_rna_type().properties.keys():
        if key == "job_id":
            values[key] = job_id()
        elif key == "with_data":
            values[key] = chance.random() < 0.5
    note(name, values)
    if operator.poll():
        operator("INVOKE_DEFAULT", **values)


def undo():
    note("undo")
    if bpy.ops.ed.undo.poll():
        bpy.ops.ed.undo()


def redo():
    note("redo")
    if bpy.ops.ed.redo.poll():
        bpy.ops.ed.redo()


def render():
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, chance.choice((1, 3, 12, 40))
    scene.render.filepath = {output!r} + f"/{{chance.randrange(4)}}/shot_####"
    note("render", scene.frame_end)
    bpy.ops.render_on_lambda.render_animation("INVOKE_DEFAULT")


def open_sample():
    note("open")
    bpy.ops.wm.open_mainfile(filepath=SAMPLE, load_ui=False)


def new_file():
    note("new")
    # Empty: previews of EEVEE's materials are drawn by threads, in which Blender's own X11 dies.
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)


def delete():
    kind = chance.choice(("images", "objects", "materials", "texts", "scenes", "collections"))
    datablocks = list(getattr(bpy.data, kind))
    if kind == "scenes" and len(datablocks) < 2:
        bpy.data.scenes.new("another")
        return
    if datablocks:
        gone = chance.choice(datablocks)
        note("delete", kind, gone.name)
        getattr(bpy.data, kind).remove(gone)
        if bpy.ops.ed.undo_push.poll():
            bpy.ops.ed.undo_push(message="delete")


def disable():
    note("disable")
    bpy.ops.preferences.addon_disable(module=NAME)
    bpy.ops.preferences.addon_enable(module=NAME)


def online():
    system = bpy.context.preferences.system
    system.use_online_access = not system.use_online_access
    note("online", system.use_online_access)
    if not system.use_online_access:
        again = lambda: setattr(system, "use_online_access", True)
        bpy.app.timers.register(again, first_interval=3)


def settings():
    preferences = bpy.context.preferences.addons[NAME].preferences
    preferences.profile = chance.choice(("", "", "nobody"))
    preferences.stack = chance.choice(({stack!r},) * 3 + ("another",))
    chosen = bpy.context.window_manager.render_on_lambda
    chosen.split_frames = chance.choice(("AUTOMATIC", "ALWAYS", "NEVER"))
    chosen.slices = chance.choice((2, 7))
    bpy.context.preferences.view.render_display_type = chance.choice(("NONE", "AREA", "SCREEN"))
    bpy.context.preferences.view.language = chance.choice(("en_US", "de_DE", "ja_JP"))
    note("settings", preferences.profile, preferences.stack, chosen.split_frames)


def scrub():
    frame = chance.randrange(1, 30)
    note("frame", frame)
    bpy.context.scene.frame_set(frame)


ACTIONS = [call_own] * 12 + [render] * 4 + [undo, redo, undo, scrub, delete, delete, settings]
ACTIONS += [open_sample, open_sample, new_file, disable, online]


def note(*what):
    with CALLS.open("a") as file:
        file.write(" ".join(map(str, what)) + "\\n")


def act():
    if STOP.exists():
        return None
    windows = bpy.context.window_manager.windows
    if windows:
        action = chance.choice(ACTIONS)
        try:
            with bpy.context.temp_override(window=windows[0]):
                action()
        except RuntimeError as error:
            note("  refused:", str(error).strip().splitlines()[-1])
    return chance.uniform(0.1, 1.2)


bpy.context.preferences.view.use_save_prompt = False
bpy.context.preferences.use_preferences_save = False
bpy.app.timers.register(act, first_interval=1, persistent=True)
"""
STOP = """
bpy.context.preferences.system.use_online_access = True
name = "bl_ext.user_default.render_on_lambda"
preferences = bpy.context.preferences.addons[name].preferences
preferences.profile, preferences.stack = "", {stack!r}
bpy.context.window_manager.render_on_lambda.split_frames = "AUTOMATIC"
bpy.ops.wm.open_mainfile(filepath={sample!r}, load_ui=False)
"""
LAST = """
for job in jobs.list.jobs:
    if not job.state.is_over:
        bpy.ops.render_on_lambda.cancel(job_id=job.id)
bpy.context.scene.render.filepath = {output!r}
bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 2
bpy.ops.render_on_lambda.render_animation("INVOKE_DEFAULT")
"""


def main() -> int:
    """Let it loose; 0 where nothing broke."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
    print(f"monkey-test: {minutes:g} minutes, seed {seed}", flush=True)
    with Stage(SHOTS, search="lambda") as stage:
        calls = SHOTS / "calls.txt"
        calls.unlink(missing_ok=True)
        stop = calls.with_suffix(".stop")
        stop.unlink(missing_ok=True)
        sample = str(stage.sample / "shots/sample.blend")
        # A path that Blender in its root sees as we do.
        values = {"sample": sample, "stack": stage.farm.stack, "seed": seed}
        output = str(stage.folder / "monkey")
        stage.step(MONKEY.format(calls=str(calls), output=output, **values))
        clicks = click(stage, random.Random(seed), minutes * 60)
        stop.touch()
        is_alive = stage.blender.poll() is None
        met = {"Blender has not crashed": is_alive}
        if is_alive:
            stage.key("Escape")
            stage.step(STOP.format(sample=sample, stack=stage.farm.stack))
            stage.step(LAST.format(output=str(stage.folder / "last" / "shot_####")))
            line = stage.wait(lambda line: is_over(line) and line["fetched"] == 2)
            met["and still renders"] = line["state"] == "finished"
            print(f"monkey-test: longest step on the main thread {line['longest_tick_ms']:.1f} ms")
        met["nothing was raised"] = "Traceback" not in stage.log.read_text()
        called = len(calls.read_text().splitlines())
        print(f"monkey-test: {called} calls and refusals, {clicks} clicks; see {SHOTS}")
    for what, is_met in met.items():
        print(f"monkey-test: {'yes' if is_met else 'NO '} {what}")
    return 0 if all(met.values()) else 1


def click(stage: Stage, chance: random.Random, seconds: float) -> int:
    """Click where the add-on is, press keys, turn the wheel; how often."""
    end, next_shot, clicks = time.monotonic() + seconds, 0.0, 0
    left, top, right, bottom = PANEL
    while time.monotonic() < end and stage.blender.poll() is None:
        if time.monotonic() > next_shot:
            stage.shoot(f"{clicks:05}")
            next_shot = time.monotonic() + SHOT_SECONDS
        place = chance.randrange(left, right), chance.randrange(top, bottom)
        what = chance.choice(("1", "1", "1", "1", "4", "5", "Return", "Escape", "ctrl+z"))
        press = ["click", what] if what.isdigit() else ["key", what]
        for action in (["mousemove", *map(str, place)], press):
            subprocess.run(["xdotool", *action], check=True, env=on_display())
        clicks += 1
        time.sleep(chance.uniform(0.1, 0.8))
    return clicks


if __name__ == "__main__":
    sys.exit(main())
