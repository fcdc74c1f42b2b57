"""What the artist reads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from core import uploading, wording
from core.estimate import Estimate
from core.job import Failure, JobState
from core.test_session import job


def test_numbers_are_written_as_people_read_them() -> None:
    assert [uploading.bytes_text(count) for count in (0, 830_000, 1_240_000_000)] == [
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
        "$0.0001",
    ]


def test_a_job_that_is_over_says_what_came_of_it() -> None:
    done = job(total=24, fetched=24, cost_usd=0.02, started_seconds=10, ended_seconds=40)
    done.state = JobState.FINISHED
    assert wording.summary_text(done) == "24 frames in 30 s, about $0.02 on Lambda"
    done.fetched, done.failed = 23, 1
    assert wording.summary_text(done) == "23 frames, 1 failed (30 s, about $0.02 on Lambda)"


def test_one_frame_is_not_said_to_be_several() -> None:
    still = job(total=1)
    still.state = JobState.RENDERING
    assert wording.progress_text(still) == "Waiting for workers: 1 frame"
    still.running = 1
    assert wording.progress_text(still) == "0 of 1 frame, 1 at work"
    still.state = JobState.CANCELLING
    assert wording.progress_text(still) == "Cancelling: 1 frame still at work"
    still.state, still.failed = JobState.FINISHED, 1
    still.ended_seconds = still.started_seconds
    assert wording.summary_text(still) == "0 frames, 1 failed (0 s, about $0.00 on Lambda)"


def test_a_path_that_is_too_long_loses_its_beginning() -> None:
    assert wording.short_path("/show/render", 20) == "/show/render"
    assert wording.short_path("/show/shots/010/render", 12) == "…/010/render"


def test_the_artist_is_asked_only_where_something_may_be_lost_or_is_dear() -> None:
    assert wording.question_text(24, 0, "/show/render", None) == ""
    assert wording.question_text(24, 0, "/show/render", Estimate(30, 0.1)) == ""
    asked = wording.question_text(1000, 12, "/show/render", Estimate(130, 0.31))
    assert asked == (
        "12 frames are in /show/render already and will be replaced. 1000 frames will be rendered."
        " About 2:10 min and $0.31, going by the last job."
    )
    assert (
        wording.question_text(1, 1, "/r", None) == "1 frame is in /r already and will be replaced."
    )


def test_a_report_says_all_and_no_secret() -> None:
    failed = job(total=24, fetched=23, failed=1, ended_seconds=9.0, state=JobState.FINISHED)
    failed.failures = [Failure(7, "no memory", "Fra:7 Mem:9000M")]
    failed.notice("Frame 7 is tried again: no memory")
    report = wording.report_text(failed)
    for text in ("shot.blend", "stack", "Fra:7 Mem:9000M", "23 frames, 1 failed", "tried again"):
        assert text in report


def test_texts_that_do_not_run_are_named() -> None:
    said = wording.silent_text(["rig_ui.py", "second.py", "third.py"])
    assert said.startswith("Texts with Register do not run on the farm: rig_ui.py and 2 more.")


def test_an_upload_says_what_was_there() -> None:
    there = upload(skipped_files=3, skipped_bytes=3_000_000)
    assert uploading.upload_text(there) == "Nothing to upload: all 3 files are there"
    assert uploading.upload_text(upload(hashed_files=1)) == "Reading 1 of 3 files, 3.0 MB"
    sending = upload(sent_bytes=500_000, skipped_bytes=1_000_000, hashed_files=3)
    assert uploading.upload_text(sending) == "Uploading 500 KB of 2.0 MB, 1.0 MB were there"
    sending.bytes_per_second, sending.seconds_left = 100_000.0, 15.0
    assert uploading.upload_text(sending).endswith("were there, 100 KB/s, 15 s left")


def upload(**values: int) -> Any:
    """The native UploadProgress of three files."""
    names = "hashed_files hashed_bytes skipped_files skipped_bytes sent_files sent_bytes"
    zeros = dict.fromkeys(names.split(), 0)
    found = {"found_files": 3, "found_bytes": 3_000_000}
    rate = {"bytes_per_second": 0.0, "seconds_left": None}
    return SimpleNamespace(**(zeros | found | rate | values))


def test_a_row_says_how_long_a_job_still_takes_and_else_when_it_was_begun() -> None:
    begun = job(total=24, frames=12.0, rendering_seconds=100.0, started_seconds=90.0)
    begun.state = JobState.RENDERING
    assert wording.when_text(begun, 160.0) == "1:00 min left"
    begun.state = JobState.FINISHED
    assert wording.when_text(begun, 160.0) == wording.time_text(90.0, 160.0)
