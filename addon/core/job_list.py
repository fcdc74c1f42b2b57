"""The jobs that the add-on remembers, in one JSON file."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

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
        return cls(path, saved_jobs(path, but=set()))

    def save(self) -> None:
        """Write the list so that a crash leaves the old or the new one, never half of it.

        Jobs that another Blender has added meanwhile stay. Raises OSError where the folder cannot
        be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Between reading what others have and writing it nobody else writes.
        with locked(self.path.with_suffix(".lock")):
            self._take_over_others()
            self._forget_the_oldest()
            document = {"version": VERSION, "jobs": [job.to_json() for job in self.jobs]}
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

    def _take_over_others(self) -> None:
        ours = {job.id for job in self.jobs} | self._removed
        others = saved_jobs(self.path, but=ours)
        # Ids sort by time.
        self.jobs = sorted([*self.jobs, *others], key=lambda job: job.id)

    def _forget_the_oldest(self) -> None:
        excess = len(self.jobs) - MAX_JOBS
        over = [job for job in self.jobs if job.state.is_over]
        for job in over[: max(excess, 0)]:
            self.remove(job.id)


def saved_jobs(path: Path, *, but: set[str]) -> list[Job]:
    """The jobs of a list's file, but for some ids. A file that cannot be read is set aside."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']}")
        return [Job.from_json(value) for value in document["jobs"] if value["id"] not in but]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        aside = path.with_suffix(".unreadable.json")
        with suppress(OSError):
            path.replace(aside)
        return []
