"""A stage for Blender's own window: a Debian with Blender, a display, a mouse, a local farm.

Blender comes from Debian sid in a chroot (.tools/sid), draws under Xvfb with software GL, and is
clicked by xdotool. Needs root, for the chroot.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_farm import PROJECT, end, local_farm

ROOT = PROJECT / ".tools" / "sid"
DISPLAY = ":97"
LIMIT_SECONDS = 180
# The states of a job in which something is still to come.
AT_WORK = ("none", "submitting", "rendering", "pausing", "cancelling", "concerns")


@dataclass
class Stage:
    """Blender's window on a display of its own, with the sample scene and a farm."""

    shots: Path
    width: int = 1600
    height: int = 1000
    ui_scale: float = 1.0
    theme: str = ""
    search: str = ""
    """What the Render properties are searched for, which closes Blender's own panels."""
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Stage:
        """Raise the curtain: nothing is pressed yet."""
        self.shots.mkdir(parents=True, exist_ok=True)
        make_root()
        enter, callback = self._stack.enter_context, self._stack.callback
        try:
            self.folder = Path(enter(tempfile.TemporaryDirectory(prefix="render-gui-")))
            self.sample = self.folder / "sample"
            maker = [sys.executable, "-W", "ignore", str(PROJECT / "tools/sample_scene.py")]
            subprocess.run([*maker, str(self.sample)], check=True, stdout=subprocess.DEVNULL)
            self.farm = enter(local_farm(Path(sys.executable), PROJECT / "build/functions"))
            screen = f"{self.width}x{self.height}x24"
            callback(end, start(["Xvfb", DISPLAY, "-screen", "0", screen, "-nolisten", "tcp"]))
            for source in ("/proc", "/dev", "/tmp", str(PROJECT)):
                target = ROOT / source.lstrip("/")
                target.mkdir(parents=True, exist_ok=True)
                subprocess.run(["mount", "--bind", source, str(target)], check=True)
                callback(subprocess.run, ["umount", "-l", str(target)], check=True)
            self.report = self.folder / "report.jsonl"
            self.log.unlink(missing_ok=True)
            self.blender = self._start_blender()
            callback(lambda: end(self.blender))
            self.wait(lambda line: line["state"] == "none")
            time.sleep(4)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let it fall."""
        self._stack.close()

    @property
    def log(self) -> Path:
        """What Blender has written."""
        return self.shots / "blender.log"

    def restart(self) -> None:
        """Quit Blender and start it again, with the settings and the jobs that it had."""
        end(self.blender)
        self.report.unlink()
        self.blender = self._start_blender()
        self.wait(lambda line: line["ticks"] > 0)
        time.sleep(4)

    def step(self, script: str) -> None:
        """Have Blender run a script, and wait until it has."""
        file = self.report.with_suffix(".step")
        partial = self.report.with_suffix(".partial")
        partial.write_text(script)
        partial.rename(file)
        limit = time.monotonic() + LIMIT_SECONDS
        while file.exists() and time.monotonic() < limit:
            time.sleep(0.2)
        time.sleep(1)

    def wait(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first line of Blender's report, from now on, that meets a condition."""
        limit = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < limit and self.blender.poll() is None:
            if self.report.exists() and (lines := self.report.read_text().splitlines()):
                line = json.loads(lines[-1])
                if condition(line):
                    return line
            time.sleep(0.3)
        self.shoot("failed")
        raise SystemExit(f"nothing more happened; see {self.shots}/failed.png and blender.log")

    def mouse(self, x: int, y: int) -> None:
        """Click."""
        for action in (["mousemove", str(x), str(y)], ["click", "1"]):
            subprocess.run(["xdotool", *action], check=True, env=on_display())
            time.sleep(0.5)

    def scroll(self, x: int, y: int, clicks: int) -> None:
        """Turn the wheel down there."""
        for action in (["mousemove", x, y], ["click", "--repeat", clicks, "--delay", 20, "5"]):
            subprocess.run(["xdotool", *map(str, action)], check=True, env=on_display())
        time.sleep(0.5)

    def key(self, name: str) -> None:
        """Press a key."""
        subprocess.run(["xdotool", "key", name], check=True, env=on_display())
        time.sleep(0.5)

    def shoot(self, name: str) -> Path:
        """A screenshot of the whole screen."""
        path = self.shots / f"{name}.png"
        subprocess.run(["import", "-window", "root", str(path)], check=True, env=on_display())
        return path

    def _make_browser(self) -> Path:
        """What stands for a browser whose owner says yes to what a page asks."""
        browser = self.folder / "browser"
        browser.write_text(
            "#!/usr/bin/python3\nimport ssl, sys, urllib.request\n"
            f"trusted = ssl.create_default_context(cafile={str(self.farm.authority)!r})\n"
            "urllib.request.urlopen(sys.argv[1], context=trusted).read()\n"
        )
        browser.chmod(0o755)
        return browser

    def _make_opener(self) -> Path:
        """A folder with what stands for a desktop that opens files and folders."""
        folder = self.folder / "desktop"
        folder.mkdir(exist_ok=True)
        (folder / "xdg-open").write_text("#!/bin/sh\n")
        (folder / "xdg-open").chmod(0o755)
        return folder

    def _start_blender(self) -> subprocess.Popen[bytes]:
        """Blender in the chroot, on our display, with settings of its own."""
        extension = next((PROJECT / "build").glob("render_on_lambda-*.zip"))
        variables = self.farm.environment() | {
            "PATH": f"{self._make_opener()}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "BROWSER": f"{self._make_browser()} %s",
            "DISPLAY": DISPLAY,
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "BLENDER_USER_RESOURCES": str(self.folder / "user"),
        }
        arguments = [
            extension,
            self.sample / "shots/sample.blend",
            self.folder / "frames",
            self.farm.endpoint,
            self.farm.stack,
            self.report,
            self.ui_scale,
            self.theme,
            self.search,
        ]
        command = [shutil.which("chroot") or "/usr/sbin/chroot", str(ROOT), "/usr/bin/blender"]
        command += ["--online-mode", "--no-window-frame", "--window-geometry", "0", "0"]
        command += [str(self.width), str(self.height)]
        command += ["--python", str(PROJECT / "tools/gui_in_blender.py"), "--"]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*command, *map(str, arguments)],
                env=variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def is_over(line: dict[str, Any]) -> bool:
    """Whether the newest job has come to its end."""
    return line["state"] not in AT_WORK


def on_display() -> dict[str, str]:
    """An environment for what talks to our display."""
    return os.environ | {"DISPLAY": DISPLAY}


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own."""
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


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
