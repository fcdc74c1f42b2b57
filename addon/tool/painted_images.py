"""Images that were painted and not saved: F12 shows them, and a saved copy of the file does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..core.translation import tr
from .cannot_render import CannotRender

if TYPE_CHECKING:
    from pathlib import Path

    from bpy.types import Image
    from numpy import float32
    from numpy.typing import NDArray

# The colours in which Blender holds floats, where its own colour configuration is in use.
SCENE_LINEAR = "Linear Rec.709"
DATA = "Non-Color"


def save_painted(folder: Path) -> list[tuple[str, str, str | None]]:
    """Write the pixels of each painted image into a folder; the session stays as it is.

    The name of each image, the file, and the colour space of its pixels where it is not the image's
    own, as the native module takes them. Raises CannotRender, or OSError or RuntimeError where a
    file cannot be written.
    """
    painted = [
        image
        for image in bpy.data.images
        # What nobody uses is not in the saved file either.
        if image.is_dirty and image.source != "VIEWER" and image.users
    ]
    saved = []
    for number, image in enumerate(painted):
        folder.mkdir(parents=True, exist_ok=True)
        if image.library or image.source not in {"FILE", "GENERATED", "TILED"}:
            raise CannotRender(refusal(image))
        if image.source == "TILED":
            saved.append((image.name, save_tiles(image, folder / f"{number}.<UDIM>.png"), None))
        else:
            saved.append(save(image, folder, number))
    return saved


def refusal(image: Image) -> str:
    """What to do about an image that cannot be taken along."""
    return tr(
        'The image "{name}" is painted and not saved: save it (Image Editor > Image > Save), then'
        " render",
        name=image.name,
    )


def save_tiles(image: Image, path: Path) -> str:
    """Write the tiles of an image as Blender itself does."""
    spaces = {"sRGB", DATA}
    if image.is_float or image.colorspace_settings.name not in spaces:
        raise CannotRender(refusal(image))
    file_format, image.file_format = image.file_format, "PNG"
    try:
        image.save(filepath=str(path), save_copy=True)
    finally:
        image.file_format = file_format
    return str(path)


def save(image: Image, folder: Path, number: int) -> tuple[str, str, str | None]:
    """Write pixels as Blender holds them: colours are what they are, and none is converted."""
    import numpy

    if image.is_multiview or not image.has_data:
        raise CannotRender(refusal(image))
    pixels = numpy.empty(len(image.pixels), numpy.float32)
    image.pixels.foreach_get(pixels)
    is_transparent = image.channels == 4 and bool((pixels[3::4] < 1).any())
    if is_transparent and not reads_as_held(image):
        raise CannotRender(refusal(image))
    color_space = None
    if image.is_float and not image.colorspace_settings.is_data:
        color_space = SCENE_LINEAR
        names = image.colorspace_settings.bl_rna.properties["name"].enum_items.keys()
        if color_space not in names:
            raise CannotRender(refusal(image))
    path = folder / (f"{number}.exr" if image.is_float else f"{number}.png")
    width, height = image.size
    copy = bpy.data.images.new(
        ".render-on-lambda", width, height, alpha=True, float_buffer=image.is_float, is_data=True
    )
    try:
        if image.channels != 4:
            pixels = with_alpha(pixels, image.channels)
        copy.pixels.foreach_set(pixels)
        copy.file_format = "OPEN_EXR" if image.is_float else "PNG"
        copy.save(filepath=str(path))
    finally:
        bpy.data.images.remove(copy)
    return image.name, str(path), color_space


def reads_as_held(image: Image) -> bool:
    """Whether a file shows the transparent pixels of an image as Blender shows those that it holds.

    EEVEE and Workbench take straight bytes and premultiplied floats for what they are; with the
    other modes they make more of them than of a file (`image_gpu.cc`, Blender 5.2). Cycles reads
    both alike.
    """
    if any(scene.render.engine == "CYCLES" for scene in bpy.data.scenes):
        return True
    held = "PREMUL" if image.is_float else "STRAIGHT"
    return image.alpha_mode in {held, "CHANNEL_PACKED"}


def with_alpha(pixels: NDArray[float32], channels: int) -> NDArray[float32]:
    """Four channels of fewer: grey three times, and opaque."""
    import numpy

    rows = pixels.reshape(-1, channels)
    full = numpy.ones((len(rows), 4), numpy.float32)
    full[:, :3] = rows[:, :3] if channels >= 3 else rows[:, :1]
    if channels == 2:
        full[:, 3] = rows[:, 1]
    return full.ravel()
