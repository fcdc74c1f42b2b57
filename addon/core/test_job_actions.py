from __future__ import annotations

import pytest
from core.job import Job, JobState
from core.job_actions import is_possible
from core.test_session import job

FRAMES = {1: "/r/0001.png"}


@pytest.mark.parametrize(
    ("action", "possible"),
    [
        ("pause", {JobState.RENDERING, JobState.PAUSING}),
        ("go_on", {JobState.PAUSED}),
        ("try_again", {JobState.FAILED}),
        ("render_anyway", {JobState.CONCERNS}),
        (
            "cancel",
            {
                JobState.SUBMITTING,
                JobState.RENDERING,
                JobState.PAUSING,
                JobState.CANCELLING,
                JobState.PAUSED,
                JobState.FAILED,
            },
        ),
    ],
)
def test_a_press_that_has_nothing_to_do_does_nothing(action: str, possible: set[JobState]) -> None:
    found = {state for state in JobState if is_possible(action, job(state=state, total=1))}
    assert found == possible


def test_frames_are_tried_again_where_some_failed_or_were_lost() -> None:
    assert not is_possible("retry", job(state=JobState.FINISHED))
    assert is_possible("retry", job(state=JobState.FINISHED, failed=1))
    assert is_possible("retry", job(state=JobState.FINISHED, lost=1))
    assert not is_possible("retry", job(state=JobState.RENDERING, failed=1))


def test_frames_are_used_once_they_are_there() -> None:
    without = job(state=JobState.FINISHED, total=1)
    there = job(state=JobState.FINISHED, total=1, files=FRAMES)
    for action in ("show_frames", "add_strip"):
        assert not is_possible(action, without)
        assert is_possible(action, there)
    assert not is_possible("add_strip", job(state=JobState.RENDERING, files=FRAMES))


def test_a_job_that_the_farm_never_had_has_nothing_to_fetch_or_to_cancel() -> None:
    never: Job = job(state=JobState.FAILED)
    assert not is_possible("fetch", never)
    assert not is_possible("cancel", never)
    assert is_possible("fetch", job(state=JobState.CANCELLED, total=1))


def test_what_is_no_question_of_its_state_is_always_possible() -> None:
    assert is_possible("copy_report", job())
