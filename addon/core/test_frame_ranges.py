"""Frames come in any order, and are a set."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from core.frame_ranges import FrameRanges


def test_it_is_the_set_of_what_was_put_in() -> None:
    chance = random.Random(7)
    for _ in range(50):
        frames = [chance.randint(-20, 40) for _ in range(chance.randint(0, 60))]
        ranges = FrameRanges()
        for frame in frames:
            ranges.add(frame)
        assert list(ranges) == sorted(set(frames))
        assert len(ranges) == len(set(frames))
        assert all((frame in ranges) == (frame in frames) for frame in range(-25, 45))
        assert FrameRanges(ranges.to_json()) == ranges
        assert all(one[1] + 1 < other[0] for one, other in pairwise(ranges.to_json()))


@pytest.mark.parametrize("ranges", [[[3, 1]], [[1, 5], [5, 9]], [[1]], [[1, "a"]], 7])
def test_what_is_none_is_refused(ranges: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        FrameRanges(ranges)  # pyright: ignore[reportArgumentType]
