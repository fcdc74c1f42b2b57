"""The jobs that the add-on remembers, in one JSON file."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .file_lock import locked
from .job import Job

VERSION = 1

# How many jobs are kept; the oldest that are over go first.
MAX_JOBS = 300


@dataclass
class JobList:
    """The jobs, oldest first."""

    path: Path
    jobs: list[Job] = field(default_factory=list)
    _removed: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, path: Path) -> JobList:
        """Read the list. A file that cannot be read is set aside, never deleted."""
        return cls(path, saved_jobs(path, but=set())[0])

    def save(self) -> None:
        """Write the list so that a crash leaves the old or the new one, never half of it.

        Jobs that another Blender has added meanwhile stay, and so do those that only another
        version can read. Raises OSError where the folder cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Between reading what others have and writing it nobody else writes.
        with locked(self.path.with_suffix(".lock")):
            unreadable = self._take_over_others()
            self._forget_the_oldest()
            readable = [job.to_json() for job in self.jobs]
            document = {"version": VERSION, "jobs": [*unreadable, *readable]}
            partial = self.path.with_suffix(f".{os.getpid()}.partial")
            partial.write_text(json.dumps(document), encoding="utf-8")
            partial.replace(self.path)

    def add(self, job: Job) -> None:
        """Put a new job at the end."""
        self.jobs.append(job)

    def remove(self, job_id: str) -> None:
        """Forget a job; its frames stay."""
        self.jobs = [job for job in self.jobs if job.id != job_id]
        self._removed.add(job_id)

    def find(self, job_id: str) -> Job | None:
        """The job of that id."""
        return next((job for job in self.jobs if job.id == job_id), None)

    def _take_over_others(self) -> list[Any]:
        """Take in the jobs of others; those that cannot be read are given back as they stand."""
        ours = {job.id for job in self.jobs} | self._removed
        others, unreadable = saved_jobs(self.path, but=ours)
        # Ids sort by time.
        self.jobs = sorted([*self.jobs, *others], key=lambda job: job.id)
        return unreadable

    def _forget_the_oldest(self) -> None:
        excess = len(self.jobs) - MAX_JOBS
        over = [job for job in self.jobs if job.state.is_over]
        for job in over[: max(excess, 0)]:
            self.remove(job.id)


def saved_jobs(path: Path, *, but: set[str]) -> tuple[list[Job], list[Any]]:
    """The jobs of a list's file, but for some ids, and those that this version cannot read.

    A file that cannot be read is set aside.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']}")
        values = [value for value in document["jobs"] if value["id"] not in but]
    except FileNotFoundError:
        return [], []
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        aside = path.with_suffix(".unreadable.json")
        with suppress(OSError):
            path.replace(aside)
        return [], []
    jobs: list[Job] = []
    unreadable: list[dict[str, Any]] = []
    for value in values:
        try:
            jobs.append(Job.from_json(value))
        except (ValueError, KeyError, TypeError, AttributeError):
            unreadable.append(value)
    return jobs, unreadable
