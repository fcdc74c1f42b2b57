"""One cell a frame."""

from __future__ import annotations

import pytest
from core import frame_grid
from core.frame_grid import ARRIVED, COLORS, FAILED, LEFT
from core.frame_ranges import FrameRanges
from core.job import Failure
from core.test_session import job


def test_each_frame_of_the_job_has_its_colour() -> None:
    shown = job(frame_first=1, frame_last=9, frame_step=2, kept_frames=[3])
    shown.arrived, shown.failures = FrameRanges([[1, 1], [9, 9]]), [Failure(5, "no memory")]
    assert list(frame_grid.cells(shown)) == [ARRIVED, FAILED, LEFT, ARRIVED]
    shown.arrived = FrameRanges([[-5, 2], [4, 99]])
    assert list(frame_grid.cells(shown)) == [ARRIVED, FAILED, ARRIVED, ARRIVED]


def test_the_first_frame_is_at_the_top_left() -> None:
    side, pixels = frame_grid.picture(bytes([FAILED, ARRIVED, LEFT]))
    assert side == 128 and len(pixels) == 4 * side * side
    top_left = 4 * side * (side - 1)
    assert list(pixels[top_left : top_left + 4]) == pytest.approx(COLORS[FAILED])
    bottom_right = 4 * (side - 2)
    assert pixels[bottom_right + 3] == 0


def test_ten_thousand_frames_are_a_picture_of_no_more_pixels_and_hide_no_failure() -> None:
    for count in (1, 10_000, 20_000, 100_000):
        found = bytearray([ARRIVED]) * count
        found[count // 2] = FAILED
        side, pixels = frame_grid.picture(bytes(found))
        assert side <= frame_grid.MOST_PIXELS and len(pixels) == 4 * side * side
        assert max(pixels[::4]) == pytest.approx(COLORS[FAILED][0])
