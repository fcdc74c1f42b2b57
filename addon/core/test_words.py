"""What the artist reads, and what is read from the scene's output path."""

from __future__ import annotations

import pytest
from core import output_path, wording
from core.job import JobState
from core.test_session import job


@pytest.mark.parametrize(
    ("filepath", "folder", "template"),
    [
        ("//render/shot_####", "//render/", "shot_####"),
        ("//render/", "//render/", ""),
        ("/tmp/shot_", "/tmp/", "shot_"),
        ("//out/{blend_name}/####", "//out/", "{blend_name}/####"),
        ("C:\\out\\a_##\\b_####", "C:\\out\\", "a_##/b_####"),
        ("shot", "", "shot"),
    ],
)
def test_an_output_path_is_a_fixed_folder_and_a_template(
    filepath: str, folder: str, template: str
) -> None:
    assert output_path.split(filepath) == (folder, template)


def test_numbers_are_written_as_people_read_them() -> None:
    assert [wording.bytes_text(count) for count in (0, 830_000, 1_240_000_000)] == [
        "0 bytes",
        "830 KB",
        "1.2 GB",
    ]
    assert [wording.duration_text(seconds) for seconds in (7.6, 185, 7800)] == [
        "8 s",
        "3:05 min",
        "2:10 h",
    ]
    assert [wording.cost_text(dollars) for dollars in (0, 0.31, 0.0014, 0.00001)] == [
        "$0.00",
        "$0.31",
        "$0.0014",
        "less than $0.0001",
    ]


def test_a_job_that_is_over_says_what_came_of_it() -> None:
    done = job(total=24, fetched=24, cost_usd=0.02, started_seconds=10, ended_seconds=40)
    done.state = JobState.FINISHED
    assert wording.summary_text(done) == "24 frames in 30 s, about $0.02 on Lambda"
    done.fetched, done.failed = 23, 1
    assert wording.summary_text(done) == "23 frames, 1 failed (30 s, about $0.02 on Lambda)"


def test_an_upload_says_what_was_there() -> None:
    assert wording.upload_text(3, 3, 0, 900, 900) == "Nothing to upload: all 3 files are there"
    text = wording.upload_text(1, 3, 500_000, 1_000_000, 3_000_000)
    assert text == "Uploading 500 KB of 2.0 MB, 1.0 MB were there"
