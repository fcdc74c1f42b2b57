"""The frames of a job as a picture: one cell a frame, coloured by what came of it."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .job import Job

# What came of a frame. Of several that share a cell the highest is shown.
ARRIVED, LEFT, FAILED = range(3)
HAS_ARRIVED = bytes([ARRIVED])
# What is no frame: between cells, and behind the last.
NOTHING = 3

# Red, green, blue and alpha of each, as Blender's themes have them for what is right, waits, or is
# wrong.
COLORS = (
    (0.30, 0.62, 0.36, 1.0),
    (0.34, 0.34, 0.36, 1.0),
    (0.82, 0.27, 0.24, 1.0),
    (0.0, 0.0, 0.0, 0.0),
)

# The picture is a square of so many pixels at the most.
MOST_PIXELS = 128


def cells(job: Job) -> bytes:
    """What came of each frame of a job, in their order."""
    frames = range(job.frame_first, job.frame_last + 1, job.frame_step)
    found = bytearray([LEFT]) * len(frames)
    for first, last in job.arrived.to_json():
        start = max(0, -(-(first - frames.start) // frames.step))
        end = min(len(found), -(-(last + 1 - frames.start) // frames.step))
        found[start:end] = HAS_ARRIVED * (end - start)
    for failure in job.failures:
        if failure.frame in frames:
            found[frames.index(failure.frame)] = FAILED
    kept = {frames.index(frame) for frame in job.kept_frames if frame in frames}
    return bytes(one for at, one in enumerate(found) if at not in kept) if kept else bytes(found)


def picture(found: bytes) -> tuple[int, array[float]]:
    """A square of cells, row after row from the top: its side in pixels, and its pixels as Blender
    takes them, red, green, blue and alpha from the lowest row on.

    Of more frames than there are pixels, each pixel shows the worst of those that it stands for.
    """
    columns = columns_of(len(found))
    frames_a_cell = max(1, math.ceil(columns / MOST_PIXELS) ** 2)
    if frames_a_cell > 1:
        groups = range(0, len(found), frames_a_cell)
        found = bytes(max(found[at : at + frames_a_cell]) for at in groups)
        columns = columns_of(len(found))
    size = max(1, MOST_PIXELS // columns)
    # A line between cells, where they are large enough for one.
    gap = 1 if size >= 4 else 0
    pixel = [array("f", color).tobytes() for color in COLORS]
    drawn = [one * (size - gap) + pixel[NOTHING] * gap for one in pixel]
    line = drawn[NOTHING] * columns
    rows: list[bytes] = []
    for row in reversed(range(columns)):
        shown = found[row * columns : (row + 1) * columns].ljust(columns, bytes([NOTHING]))
        rows += [line] * gap + [b"".join([drawn[one] for one in shown])] * (size - gap)
    pixels = array("f")
    pixels.frombytes(b"".join(rows))
    return columns * size, pixels


def columns_of(count: int) -> int:
    """The side of the smallest square with room for so many cells."""
    return max(1, math.isqrt(max(0, count - 1)) + 1)
