"""What can be done with a job as it stands: what is drawn, and what a press then does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import film
from .job import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from .job import Job


def _can_be_cancelled(job: Job) -> bool:
    # Of one that failed here or is paused the farm may still have frames at work.
    left_on_farm = job.state in (JobState.FAILED, JobState.PAUSED) and bool(job.total)
    # One that is cancelled already is asked again: the first word may not have come through.
    return left_on_farm or not job.state.is_over


_POSSIBLE: dict[str, Callable[[Job], bool]] = {
    "add_strip": lambda job: job.state.is_over and bool(job.files),
    "cancel": _can_be_cancelled,
    "fetch": lambda job: job.state.is_over and bool(job.total),
    "go_on": lambda job: job.state is JobState.PAUSED,
    "make_movie": lambda job: job.state is JobState.FINISHED and film.is_joinable(job),
    "pause": lambda job: job.state in (JobState.RENDERING, JobState.PAUSING),
    "render_anyway": lambda job: job.state is JobState.CONCERNS,
    "retry": lambda job: job.state is JobState.FINISHED and bool(job.failed or job.lost),
    "show_frames": lambda job: bool(job.files),
    "try_again": lambda job: job.state is JobState.FAILED,
}


def is_possible(action: str, job: Job) -> bool:
    """Whether an operator of jobs, by its name, has something to do with a job.

    True for those that can always be asked for, such as its report.
    """
    possible = _POSSIBLE.get(action)
    return possible is None or possible(job)
