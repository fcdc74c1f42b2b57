"""A farm on this machine, a Blender with the extension, and the sample scene."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(PROJECT / "tools"))

from local_farm import LocalFarm, local_farm  # noqa: E402

BINARIES = PROJECT / "build" / "functions"
COMMAND = Path(sys.executable).with_name("render-on-lambda")

# Every script in Blender begins like this; RESULT is what the test gets back.
PRELUDE = """
import json, os, sys, time
from pathlib import Path
sys.path.insert(0, {tools!r})
import bpy
import blender_with_extension
blender_with_extension.enable()
from bl_ext.user_default.render_on_lambda.tool import jobs
from bl_ext.user_default.render_on_lambda.core.job import JobState
RESULT = {{}}

def job_json():
    return jobs.jobs().list.jobs[-1].to_json()
"""


@dataclass
class Blender:
    """Blender, as one artist has it: settings and remembered jobs of its own."""

    folder: Path
    environment: dict[str, str]
    # A Python that has Blender as a module.
    program: Path = Path(sys.executable)

    def start(self, script: str, *arguments: str, before: str = "") -> subprocess.Popen[str]:
        """Run a script; `finish` waits for it. `before` runs before the extension is enabled."""
        text = before + PRELUDE.format(tools=str(PROJECT / "tools")) + textwrap.dedent(script)
        text += f"\nPath({str(self.result)!r}).write_text(json.dumps(RESULT))\n"
        path = self.folder / "script.py"
        path.write_text(text)
        self.result.unlink(missing_ok=True)
        return subprocess.Popen(
            [str(self.program), "-W", "ignore", str(path), *arguments],
            env=os.environ
            | self.environment
            | {"BLENDER_USER_RESOURCES": str(self.folder / "user")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """What the script left in RESULT."""
        output, _ = process.communicate(timeout=240)
        assert process.returncode == 0, output
        return json.loads(self.result.read_text())

    def run(self, script: str, *arguments: str, before: str = "") -> dict[str, Any]:
        """Run a script to its end; what it left in RESULT."""
        return self.finish(self.start(script, *arguments, before=before))

    @property
    def result(self) -> Path:
        """Where the script's RESULT goes."""
        return self.folder / "result.json"


def command(
    farm: LocalFarm,
    *arguments: str | Path,
    key: tuple[str, str] | None = None,
    endpoint: str | None = None,
    limit_seconds: float = 240,
) -> subprocess.CompletedProcess[str]:
    """Run a command of `render-on-lambda` on a farm, as its artist or with another key, and maybe
    through a proxy.
    """
    environment = os.environ | farm.environment()
    if key:
        environment |= {"AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1]}
    return subprocess.run(
        [COMMAND, *arguments, "--stack", farm.stack, "--endpoint", endpoint or farm.endpoint],
        env=environment,
        capture_output=True,
        text=True,
        timeout=limit_seconds,
        check=False,
    )


@pytest.fixture(scope="session")
def farm() -> Iterator[LocalFarm]:
    """MiniStack with the stack on it; leases are short, so that a crash is noticed in a test."""
    with local_farm(Path(sys.executable), BINARIES, parameters={"LeaseSeconds": "6"}) as running:
        yield running


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blender settings in which the extension has been installed once."""
    extension = next((PROJECT / "build").glob("render_on_lambda-*.zip"), None)
    assert extension, "the extension is not built: run `make extension`"
    user = tmp_path_factory.mktemp("installed") / "user"
    script = (
        f"import sys; sys.path.insert(0, {str(PROJECT / 'tools')!r})\n"
        f"import bpy, blender_with_extension\nfrom pathlib import Path\n"
        f"blender_with_extension.install(Path({str(extension)!r}))\n"
        f"bpy.ops.wm.save_userpref()\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env=os.environ | {"BLENDER_USER_RESOURCES": str(user)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return user


@pytest.fixture
def blender(farm: LocalFarm, installed: Path, tmp_path: Path) -> Blender:
    """An artist's Blender whose preferences name the farm."""
    folder = tmp_path / "artist"
    folder.mkdir()
    shutil.copytree(installed, folder / "user")
    artist = Blender(folder, farm.environment())
    artist.run(
        f"""
        blender_with_extension.set_farm({farm.endpoint!r}, {farm.stack!r})
        bpy.ops.wm.save_userpref()
        """
    )
    return artist


@pytest.fixture(scope="session")
def sample_master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample scene, made once."""
    folder = tmp_path_factory.mktemp("sample") / "sample"
    script = PROJECT / "tools" / "sample_scene.py"
    subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


@pytest.fixture(scope="session")
def local_frames(sample_master: Path) -> Path:
    """The sample scene's frames, rendered by the same Blender without a farm."""
    script = (
        "import bpy, sys\n"
        "bpy.ops.wm.open_mainfile(filepath=sys.argv[-1])\n"
        "bpy.ops.render.render(animation=True)\n"
    )
    scene = sample_master / "shots" / "sample.blend"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(scene)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    frames = sample_master / "shots" / "render"
    moved = sample_master / "local-frames"
    frames.rename(moved)
    return moved


@pytest.fixture
def sample(sample_master: Path, tmp_path: Path) -> Path:
    """A copy of the sample scene for one test; its path. The absolute texture stays where it is."""
    shutil.copytree(sample_master / "shots", tmp_path / "shots")
    return tmp_path / "shots" / "sample.blend"
