"""For scripts: waits until a job is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..core import wording
from ..core.sign_in import Stage
from . import jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.job import Job
    from ..core.scene_check import SceneCheck
    from .administration import FarmAdministration
    from .sign_in import ArtistSignIn

# How often a script that waits looks at its job.
WAIT_SECONDS = 0.1


def wait(job: Job) -> None:
    """Move a job on until it is over, telling its progress on the terminal. Ctrl-C cancels it."""
    running, told = jobs.jobs(), ""
    try:
        while not job.state.is_over:
            running.poll()
            line = job.trouble or wording.progress_text(job)
            if line != told:
                print(f"Render on Lambda: {line}", flush=True)
                told = line
            time.sleep(WAIT_SECONDS)
        running.poll()
    except KeyboardInterrupt:
        running.cancel(job)
        raise
    print(f"Render on Lambda: {wording.summary_text(job)}", flush=True)


def wait_for_check(check: SceneCheck) -> None:
    """Move a check on until it is over."""
    while not check.is_over:
        jobs.jobs().poll()
        time.sleep(WAIT_SECONDS)


def wait_for_farm() -> None:
    """Wait until the farm has told its jobs."""
    while jobs.jobs().on_farm.is_waiting:
        jobs.jobs().poll()
        time.sleep(WAIT_SECONDS)


def wait_for_administration() -> FarmAdministration:
    """Wait until a farm is made or removed, or cannot be."""
    farm = jobs.jobs().administration
    _wait_and_tell(farm, lambda: farm.stage.is_at_work)
    return farm


def wait_for_sign_in() -> ArtistSignIn:
    """Wait until somebody is signed in, or is not."""
    signing_in = jobs.jobs().signing_in
    _wait_and_tell(signing_in, lambda: signing_in.stage is Stage.WAITING)
    return signing_in


def wait_for_film(job: Job) -> None:
    """Wait until the frames of a movie are joined."""
    while jobs.jobs().films.is_making(job):
        jobs.jobs().poll()
        time.sleep(WAIT_SECONDS)
    print(f"Render on Lambda: {job.notices[-1]}", flush=True)


def _wait_and_tell(work: FarmAdministration | ArtistSignIn, goes_on: Callable[[], bool]) -> None:
    """Wait for work, telling on the terminal what it says of itself."""
    told = ""
    while goes_on():
        jobs.jobs().poll()
        if work.text != told:
            print(f"Render on Lambda: {work.text}", flush=True)
            told = work.text
        time.sleep(WAIT_SECONDS)
