"""Which Blender a farm would render with, by the jobs that it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .job import FarmAddress, Job


def other_blender(
    jobs: Sequence[Job],
    farm: FarmAddress,
    ours: tuple[int, int],
    told: Sequence[tuple[int, int]] = (),
) -> tuple[int, int] | None:
    """The Blender that the farm has instead of ours, as far as it has told, or its last job; else
    None.

    jobs: oldest first.
    told: the Blenders that the farm says it has, the oldest first; empty where nobody has asked.
    """
    if told:
        newer = (version for version in told if version > ours)
        return None if ours in told else next(newer, told[-1])
    for job in reversed(jobs):
        if job.farm == farm and job.blender_version[:2] == ours:
            # Of one that was asked about and not sent it is known as well.
            found = job.other_blender or job.rendered_by
            if found is not None:
                return found if found != ours else None
    return None
