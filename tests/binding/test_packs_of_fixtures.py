"""Packs of every fixture render as the originals do, where no original path exists; and damage to
any fixture is an error or a result.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import render_on_lambda as native

ROOT = Path(__file__).resolve().parents[2]
SCENES = ROOT / "tests" / "fixtures" / "scenes.py"

# Renders every scene that is named and prints a digest of its pixels.
RENDER = """
import hashlib, json, sys, tempfile
from pathlib import Path
import bpy
found = {}
for scene in json.loads(sys.argv[-1]):
    bpy.ops.wm.open_mainfile(filepath=scene)
    render = bpy.context.scene.render
    with tempfile.TemporaryDirectory() as folder:
        render.filepath = folder + "/####"
        render.image_settings.file_format = "OPEN_EXR"
        render.image_settings.color_depth = "32"
        bpy.ops.render.render(animation=True)
        (written,) = Path(folder).iterdir()
        pixels = bpy.data.images.load(str(written)).pixels[:]
    assert len(set(pixels)) > 3, f"{scene}: nothing to see"
    found[scene] = hashlib.sha256(repr(pixels).encode()).hexdigest()
Path(sys.argv[-2]).write_text(json.dumps(found))
"""

NAMES = ("textures", "libraries", "gzip", "packed", "unpacked", "sequencer", "caches", "lights",
          "compositor")  # fmt: skip

# Reads damaged copies of a scene, without Blender, so that its own memory is all there is.
DAMAGE = r"""
import random, re, sys, time
from pathlib import Path
import render_on_lambda as native
whole = Path(sys.argv[1]).read_bytes()
choose = random.Random(7)
damaged = [whole[: choose.randrange(len(whole))] for _ in range(50)]
for _ in range(200):
    flipped = bytearray(whole)
    flipped[choose.randrange(len(whole))] ^= 1 << choose.randrange(8)
    damaged.append(bytes(flipped))
copy = Path(sys.argv[2])
for number, content in enumerate(damaged):
    copy.write_bytes(content)
    started = time.monotonic()
    try:
        native.trace(copy)
    except (ValueError, OSError) as error:
        assert copy.name in str(error), error
    seconds = time.monotonic() - started
    assert seconds < 5, f"damage number {number} took {seconds} s"
# Not ru_maxrss: that begins with what the process that started this one had.
(kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
peak = int(kilobytes) * 1024
assert peak < 512_000_000, f"{peak} bytes of memory"
"""


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The scene of each fixture by its name, made by a Blender of its own."""
    folder = tmp_path_factory.mktemp("fixtures") / "original"
    run([sys.executable, "-W", "ignore", str(SCENES), str(folder)])
    return {path.parents[2].name: path for path in folder.glob("*/show/shots/shot.blend")}


def run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]


def rendered(scenes: list[Path], report: Path) -> list[str]:
    """A digest of the pixels of each scene."""
    arguments = [str(report), json.dumps([str(scene) for scene in scenes])]
    run([sys.executable, "-W", "ignore", "-c", RENDER, *arguments])
    found = json.loads(report.read_text())
    return [found[str(scene)] for scene in scenes]


def test_a_pack_renders_as_the_original_where_no_original_path_exists(
    fixtures: dict[str, Path], tmp_path: Path
) -> None:
    names = sorted(fixtures)
    originals = rendered([fixtures[name] for name in names], tmp_path / "originals.json")
    packs = []
    for name in names:
        work = native.LocalPack(fixtures[name], tmp_path / name, frames=(3, 3, 1))
        events = []
        while not work.is_over:
            events += work.poll()
        assert not [item for item in events if isinstance(item, native.LocalPackEvent.MissingFiles)]
        packs += (tmp_path / name).rglob("shot.blend")
    root = fixtures["textures"].parents[3]
    away = root.with_name("away")
    root.rename(away)
    try:
        assert rendered(packs, tmp_path / "packs.json") == originals
    finally:
        away.rename(root)


def test_what_the_libraries_of_a_scene_do_not_use_stays_at_home(
    fixtures: dict[str, Path],
) -> None:
    used = {item.path.name for item in native.trace(fixtures["libraries"]) if item.used}
    assert used == {"outer.blend", "inner.blend", "rust.png"}


@pytest.mark.parametrize("name", NAMES)
def test_damage_is_an_error_or_a_result_in_little_time_and_memory(
    fixtures: dict[str, Path], tmp_path: Path, name: str
) -> None:
    run([sys.executable, "-c", DAMAGE, str(fixtures[name]), str(tmp_path / "damaged.blend")])


def test_no_file_of_the_artist_was_written(fixtures: dict[str, Path], tmp_path: Path) -> None:
    root = fixtures["textures"].parents[3]
    before = {path: path.stat() for path in root.rglob("*") if path.is_file()}
    for scene in fixtures.values():
        work = native.LocalPack(scene, tmp_path / scene.parents[2].name)
        while not work.is_over:
            work.poll()
    after = {path: path.stat() for path in root.rglob("*") if path.is_file()}
    same = ("st_mtime_ns", "st_size", "st_ino")
    assert [[getattr(state, name) for name in same] for state in before.values()] == [
        [getattr(state, name) for name in same] for state in after.values()
    ]
