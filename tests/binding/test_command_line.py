"""`render-on-lambda` as a person and a machine use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import bpy
import pytest
from blender_scenes import show

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("render-on-lambda")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A scene with a picture that is there, a name that is not UTF-8, and one that is not there."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    path = tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    for name in (b"wood.png", b"caf\xe9.png", b"gone.png"):
        made = bpy.data.images.new("image", 2, 2)
        made.source = "FILE"
        made.filepath = "//" + os.fsdecode(name)
        show(made)
        if name != b"gone.png":
            (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def test_trace_lists_paths_for_machines(scene: Path) -> None:
    done = run("trace", "--json", scene)
    assert done.returncode == 1, done.stderr
    found = {item["path"]: item for item in json.loads(done.stdout)}
    assert found[str(scene.parent / "wood.png")]["missing"] is False
    assert found[str(scene.parent / os.fsdecode(b"caf\xe9.png"))]["missing"] is False
    gone = found[str(scene.parent / "gone.png")]
    assert (gone["missing"], gone["kind"], gone["library_chain"]) == (True, "image", [str(scene)])


def test_trace_shows_people_what_is_missing_first(scene: Path) -> None:
    lines = run("trace", scene).stdout.splitlines()
    assert lines[0].startswith("MISSING")
    assert "gone.png" in lines[0]
    assert lines[-1] == "2 files, 0.0 MB; 1 missing"


def test_blender_runs_the_same_command(scene: Path, tmp_path: Path) -> None:
    (extension,) = (ROOT / "build").glob("render_on_lambda-*.zip")
    script = f"""
import sys
import zipfile
from pathlib import Path
sys.path.insert(0, {str(ROOT / "tools")!r})
import blender_with_extension as installed
installed.install(Path({str(extension)!r}))
from bl_ext.user_default.render_on_lambda.tool import command_line
assert command_line._registered
sys.exit(command_line.main(["trace", "--json", {str(scene)!r}]))
"""
    done = subprocess.run(
        [sys.executable, "-c", f"import bpy\n{script}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path / "blender")},
    )
    assert done.returncode == 1, done.stderr
    assert "gone.png" in done.stdout


def test_what_is_no_blend_file_is_said_in_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.blend"
    text.write_text("no scene")
    for path in (text, tmp_path / "none.blend", tmp_path):
        done = run("trace", path)
        assert done.returncode == 3, path
        assert len(done.stderr.splitlines()) == 1
        assert path.name in done.stderr
    assert run("render").returncode == 2


def test_a_pack_opens_where_no_original_path_exists(scene: Path, tmp_path: Path) -> None:
    (tmp_path / "gone.png").write_bytes(b"x")
    for target in ("pack", "pack.zip"):
        done = run("pack", "--json", scene, "--to", tmp_path / "out" / target)
        assert done.returncode == 0, done.stderr
        packed = json.loads(done.stdout)
        assert (packed["files"], packed["blend_file"]) == (4, "project/shot.blend")
    pack = tmp_path / "out" / "pack"
    assert (pack / "project" / "wood.png").read_bytes() == b"x"
    with zipfile.ZipFile(f"{pack}.zip") as archive:
        assert len(archive.namelist()) == 4
    assert "is not empty" in run("pack", scene, "--to", pack).stderr


def test_a_pack_is_not_written_while_files_are_missing_unless_that_is_allowed(
    scene: Path, tmp_path: Path
) -> None:
    target = tmp_path / "pack.zip"
    done = run("pack", scene, "--to", target)
    assert (done.returncode, target.exists()) == (1, False)
    assert "gone.png" in done.stderr
    assert run("pack", scene, "--to", target, "--allow-missing").returncode == 0
    assert target.exists()


def test_verify_names_what_blender_misses_in_the_pack(scene: Path, tmp_path: Path) -> None:
    done = run("verify", "--json", scene, "--blender", sys.executable)
    assert done.returncode == 1, done.stderr
    (problem,) = json.loads(done.stdout)
    assert problem == {
        "problem": "missing file",
        "datablock_type": "Image",
        "datablock": problem["datablock"],
        "library": "",
        "path": "project/gone.png",
    }
    (tmp_path / "gone.png").write_bytes(b"x")
    done = run("verify", scene, "--blender", sys.executable)
    assert (done.returncode, done.stdout) == (0, "every path resolves in the pack\n")
    missing_blender = run("verify", scene, "--blender", tmp_path / "blender")
    assert missing_blender.returncode == 3
    assert "cannot check the pack" in missing_blender.stderr


def test_verify_names_a_datablock_that_its_library_does_not_have(tmp_path: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = bpy.data.collections.new("set")
    collection.use_fake_user = True
    library, scene = tmp_path / "library.blend", tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(library))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(scene))
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, into):
        into.collections = ["set"]
    bpy.context.scene.collection.children.link(into.collections[0])
    bpy.ops.wm.save_as_mainfile(filepath=str(scene))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(library))
    done = run("verify", "--json", scene, "--blender", sys.executable)
    (problem,) = json.loads(done.stdout)
    assert (problem["problem"], problem["datablock"]) == ("missing datablock", "set")
    assert problem["library"] == "project/library.blend"
    library.unlink()
    done = run("verify", "--json", scene, "--blender", sys.executable)
    gone = [item for item in json.loads(done.stdout) if item["datablock_type"] == "Library"]
    assert [item["path"] for item in gone] == ["project/library.blend"]


def test_frames_that_cannot_be_and_a_farm_that_is_not_there_are_said(scene: Path) -> None:
    assert run("submit", scene, "--frames", "x").returncode == 2
    done = run("jobs", "--endpoint", "http://farm.example.com")
    assert (done.returncode, "has no encryption" in done.stderr) == (3, True)


def test_wrong_numbers_are_wrong_use_and_what_is_no_file_is_said(
    scene: Path, tmp_path: Path
) -> None:
    zip_path = tmp_path / "there.zip"
    for wrong in ("5-1", "1-99999999999", "1-5:0", "x"):
        done = run("pack", scene, "--to", zip_path, "--frames", wrong, "--allow-missing")
        assert done.returncode == 2, done.stderr
    assert run("verify", scene, "--limit-seconds", "-1").returncode == 2
    zip_path.write_bytes(b"mine")
    done = run("pack", scene, "--to", zip_path, "--allow-missing")
    assert (done.returncode, zip_path.read_bytes()) == (3, b"mine")
    assert "is there already" in done.stderr
    pipe = tmp_path / "pipe.blend"
    os.mkfifo(pipe)
    done = run("trace", pipe)
    assert (done.returncode, "not a regular file" in done.stderr) == (3, True)
    half = tmp_path / "half.blend"
    whole = tmp_path / "whole.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(whole), compress=True, copy=True)
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    done = run("trace", half)
    assert "at byte" in done.stderr and "expected" in done.stderr


def test_a_reader_that_has_had_enough_is_no_trouble(scene: Path) -> None:
    command = f"{COMMAND} trace --json '{scene}' | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Broken pipe" not in done.stderr
    assert done.returncode in (0, 1)
