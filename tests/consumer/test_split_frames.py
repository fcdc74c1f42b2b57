"""A frame that was rendered in slices is the one that F12 makes, whatever is in the scene."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import bpy
import numpy
import OpenEXR
import pytest
from PIL import Image
from split_scenes import NOISY, SCENES
from workers import PROJECT

SCRIPT = PROJECT / "tests" / "fixtures" / "split_frames.py"
# Of slices of samples: what the float sums of Cycles itself are off by, and its denoiser between
# one memory layout and another.
SAMPLES_TOLERANCE, DENOISED_TOLERANCE = 2e-6, 1e-4
DENOISED = {name for name in SCENES if name.startswith("denoised")}
# What is no mean over samples, so that it is split into tiles alone; see splitting.py.
BY_TILES_ALONE = {"adaptive", "adaptive_in_tiles_of_cycles", "shadow_catcher", "stereo",
                  "view_layers", "passes", "denoised_one_layer_of_two"}  # fmt: skip
# When, how long and where; and how a file is laid out, which merged passes have by themselves.
VOLATILE = re.compile(
    r"Date|Time|File|RenderTime|cycles\..*_time|channels|chunkCount|compression|name|multiView"
)
NO_MEANS = ("Mist", "Vector", "Transmission Direct", "Transmission Indirect", "Shadow Catcher")

pytestmark = pytest.mark.skipif(bpy.app.version < (5, 0), reason="finishing came with 5.0")
# Cycles itself renders one of the scenes in four tiles.
COUNTS = [4, 7]
MANY = [16]


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each scene whole, and in tiles."""
    return rendered(tmp_path_factory.mktemp("split"), "tiles", COUNTS, list(SCENES))


def rendered(folder: Path, way: str, counts: list[int], names: list[str]) -> Path:
    """A folder for each scene, with the whole frame and those of slices."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", SCRIPT, folder, way, ",".join(map(str, counts)), *names],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("name", SCENES)
def test_tiles_make_the_frame_of_f12_to_the_last_bit(frames: Path, name: str) -> None:
    for count in COUNTS:
        same_files(frames / name, f"tiles-{count}", DENOISED_TOLERANCE if name in DENOISED else 0)
        passes = frames / name / "passes"
        same_exr(passes / f"tiles-{count}.exr", passes / "whole.exr")


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_any_number_of_tiles_makes_it(tmp_path: Path) -> None:
    folder = rendered(tmp_path, "tiles", MANY, list(SCENES))
    for name in SCENES:
        for count in MANY:
            tolerance = DENOISED_TOLERANCE if name in DENOISED else 0
            same_files(folder / name, f"tiles-{count}", tolerance)


def test_slices_of_samples_make_it_but_for_the_last_bits(tmp_path: Path) -> None:
    names = [name for name in SCENES if name not in BY_TILES_ALONE]
    folder = rendered(tmp_path, "samples", [3], names)
    for name in names:
        tolerance = DENOISED_TOLERANCE if name in DENOISED else SAMPLES_TOLERANCE
        same_files(folder / name, "samples-3", tolerance, NO_MEANS)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [name for name in NOISY if "reference" not in name])
def test_slices_with_noise_of_their_own_have_no_more_of_it(tmp_path: Path, name: str) -> None:
    for way in ("tiles", "samples"):
        folder = rendered(tmp_path / way, way, [4], [name])
        reference = rendered(tmp_path / way, way, [1], [f"{name}_reference"])
        truth = picture(reference / f"{name}_reference" / "passes" / "whole.exr")
        noise, whole = (
            float(numpy.sqrt(numpy.mean((picture(folder / name / "passes" / file) - truth) ** 2)))
            for file in (f"{way}-4.exr", "whole.exr")
        )
        # From one seed to the next it is some percent more or less.
        assert 0 < noise < 1.1 * whole, (way, noise, whole)


def picture(path: Path) -> numpy.ndarray:
    found = channels(path)
    return numpy.stack([found[f"ViewLayer.Combined.{part}"] for part in "RGB"])


def same_files(folder: Path, way: str, tolerance: float, but: tuple[str, ...] = ()) -> None:
    """The same names, and in each file the same pixels."""
    whole = sorted(path.relative_to(folder / "whole") for path in (folder / "whole").rglob("*.*"))
    assert whole
    split = sorted(path.relative_to(folder / way) for path in (folder / way).rglob("*.*"))
    assert split == whole
    for path in whole:
        ours, expected = folder / way / path, folder / "whole" / path
        if path.suffix == ".exr":
            same_exr(ours, expected, tolerance, but)
        else:
            with Image.open(ours) as one, Image.open(expected) as other:
                apart = numpy.abs(numpy.asarray(one, float) - numpy.asarray(other, float)).max()
            assert apart <= (1 if tolerance else 0), f"{folder.name}/{way}/{path}: {apart}"


def same_exr(one: Path, other: Path, tolerance: float = 0, but: tuple[str, ...] = ()) -> None:
    ours, expected = channels(one), channels(other)
    assert sorted(ours) == sorted(expected)
    assert meaning(one) == meaning(other), one
    for name, pixels in expected.items():
        if any(name.rpartition(".")[0].endswith(f".{passed}") for passed in but):
            continue
        what = f"{one}: {name}"
        if not tolerance:
            assert numpy.array_equal(ours[name], pixels, equal_nan=True), what
        elif "Crypto" not in name:
            # Of a pixel, and not less than of what is bright in the picture.
            scale = numpy.maximum(numpy.abs(pixels), 0.01 * numpy.abs(pixels).max() + 1e-20)
            assert (numpy.abs(ours[name] - pixels) / scale).max() <= tolerance, what
    if tolerance:
        assert mattes(ours) == mattes(expected), one


def meaning(path: Path) -> list[dict[str, str]]:
    """The metadata of each part without what each render writes anew."""
    parts = OpenEXR.File(str(path), header_only=True).parts
    return [
        {
            str(name): str(value)
            for name, value in part.header.items()
            if not VOLATILE.fullmatch(str(name))
        }
        for part in parts
    ]


def channels(path: Path) -> dict[str, numpy.ndarray]:
    """The pixels of each channel; of half floats too, as floats."""
    parts = OpenEXR.File(str(path), separate_channels=True).parts
    views = {part.header.get("view", "") for part in parts}
    found = {}
    for part in parts:
        view = part.header.get("view", "")
        for name, channel in part.channels.items():
            found[f"{view}:{name}" if len(views) > 1 else name] = channel.pixels.astype(float)
    return found


def mattes(found: dict[str, numpy.ndarray]) -> dict[str, list[dict[float, float]]]:
    """What each pixel of a Cryptomatte shows by how much: of equal weights any may come first."""
    levels = sorted({name.rpartition(".")[0] for name in found if "Crypto" in name})
    told: dict[str, list[dict[float, float]]] = {}
    for level in levels:
        pairs = [(found[f"{level}.{id_}"], found[f"{level}.{of}"]) for id_, of in ("rg", "ba")]
        pixels = told.setdefault(level[:-2], [{} for _ in range(pairs[0][0].size)])
        for ids, weights in pairs:
            for pixel, name, weight in zip(pixels, ids.flat, weights.flat, strict=True):
                if weight > 0:
                    pixel[name] = round(float(weight), 5)
    return told
