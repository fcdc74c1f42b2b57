"""`make gui-test`: the panel in Blender's own window, pressed with a mouse, on a local farm.

Blender comes from Debian sid in a chroot (.tools/sid), draws under Xvfb with software GL, and is
clicked by xdotool. Screenshots are left in demo-output/gui. Needs root, for the chroot.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from local_farm import PROJECT, end, local_farm

ROOT = PROJECT / ".tools" / "sid"
SHOTS = PROJECT / "demo-output" / "gui"
SIZE = (1600, 1000)
DISPLAY = ":97"
LIMIT_SECONDS = 180
# Where the buttons are, from the left edge and the top of a window of SIZE: before the first job
# there is a notice above them.
FIRST_RENDER_ANIMATION = (1481, 721)
CHECK_SCENE = (1481, 780)
OUTPUT = (1410, 812)
RENDER_ANIMATION = (1481, 662)
ELSEWHERE = (600, 700)

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


def main() -> int:
    """Run it; 0 where the frames came back into the window."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="render-gui-")))
        make_root()
        sample = folder / "sample"
        maker = [
            sys.executable,
            "-W",
            "ignore",
            str(PROJECT / "tools/sample_scene.py"),
            str(sample),
        ]
        subprocess.run(maker, check=True, stdout=subprocess.DEVNULL)
        farm = stack.enter_context(local_farm(Path(sys.executable), PROJECT / "build/functions"))
        display = start(
            ["Xvfb", DISPLAY, "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"]
        )
        stack.callback(end, display)
        for source in ("/proc", "/dev", "/tmp", str(PROJECT)):
            target = ROOT / source.lstrip("/")
            target.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", source, str(target)], check=True)
            stack.callback(subprocess.run, ["umount", "-l", str(target)], check=True)
        report = folder / "report.jsonl"
        blender = start_blender(
            folder, farm.environment(), report, sample, farm.endpoint, farm.stack
        )
        stack.callback(end, blender)
        wait(report, blender, lambda line: line["state"] == "none")
        time.sleep(4)
        shoot("1-ready")
        step(report, NODE)
        mouse(*OUTPUT)
        time.sleep(1)
        shoot("1-output")
        mouse(*OUTPUT)
        mouse(*CHECK_SCENE)
        checked = wait(report, blender, lambda line: bool(line["check"]))
        time.sleep(2)
        shoot("2-checked")
        mouse(*FIRST_RENDER_ANIMATION)
        wait(report, blender, lambda line: line["fetched"] >= 4)
        time.sleep(1)
        shoot("3-rendering")
        last = wait(report, blender, is_over)
        time.sleep(2)
        shoot("4-finished")
        texture = str(sample / "shots/library/stripes.png")
        step(report, MISSING.format(texture=texture))
        mouse(*RENDER_ANIMATION)
        wait(report, blender, lambda line: line["state"] == "concerns")
        time.sleep(1)
        shoot("5-missing")
        step(report, UNWRITABLE.format(texture=texture))
        mouse(*RENDER_ANIMATION)
        time.sleep(2)
        shoot("6-unwritable")
        # The message goes with the mouse.
        mouse(*ELSEWHERE)
        refused = wait(report, blender, lambda line: line["jobs"] == 2)
        step(report, PAINTING.format(output=str(folder / "again" / "shot_####")))
        mouse(*RENDER_ANIMATION)
        painting = wait(report, blender, lambda line: line["jobs"] == 3 and is_over(line))
        time.sleep(2)
        shoot("7-painting")
        step(report, PREFERENCES)
        time.sleep(4)
        shoot("8-preferences")
        final = wait(report, blender, bool)
    tick, draw = final["longest_tick_ms"], final["longest_draw_ms"]
    print(
        f"gui-test: {checked['check']}; {last['state']} with {last['fetched']} frames; longest step"
        f" on the main thread {tick:.1f} ms of {final['ticks']}, longest drawing {draw:.1f} ms;"
        f" screenshots in {SHOTS.relative_to(PROJECT)}"
    )
    expectations = {
        "the frames came back": (last["state"], last["fetched"]) == ("finished", 24),
        "they are in the Image Editor": "Render on Lambda: sample" in last["shown"],
        "a folder that cannot be written to makes no job": refused["jobs"] == 2,
        "who paints is left alone": painting["shown"] == ["painting"],
        "nothing was raised": "Traceback" not in (SHOTS / "blender.log").read_text(),
        "frames come all the same": (painting["state"], painting["fetched"]) == ("finished", 2),
    }
    for what, is_met in expectations.items():
        print(f"gui-test: {'yes' if is_met else 'NO '} {what}")
    return 0 if all(expectations.values()) else 1


def is_over(line: dict) -> bool:
    """Whether the newest job has come to its end."""
    return line["state"] not in ("none", "submitting", "rendering", "concerns")


def step(report: Path, script: str) -> None:
    """Have Blender run a script, and wait until it has."""
    file = report.with_suffix(".step")
    partial = report.with_suffix(".partial")
    partial.write_text(script)
    partial.rename(file)
    limit = time.monotonic() + LIMIT_SECONDS
    while file.exists() and time.monotonic() < limit:
        time.sleep(0.2)
    time.sleep(1)


def make_root() -> None:
    """A Debian sid with Blender, made once."""
    if (ROOT / "usr/bin/blender").exists():
        return
    for tool in ("debootstrap", "Xvfb", "xdotool", "import"):
        if shutil.which(tool) is None:
            raise SystemExit(
                f"{tool} was not found; run: apt-get install debootstrap xvfb xdotool imagemagick"
            )
    subprocess.run(["debootstrap", "--variant=minbase", "sid", str(ROOT)], check=True)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    packages = "blender libgl1 libglx-mesa0 libgl1-mesa-dri libegl1 fonts-dejavu-core"
    packages += " python3-cattr python3-requests"
    for command in (
        "apt-get -o Acquire::Check-Valid-Until=false update",
        f"apt-get install -y --no-install-recommends {packages}",
    ):
        subprocess.run(["chroot", str(ROOT), *command.split()], check=True, env=os.environ | quiet)


def start_blender(
    folder: Path, environment: dict[str, str], report: Path, sample: Path, endpoint: str, stack: str
) -> subprocess.Popen[bytes]:
    """Blender in the chroot, on our display, with settings of its own."""
    extension = next((PROJECT / "build").glob("render_on_lambda-*.zip"))
    variables = environment | {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "DISPLAY": DISPLAY,
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "BLENDER_USER_RESOURCES": str(folder / "user"),
    }
    arguments = [
        extension,
        sample / "shots/sample.blend",
        folder / "frames",
        endpoint,
        stack,
        report,
    ]
    command = [
        shutil.which("chroot") or "/usr/sbin/chroot",
        str(ROOT),
        "/usr/bin/blender",
        "--online-mode",
        "--no-window-frame",
    ]
    command += ["--window-geometry", "0", "0", *map(str, SIZE)]
    command += ["--python", str(PROJECT / "tools/gui_in_blender.py"), "--", *map(str, arguments)]
    log = (SHOTS / "blender.log").open("wb")
    return subprocess.Popen(
        command, env=variables, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    )


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own."""
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def wait(report: Path, blender: subprocess.Popen[bytes], condition) -> dict:
    """The first line of the report, from now on, that meets a condition."""
    limit = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < limit and blender.poll() is None:
        if report.exists() and (lines := report.read_text().splitlines()):
            line = json.loads(lines[-1])
            if condition(line):
                return line
        time.sleep(0.3)
    shoot("failed")
    raise SystemExit(f"gui-test: nothing more happened; see {SHOTS}/failed.png and blender.log")


def mouse(x: int, y: int) -> None:
    """Click."""
    for action in (["mousemove", str(x), str(y)], ["click", "1"]):
        subprocess.run(["xdotool", *action], check=True, env=os.environ | {"DISPLAY": DISPLAY})
        time.sleep(0.5)


def shoot(name: str) -> None:
    """A screenshot of the whole screen."""
    environment = os.environ | {"DISPLAY": DISPLAY}
    subprocess.run(
        ["import", "-window", "root", str(SHOTS / f"{name}.png")], check=True, env=environment
    )


if __name__ == "__main__":
    sys.exit(main())
