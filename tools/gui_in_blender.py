"""Runs in Blender's own window for tools/gui_test.py: opens the sample scene, sets up the screen.

    blender --python tools/gui_in_blender.py -- EXTENSION SCENE OUTPUT ENDPOINT STACK REPORT

The button is pressed by the test, with the mouse. REPORT gets a line of JSON a second: the state of
the newest job, the longest time that a tick of the timer took, and the longest pause between ticks.
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
        self.longest_tick = 0.0
        self.samples: list[float] = []


def main(
    extension: Path, scene: Path, output: Path, endpoint: str, stack: str, report: Path
) -> None:
    """Set everything up; the rest happens in timers."""
    bpy.context.preferences.view.show_splash = False
    blender_with_extension.install(extension)
    blender_with_extension.set_farm(endpoint, stack)
    bpy.ops.wm.open_mainfile(filepath=str(scene), load_ui=False)
    bpy.context.scene.render.filepath = f"{output}/sample_####"
    meter = Meter()
    measure_ticks(meter)
    bpy.app.timers.register(arrange_screen, first_interval=1.0)
    bpy.app.timers.register(lambda: tell(report, meter), first_interval=2.0, persistent=True)


def arrange_screen() -> None:
    """An Image Editor beside the Render properties, with our panel in view."""
    screen = bpy.context.window_manager.windows[0].screen
    biggest = max(screen.areas, key=lambda area: area.width * area.height)
    biggest.type = "IMAGE_EDITOR"
    for area in screen.areas:
        if area.type == "PROPERTIES":
            area.spaces.active.context = "RENDER"
            area.spaces.active.search_filter = "lambda"


def measure_ticks(meter: Meter) -> None:
    """Time each step that the add-on takes on the main thread."""
    from bl_ext.user_default.render_on_lambda.tool import jobs

    poll = jobs.Jobs.poll

    def timed(self: jobs.Jobs) -> bool:
        began = time.perf_counter()
        changed = poll(self)
        took = time.perf_counter() - began
        meter.longest_tick = max(meter.longest_tick, took)
        meter.samples.append(took)
        return changed

    jobs.Jobs.poll = timed


def tell(report: Path, meter: Meter) -> float:
    """Append what is going on to the report."""
    from bl_ext.user_default.render_on_lambda.tool import jobs

    known = jobs.jobs().list.jobs
    check = jobs.jobs().scene_check
    line = {
        "check": check.summary if check and check.is_over else "",
        "state": known[-1].state.value if known else "none",
        "fetched": known[-1].fetched if known else 0,
        "error": known[-1].error if known else "",
        "longest_tick_ms": meter.longest_tick * 1000,
        "ticks": len(meter.samples),
        "images": [image.name for image in bpy.data.images],
    }
    with report.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return REPORT_SECONDS


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :]
    main(Path(given[0]), Path(given[1]), Path(given[2]), given[3], given[4], Path(given[5]))
