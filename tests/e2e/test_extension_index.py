"""The add-on from a repository of extensions: installed, and updated by Blender itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import PROJECT, Blender

SCRIPT = """
import json, sys
from pathlib import Path
import bpy
import addon_utils
bpy.ops.wm.read_factory_settings()
system = bpy.context.preferences.system
system.use_online_access = True
repositories = bpy.context.preferences.extensions.repos
repository = next((one for one in repositories if one.module == "farm"), None)
if repository is None:
    repository = repositories.new(
        name="Farm", module="farm", remote_url=sys.argv[1], source="USER"
    )
    repository.use_remote_url = True
index = list(repositories).index(repository)
bpy.ops.extensions.repo_sync(repo_index=index)
if sys.argv[2] == "install":
    bpy.ops.extensions.package_install(
        repo_index=index, pkg_id="render_on_lambda", enable_on_install=True
    )
else:
    bpy.ops.extensions.package_upgrade_all(use_active_only=False)
module = addon_utils.enable("bl_ext.farm.render_on_lambda", default_set=True)
manifest = Path(module.__file__).with_name("blender_manifest.toml").read_text()
operators = dir(bpy.ops.render_on_lambda)
bpy.ops.wm.save_userpref()
Path(sys.argv[3]).write_text(json.dumps({"manifest": manifest, "operators": operators}))
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that a web server shows, and its address."""
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/index.json"
    server.shutdown()


def publish(site: Path, zips: list[Path]) -> None:
    tool = PROJECT / "tools" / "extension_index.py"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(tool), str(site), *map(str, zips)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def newer(extension: Path, folder: Path) -> Path:
    """The same extension as its next version."""
    made = folder / "render_on_lambda-0.99.0-linux_x64.zip"
    with zipfile.ZipFile(extension) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("blender_manifest.toml"):
                data = re.sub(rb'\nversion = ".+"', b'\nversion = "0.99.0"', data)
            new.writestr(name, data)
    return made


def test_blender_installs_it_from_a_web_page_and_updates_it(
    site: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = site
    (extension,) = (PROJECT / "build").glob("render_on_lambda-*-linux_x64.zip")
    publish(folder, [extension])
    artist = tmp_path / "artist"
    artist.mkdir()
    blender = Blender(artist, {})
    found = run(blender, address, "install")
    assert 'platforms = ["linux-x64"]' in found["manifest"]
    assert "render_animation" in found["operators"]
    (folder / extension.name).unlink()
    publish(folder, [newer(extension, tmp_path)])
    found = run(blender, address, "update")
    assert 'version = "0.99.0"' in found["manifest"]


def run(blender: Blender, address: str, action: str) -> dict[str, str]:
    script = blender.folder / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), address, action, str(blender.result)],
        env=os.environ | {"BLENDER_USER_RESOURCES": str(blender.folder / "user")},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(blender.result.read_text())
