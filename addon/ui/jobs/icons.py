"""The icon of a job."""

from __future__ import annotations

from ...core.job import Job, JobState

ICONS = {
    JobState.SUBMITTING: "EXPORT",
    JobState.RENDERING: "RENDER_ANIMATION",
    JobState.PAUSING: "PAUSE",
    JobState.PAUSED: "PAUSE",
    JobState.CANCELLING: "CANCEL",
    JobState.CONCERNS: "ERROR",
    JobState.FINISHED: "CHECKMARK",
    JobState.CANCELLED: "X",
    JobState.FAILED: "ERROR",
}


def icon_of(job: Job) -> str:
    """A check mark only where every frame is there."""
    return "ERROR" if job.state is JobState.FINISHED and not job.is_whole else ICONS[job.state]
