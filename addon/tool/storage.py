"""Where the add-on keeps its own files: the extension's user folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from ..core.job import Job

ROOT_PACKAGE = __package__.rpartition(".")[0]


def folder() -> Path:
    """The extension's own folder, which survives updates of the extension."""
    return Path(bpy.utils.extension_path_user(ROOT_PACKAGE, create=True))


def job_list() -> Path:
    """The file of the jobs that are remembered."""
    return folder() / "jobs.json"


def scene_copy(job_id: str) -> Path:
    """The copy of a scene that is being submitted; deleted when that is done."""
    return folder() / "scenes" / job_id / "scene.blend"


def previews(job_id: str) -> Path:
    """The small copies of a job's frames while it renders; deleted when it is over."""
    return folder() / "previews" / job_id


def discard(job: Job) -> None:
    """Delete what is kept for a job."""
    discard_scene_copy(job)
    discard_previews(job)


def discard_previews(job: Job) -> None:
    """Delete the small copies of a job's frames."""
    shutil.rmtree(previews(job.id), ignore_errors=True)


def film(job_id: str) -> Path:
    """What joining a job's frames to a movie needs; deleted when that is done."""
    return folder() / "films" / job_id


def discard_scene_copy(job: Job) -> None:
    """Delete the copy of the scene that was sent, or was to be."""
    folder = Path(job.blend_file).parent
    if folder.name == job.id:
        shutil.rmtree(folder, ignore_errors=True)
