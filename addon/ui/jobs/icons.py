"""The icon of a job."""

from __future__ import annotations

from ...core.job import Job, JobState

ICONS = {
    JobState.SUBMITTING: "EXPORT",
    JobState.RENDERING: "RENDER_ANIMATION",
    JobState.CANCELLING: "CANCEL",
    JobState.CONCERNS: "ERROR",
    JobState.FINISHED: "CHECKMARK",
    JobState.CANCELLED: "X",
    JobState.FAILED: "ERROR",
}


def icon_of(job: Job) -> str:
    """A check mark only where every frame is there."""
    is_whole = not job.failed and not job.lost
    return ICONS[job.state] if is_whole or job.state is not JobState.FINISHED else "ERROR"
