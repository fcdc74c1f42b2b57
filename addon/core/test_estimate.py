"""What is promised of a job."""

from __future__ import annotations

from typing import Any

from core import estimate
from core.job import Job, JobState
from core.test_session import job


def over(**values: Any) -> Job:
    usual = {"fetched": 20, "workers": 10, "cost_usd": 0.2}
    times = {"started_seconds": 100.0, "ended_seconds": 160.0}
    return job(state=JobState.FINISHED, **(usual | times | values))


def test_more_frames_take_more_rounds_of_as_many_workers() -> None:
    found = estimate.estimate([over()], "/show/shot.blend", "Scene", 100)
    assert found == estimate.Estimate(seconds=300.0, cost_usd=1.0)
    one = estimate.estimate([over()], "/show/shot.blend", "Scene", 1)
    assert one == estimate.Estimate(seconds=60.0, cost_usd=0.01)


def test_only_the_last_job_of_the_same_scene_counts() -> None:
    jobs = [over(cost_usd=9.0), over(), over(scene="Other"), over(fetched=0), job()]
    found = estimate.estimate(jobs, "/show/shot.blend", "Scene", 20)
    assert found is not None and found.cost_usd == 0.2
    assert estimate.estimate(jobs, "/show/other.blend", "Scene", 20) is None


def test_what_is_left_is_told_after_the_first_frames() -> None:
    going = job(total=100, rendering_seconds=50.0, state=JobState.RENDERING)
    assert estimate.seconds_left(going, 60.0) is None
    going.frames, going.cost_usd = 10.0, 0.1
    assert estimate.seconds_left(going, 60.0) == 90.0
    assert estimate.cost_at_end(going) == 1.0
    still = job(total=1, frames=0.5, rendering_seconds=50.0)
    assert estimate.seconds_left(still, 60.0) == 10.0
