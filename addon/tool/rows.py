"""The rows of the lists that Blender draws: it takes them from properties of its own only."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import bpy

from ..core.job import JobState
from ..core.translation import tr
from . import jobs

if TYPE_CHECKING:
    from ..core.job import Job

# The owner of the rows of Check Scene.
CHECK = "check"


def refresh() -> None:
    """Bring the rows up to date, where they are not."""
    choices = bpy.context.window_manager.render_on_lambda
    wanted = [job.id for job in reversed(jobs.jobs().list.jobs)]
    if [row.name for row in choices.jobs] != wanted:
        refresh_jobs(choices, wanted)
    on_farm = [job.id for job in jobs.jobs().on_farm.listed]
    if [row.name for row in choices.farm_jobs] != on_farm:
        choices.farm_jobs.clear()
        for job_id in on_farm:
            choices.farm_jobs.add().name = job_id
    # A scene may miss thousands of files, and this is asked four times a second.
    if choices.concerns_of != (wanted_concerns := concerned()):
        choices.concerns_of = wanted_concerns
        choices.concerns.clear()
        for owner, what, datablock_type, datablock, path, icon in all_concerns():
            row = choices.concerns.add()
            row.owner, row.what, row.path, row.icon = owner, what, path, icon
            row.datablock_type, row.datablock = datablock_type, datablock


def refresh_jobs(choices: bpy.types.PropertyGroup, wanted: list[str]) -> None:
    """A new job is chosen; else the choice stays where it was."""
    before = [row.name for row in choices.jobs]
    chosen = before[choices.active_job] if choices.active_job < len(before) else ""
    is_new = bool(wanted) and wanted[0] not in before
    choices.jobs.clear()
    for job_id in wanted:
        choices.jobs.add().name = job_id
    choices.active_job = 0 if is_new or chosen not in wanted else wanted.index(chosen)


def concerned() -> str:
    """Whose concerns there are, and how many."""
    waiting = [job for job in jobs.jobs().list.jobs if job.state is JobState.CONCERNS]
    told = [f"{job.id} {len(job.missing)} {len(job.unbaked)}" for job in waiting]
    check = jobs.jobs().scene_check
    return ", ".join([*told, f"{id(check)} {len(check.problems)}"] if check else told)


def all_concerns() -> list[tuple[str, ...]]:
    """What is not as it should be, of each job that waits for an answer and of the check."""
    found = []
    for job in jobs.jobs().list.jobs:
        if job.state is JobState.CONCERNS:
            found += concerns_of(job)
    check = jobs.jobs().scene_check
    for one in check.problems if check else ():
        icon = "LIBRARY_DATA_BROKEN" if "missing" in one.kind else "ERROR"
        what = name_of(one.path) if one.path else one.kind
        found.append((CHECK, what, one.datablock_type, one.datablock, one.path, icon))
    return found


def concerns_of(job: Job) -> list[tuple[str, ...]]:
    """The rows of one job."""
    missing = [
        (job.id, name_of(one.path), one.datablock_type, one.datablock, one.path,
         "LIBRARY_DATA_BROKEN")
        for one in job.missing
    ]  # fmt: skip
    unbaked = [
        (
            job.id,
            tr("{simulation}, not baked", simulation=tr(one.simulation)),
            one.datablock_type,
            one.datablock,
            "",
            "PHYSICS",
        )
        for one in job.unbaked
    ]
    return missing + unbaked


def name_of(path: str) -> str:
    """The last part of a path, which tells most; what is no path stays whole."""
    return PurePath(path).name if "/" in path or "\\" in path else path
