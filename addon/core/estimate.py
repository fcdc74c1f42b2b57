"""What frames will take and cost, by what frames before them took and cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .job import Job

# From how many frames on a job says how long the rest of it takes.
TELLING_FRAMES = 2


@dataclass(frozen=True)
class Estimate:
    """What a job would take from the press to its last frame, and cost on Lambda."""

    seconds: float
    cost_usd: float


def estimate(jobs: Iterable[Job], blend_file: str, scene: str, frames: int) -> Estimate | None:
    """An estimate for frames of a scene by the last job of it that is over; None without one.

    jobs: oldest first. Each worker renders a frame at a time, so a job takes as many rounds as it
    has more frames than workers.
    """
    known = [
        job
        for job in jobs
        if job.is_of(blend_file) and job.scene == scene and job.state.is_over and job.fetched
    ]
    if not known or frames < 1:
        return None
    last = known[-1]
    workers = max(1, last.workers)
    rounds = math.ceil(frames / workers) / math.ceil(last.fetched / workers)
    took = max(0.0, last.ended_seconds - last.started_seconds)
    return Estimate(took * max(1.0, rounds), last.cost_usd / last.fetched * frames)


def seconds_left(job: Job, now: float) -> float | None:
    """How long the rest of a job takes if it goes on as it went; None where nobody knows yet."""
    if not is_telling(job) or not job.rendering_seconds:
        return None
    left = max(0.0, job.total - job.failed - job.frames)
    return (now - job.rendering_seconds) / job.frames * left


def cost_at_end(job: Job) -> float | None:
    """What a job will have cost when it is over, if it goes on as it went."""
    return job.cost_usd / job.frames * job.total if is_telling(job) else None


def is_telling(job: Job) -> bool:
    """Whether enough frames are done to tell of the others."""
    return 0 < job.frames >= min(TELLING_FRAMES, job.total / 2)
