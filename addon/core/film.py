"""The files of a movie's frames."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .job import Job


def is_joinable(job: Job) -> bool:
    """Whether a job has all the frames of a movie."""
    return job.is_movie and bool(job.files) and 0 < job.total <= len(job.arrived)


def frame_files(job: Job) -> dict[int, str]:
    """The file of each frame, by the name of the first: a job remembers that of the ends."""
    known = min(job.files)
    return {frame: numbered(job.files[known], known, frame) for frame in job.arrived}


def numbered(path: str, known: int, frame: int) -> str:
    """The path of another frame than the known one, whose number is the last in its name."""
    file = PurePath(path)
    runs = [run for run in re.finditer(r"-?\d+", file.stem) if int(run[0]) == known]
    if not runs:
        return path
    run = runs[-1]
    digits = len(run[0])
    name = f"{file.stem[: run.start()]}{frame:0{digits}}{file.stem[run.end() :]}{file.suffix}"
    return str(file.with_name(name))
