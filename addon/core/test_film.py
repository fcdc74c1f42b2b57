"""Which files a movie is made of."""

from __future__ import annotations

import pytest
from core import film
from core.frame_ranges import FrameRanges
from core.job import Job
from core.test_session import job


def movie() -> Job:
    made = job(is_movie=True, total=3, files={1: "/r/sh2_0001.png", 3: "/r/sh2_0003.png"})
    made.arrived = FrameRanges([[1, 3]])
    return made


def test_only_a_whole_movie_can_be_joined() -> None:
    whole, part, frames = movie(), movie(), movie()
    part.arrived = FrameRanges([[1, 2]])
    frames.is_movie = False
    assert [film.is_joinable(one) for one in (whole, part, frames)] == [True, False, False]


def test_each_frame_has_its_file_although_only_the_ends_are_remembered() -> None:
    remembered = Job.from_json(movie().to_json())
    assert film.frame_files(remembered) == {frame: f"/r/sh2_{frame:04}.png" for frame in (1, 2, 3)}


@pytest.mark.parametrize(
    ("path", "known", "frame", "other"),
    [
        ("/r/1.png", 1, 12, "/r/12.png"),
        ("/r/take1_0001_L.png", 1, 12, "/r/take1_0012_L.png"),
        ("/r/s-005.png", -5, 7, "/r/s0007.png"),
        ("/r/s09999.png", 9999, 10000, "/r/s10000.png"),
    ],
)
def test_the_number_of_a_frame_is_the_last_one_in_its_name(
    path: str, known: int, frame: int, other: str
) -> None:
    assert film.numbered(path, known, frame) == other
