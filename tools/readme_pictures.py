"""The pictures of the README, and the panel at the sizes, scales and themes that people have.

    python tools/readme_pictures.py [looks]

Taken from Blender's own window (see gui_stage.py): docs/panel.png, docs/first-render.gif and
docs/set-up.png; with `looks`, screenshots in demo-output/looks instead.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from gui_stage import Stage, is_over
from local_farm import PROJECT

DOCS = PROJECT / "docs"
LOOKS = PROJECT / "demo-output" / "looks"

# Every so often a picture of the film is taken; it is shown for as long.
FILM_SECONDS = 1.0
FILM_WIDTH = 800
PANEL_WIDTH = 1100

SIZES = ((1280, 720), (2560, 1440))
SCALES = (1.0, 1.5)
THEMES = ("Blender_Dark", "Blender_Light")

RENDER = """
bpy.ops.render_on_lambda.render_animation("INVOKE_DEFAULT")
"""
FIT = """
window = bpy.context.window_manager.windows[0]
area = next(one for one in window.screen.areas if one.type == "IMAGE_EDITOR")
region = next(one for one in area.regions if one.type == "WINDOW")
with bpy.context.temp_override(window=window, area=area, region=region):
    bpy.ops.image.view_all(fit_view=True)
"""
# Of Blender's window for preferences, in the whole screen.
PREFERENCES_PLACE = "876x560+106+72"
ADMINISTRATOR = """
import os
os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "test"
name = "bl_ext.user_default.render_on_lambda"
bpy.context.preferences.addons[name].preferences.stack = "our-farm"
with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
    bpy.ops.render_on_lambda.show_preferences(section="FARM")
    bpy.ops.render_on_lambda.set_up_farm()
"""
MISSING = """
import os
os.rename({texture!r}, {texture!r} + ".gone")
bpy.ops.render_on_lambda.render_animation("INVOKE_DEFAULT")
"""


def main() -> int:
    """Take them."""
    if sys.argv[1:] == ["looks"]:
        for width, height in SIZES:
            for scale in SCALES:
                for theme in THEMES:
                    look(width, height, scale, theme)
        return 0
    with Stage(PROJECT / "demo-output" / "pictures", search="lambda") as stage:
        pictures = [stage.shoot("film-00")]
        stage.step(RENDER)
        line, is_fitted = stage.wait(bool), False
        while not is_over(line):
            if line["fetched"] and not is_fitted:
                stage.step(FIT)
                is_fitted = True
            pictures.append(stage.shoot(f"film-{len(pictures):02}"))
            time.sleep(FILM_SECONDS)
            line = stage.wait(bool)
        time.sleep(2)
        pictures.append(stage.shoot(f"film-{len(pictures):02}"))
        make_film(pictures, DOCS / "first-render.gif")
        middle = pictures[len(pictures) // 2]
        shrink = ["-resize", str(PANEL_WIDTH), "-colors", "256"]
        subprocess.run(["convert", str(middle), *shrink, str(DOCS / "panel.png")], check=True)
        plan(stage)
    return 0


def plan(stage: Stage) -> None:
    """What Set Up Farm says in the preferences, before anything is made."""
    stage.step(ADMINISTRATOR)
    stage.wait(lambda line: line["farm"] == "planned")
    time.sleep(3)
    picture = stage.shoot("plan")
    cut = ["-crop", PREFERENCES_PLACE, "+repage", "-colors", "256"]
    subprocess.run(["convert", str(picture), *cut, str(DOCS / "set-up.png")], check=True)


def look(width: int, height: int, scale: float, theme: str) -> None:
    """The panel while it renders, when it is done, and where a file is missing."""
    name = f"{width}x{height}-{scale:g}-{theme.removeprefix('Blender_').lower()}"
    with Stage(LOOKS, width, height, scale, theme) as stage:
        stage.shoot(f"{name}-ready")
        stage.step(RENDER)
        # The panel is below Blender's own.
        stage.scroll(width - round(90 * scale), round(height * 0.7), 60)
        stage.wait(lambda line: line["fetched"] >= 4)
        stage.shoot(f"{name}-rendering")
        stage.wait(is_over)
        time.sleep(2)
        stage.shoot(f"{name}-finished")
        texture = str(stage.sample / "shots/library/stripes.png")
        stage.step(MISSING.format(texture=texture))
        stage.wait(lambda line: line["state"] == "concerns")
        time.sleep(1)
        stage.shoot(f"{name}-missing")
    print(f"looks: {name}", flush=True)


def make_film(pictures: list[Path], film: Path) -> None:
    """An animated picture that begins anew; its last frame stays for a while."""
    delay = ["-delay", str(round(FILM_SECONDS * 100))]
    last = ["-delay", "300", str(pictures[-1])]
    shrink = ["-resize", str(FILM_WIDTH), "-colors", "64", "-layers", "Optimize"]
    frames = [*delay, *map(str, pictures[:-1]), *last]
    subprocess.run(["convert", "-loop", "0", *frames, *shrink, str(film)], check=True)


if __name__ == "__main__":
    sys.exit(main())
