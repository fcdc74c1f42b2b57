"""The frames of a job as a picture: one cell a frame, coloured by what came of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .job import Job

# Red, green and blue as Blender's themes have them for what is right, wrong and not yet there.
ARRIVED = (0.30, 0.62, 0.36)
FAILED = (0.82, 0.27, 0.24)
LEFT = (0.34, 0.34, 0.36)

# The picture is a square of so many pixels at the most.
MOST_PIXELS = 128


def cells(job: Job) -> list[tuple[float, float, float]]:
    """The colour of each frame of a job, in their order."""
    failed = {failure.frame for failure in job.failures}
    kept = set(job.kept_frames)
    frames = range(job.frame_first, job.frame_last + 1, job.frame_step)
    return [
        FAILED if frame in failed else ARRIVED if frame in job.arrived else LEFT
        for frame in frames
        if frame not in kept
    ]


def picture(colors: list[tuple[float, float, float]]) -> tuple[int, list[float]]:
    """A square of cells, row after row from the top: its side in pixels, and its pixels as Blender
    takes them, red, green, blue and alpha from the lowest row on.

    Of more frames than there are pixels, each pixel shows the worst of those that it stands for.
    """
    columns = max(1, math.isqrt(max(0, len(colors) - 1)) + 1)
    frames_a_cell = max(1, math.ceil(columns / MOST_PIXELS) ** 2)
    if frames_a_cell > 1:
        groups = range(0, len(colors), frames_a_cell)
        colors = [worst(colors[at : at + frames_a_cell]) for at in groups]
        columns = math.isqrt(len(colors) - 1) + 1
    size = max(1, MOST_PIXELS // columns)
    # A line between cells, where they are large enough for one.
    gap = 1 if size >= 4 else 0
    side = columns * size
    empty, pixels = (0.0, 0.0, 0.0, 0.0), []
    for y in reversed(range(side)):
        row, is_line = y // size, y % size >= size - gap
        for column in range(columns):
            at = row * columns + column
            is_there = at < len(colors) and not is_line
            cell = (*colors[at], 1.0) if is_there else empty
            pixels += [*cell * (size - gap), *empty * gap]
    return side, pixels


def worst(colors: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    """What is told of frames that share a cell."""
    return next((color for color in (FAILED, LEFT) if color in colors), ARRIVED)
