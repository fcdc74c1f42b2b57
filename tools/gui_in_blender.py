"""Runs in Blender's own window for tools/gui_stage.py: opens the sample scene, sets up the screen.

    blender --python tools/gui_in_blender.py -- EXTENSION SCENE OUTPUT ENDPOINT STACK REPORT \\
        UI_SCALE THEME SEARCH

Buttons are pressed by the test, with the mouse. REPORT gets a line of JSON twice a second: the
state of the newest job, and how long the add-on kept the main thread at the most, in a tick of its
timer and in a drawing of its panels. What the test writes beside it, as REPORT.step, is run here
once: it sets the stage for the next step.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))
import blender_with_extension

REPORT_SECONDS = 0.5


class Meter:
    """How long the add-on keeps the main thread, and how late Blender is."""

    def __init__(self) -> None:
        self.longest_tick = self.longest_draw = 0.0
        self.ticks = 0


def main(
    extension: Path,
    scene: Path,
    output: Path,
    endpoint: str,
    stack: str,
    report: Path,
    look: tuple[float, str],
    search: str,
) -> None:
    """Set everything up; the rest happens in timers."""
    view = bpy.context.preferences.view
    view.show_splash = False
    view.ui_scale, theme = look
    if theme:
        preset = Path(bpy.utils.preset_paths("interface_theme")[0]) / f"{theme}.xml"
        menu = "USERPREF_MT_interface_theme_presets"
        bpy.ops.script.execute_preset(filepath=str(preset), menu_idname=menu)
    blender_with_extension.install(extension)
    blender_with_extension.set_farm(endpoint, stack)
    bpy.ops.wm.open_mainfile(filepath=str(scene), load_ui=False)
    bpy.context.scene.render.filepath = f"{output}/sample_####"
    meter = Meter()
    measure(meter)
    bpy.app.timers.register(lambda: arrange_screen(search), first_interval=1.0)
    bpy.app.timers.register(lambda: tell(report, meter), first_interval=2.0, persistent=True)


def arrange_screen(search: str) -> None:
    """An Image Editor beside the Render properties."""
    screen = bpy.context.window_manager.windows[0].screen
    biggest = max(screen.areas, key=lambda area: area.width * area.height)
    biggest.type = "IMAGE_EDITOR"
    for area in screen.areas:
        if area.type == "PROPERTIES":
            area.spaces.active.context = "RENDER"
            area.spaces.active.search_filter = search


def measure(meter: Meter) -> None:
    """Time each step that the add-on takes on the main thread."""
    from bl_ext.user_default.render_on_lambda.tool import jobs, timer
    from bl_ext.user_default.render_on_lambda.ui.jobs import panels as job_panels
    from bl_ext.user_default.render_on_lambda.ui.render import below_engine, panels

    def note(name: str, began: float) -> None:
        setattr(meter, name, max(getattr(meter, name), time.perf_counter() - began))
        meter.ticks += name == "longest_tick"

    def timed(function):
        def run(*arguments):
            began = time.perf_counter()
            result = function(*arguments)
            note("longest_tick", began)
            return result

        return run

    def timed_draw(function):
        # Blender looks at how many arguments a draw takes.
        def draw(self, context):
            began = time.perf_counter()
            function(self, context)
            note("longest_draw", began)

        return draw

    jobs.Jobs.poll = timed(jobs.Jobs.poll)
    timer.rows.refresh = timed(timer.rows.refresh)
    drawn = (panels.RenderPanel, panels.CheckPanel, panels.OutputPanel, job_panels.JobsPanel)
    for panel in drawn:
        panel.draw = timed_draw(panel.draw)
    below_engine.unregister()
    below_engine.draw = timed_draw(below_engine.draw)
    below_engine.register()


def tell(report: Path, meter: Meter) -> float:
    """Append what is going on to the report."""
    from bl_ext.user_default.render_on_lambda.tool import jobs

    step = report.with_suffix(".step")
    if step.exists():
        text = step.read_text()
        step.unlink()
        exec(text, {"bpy": bpy, "jobs": jobs.jobs()})
    known = jobs.jobs().list.jobs
    check = jobs.jobs().scene_check
    line = {
        "check": check.summary if check and check.is_over else "",
        "state": known[-1].state.value if known else "none",
        "fetched": known[-1].fetched if known else 0,
        "tiles": known[-1].refined_slices if known else 0,
        "error": known[-1].error if known else "",
        "farm": jobs.jobs().administration.stage.value,
        "sign_in": jobs.jobs().signing_in.stage.value,
        "longest_tick_ms": meter.longest_tick * 1000,
        "longest_draw_ms": meter.longest_draw * 1000,
        "ticks": meter.ticks,
        "jobs": len(known),
        "at_work": sum(not job.state.is_over for job in known),
        "frame_shown": [
            area.spaces.active.image_user.frame_current
            for window in bpy.context.window_manager.windows
            for area in window.screen.areas
            if area.type == "IMAGE_EDITOR"
        ],
        "failed": known[-1].failed if known else 0,
        "file": bpy.data.filepath,
        "connection": jobs.jobs().connection.answer.text,
        "shown": [
            area.spaces.active.image.name
            for window in bpy.context.window_manager.windows
            for area in window.screen.areas
            if area.type == "IMAGE_EDITOR" and area.spaces.active.image
        ],
    }
    with report.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return REPORT_SECONDS


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :]
    paths = Path(given[0]), Path(given[1]), Path(given[2])
    look = float(given[6]), given[7]
    main(*paths, given[3], given[4], Path(given[5]), look, given[8])
