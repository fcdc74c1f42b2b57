"""The built wheel: its classes, its errors, and that its stubs tell the truth."""

from __future__ import annotations

import ast
import gzip
import time
from pathlib import Path

import bpy
import pytest
import render_on_lambda as native
from render_on_lambda import test_frame

STUBS = Path(native.__file__).with_name("_native.pyi")


def public(module_or_class: object) -> set[str]:
    """The names that are not private."""
    return {name for name in vars(module_or_class) if not name.startswith("_")}


def test_the_stubs_name_what_there_is_and_nothing_else() -> None:
    stubs = ast.parse(STUBS.read_text())
    compiled = native._native  # type: ignore[attr-defined]
    declared = {
        item.name for item in stubs.body if isinstance(item, ast.ClassDef | ast.FunctionDef)
    }
    assert declared == public(compiled)
    for item in stubs.body:
        if isinstance(item, ast.ClassDef) and not item.name.endswith("Error"):
            members = {
                member.name
                for member in item.body
                if isinstance(member, ast.ClassDef | ast.FunctionDef)
                and not member.name.startswith("__")
            }
            assert members == public(getattr(compiled, item.name)), item.name


def test_an_event_can_be_matched_by_its_class() -> None:
    # Only the native side makes events; the stubs do not say that Python can.
    event = native.SubmissionEvent.Enqueueing(enqueued=10, total=24)  # type: ignore
    match event:
        case native.SubmissionEvent.Enqueueing(enqueued, total):
            assert (enqueued, total) == (10, 24)
        case _:
            pytest.fail("no match")
    assert type(event).__name__.rpartition("_")[2] == "Enqueueing"


def test_ids_sort_by_time() -> None:
    ids = []
    for _ in range(3):
        ids.append(native.new_job_id())
        time.sleep(0.002)
    assert ids == sorted(ids)


def test_values_that_cannot_be_are_value_errors_at_once() -> None:
    settings = native.FarmSettings("stack")
    with pytest.raises(ValueError, match="job: expected a UUID, got nonsense"):
        native.Job(settings, "nonsense", "/tmp")
    with pytest.raises(ValueError, match=r"frames\.last: expected a frame not before"):
        native.Submission(
            settings,
            job=native.new_job_id(),
            blend_file="/a.blend",
            as_path="/a.blend",
            name="a",
            frames=(10, 1, 1),
            output_template="",
            blender_version=(5, 2, 3),
        )


def test_files_that_cannot_be_read_are_the_built_in_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"cannot open .*none\.blend"):
        native.trace(tmp_path / "none.blend")
    (tmp_path / "text.blend").write_text("hello")
    with pytest.raises(ValueError, match=r"at byte 0: expected a \.blend file"):
        native.trace(tmp_path / "text.blend")


def test_polling_raises_what_stopped_the_work_once() -> None:
    check = native.StackCheck(native.FarmSettings("stack", endpoint="http://farm.example.com"))
    limit = time.monotonic() + 30
    with pytest.raises(ValueError, match="has no encryption"):
        while time.monotonic() < limit:
            check.poll()
            time.sleep(0.01)
    assert check.poll() is None


@pytest.fixture
def scene_with_paths(tmp_path: Path) -> Path:
    """A scene with an image of each kind of path, saved plainly."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    (tmp_path / "frames").mkdir()
    for name in ("a.png", "frames/f_001.png", "frames/f_002.png", "t.1001.png", "t.1002.png"):
        image = bpy.data.images.new("made", 4, 4)
        image.filepath_raw = str(tmp_path / name)
        image.file_format = "PNG"
        image.save()
        bpy.data.images.remove(image)
    for name, source, path in (
        ("single", "FILE", "//a.png"),
        ("sequence", "SEQUENCE", "//frames/f_001.png"),
        ("tiles", "TILED", "//t.<UDIM>.png"),
        ("gone", "FILE", "//gone.png"),
        ("absolute", "FILE", str(tmp_path / "a.png")),
    ):
        image = bpy.data.images.load(str(tmp_path / "a.png"))
        image.name, image.source, image.filepath = name, source, path
        image.use_fake_user = True
    packed = bpy.data.images.load(str(tmp_path / "a.png"))
    packed.pack()
    packed.use_fake_user = True
    scene = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(scene), compress=False, relative_remap=False)
    return scene


@pytest.mark.parametrize("form", ["plain", "gzip", "zstd"])
def test_every_compression_gives_the_same_dependencies(scene_with_paths: Path, form: str) -> None:
    scene = scene_with_paths
    if form == "gzip":
        scene.write_bytes(gzip.compress(scene.read_bytes()))
    if form == "zstd":
        bpy.ops.wm.save_as_mainfile(filepath=str(scene), compress=True, relative_remap=False)
    found = {item.datablock: item for item in native.trace(scene)}
    folder = scene.parent
    assert {name: item.kind for name, item in found.items()} == {
        "single": "image",
        "absolute": "image",
        "gone": "image",
        "sequence": "image sequence",
        "tiles": "UDIM tiles",
    }
    assert found["sequence"].files == [folder / "frames/f_001.png", folder / "frames/f_002.png"]
    assert found["tiles"].files == [folder / "t.1001.png", folder / "t.1002.png"]
    assert [name for name, item in found.items() if item.missing] == ["gone"]


def test_a_truncated_file_is_an_error_at_every_place(scene_with_paths: Path) -> None:
    whole = scene_with_paths.read_bytes()
    cut = scene_with_paths.with_name("cut.blend")
    for number in range(50):
        cut.write_bytes(whole[: len(whole) * number // 50])
        with pytest.raises(ValueError, match="expected"):
            native.trace(cut)


@pytest.mark.parametrize(("media", "is_movie"), [("VIDEO", True), ("IMAGE", False)])
def test_a_movie_is_known_before_it_is_sent(tmp_path: Path, media: str, is_movie: bool) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.image_settings.media_type = media
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert native.render_settings(tmp_path / "shot.blend").is_movie == is_movie


def test_the_test_frame_is_what_it_is_said_to_be() -> None:
    settings = native.render_settings(test_frame.SCENE, None)
    assert settings.blender_version == test_frame.BLENDER_VERSION
    assert settings.scene == test_frame.SCENE_NAME
