"""Small copies of frames, made beside the main thread: a frame of 4K stops Blender for seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import render_on_lambda as native

from . import storage

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from pathlib import Path

    from ..core.job import Job

# The longer side of a preview.
MOST_PIXELS = 960


class FramePreviews:
    """The previews of the frames that arrive: of each job the newest, one at a time."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._making: dict[str, tuple[Job, Future[Path]]] = {}
        self._wanted: dict[str, tuple[Job, str]] = {}

    def ask(self, job: Job, path: str) -> None:
        """Want the preview of a frame; the one that was wanted before is not any more."""
        self._wanted[job.id] = (job, path)
        self._begin()

    def take(self) -> list[tuple[Job, str]]:
        """The previews that are ready, each with its job. Never waits."""
        ready = []
        for job_id, (job, making) in list(self._making.items()):
            if not making.done():
                continue
            del self._making[job_id]
            # A format that is not read here is shown when all frames are there.
            if making.exception() is None:
                ready.append((job, str(making.result())))
        self._begin()
        return ready

    def forget(self, job: Job) -> None:
        """Of a job that is over its frames are shown; of an image that was cancelled, what there is
        of it.
        """
        self._wanted.pop(job.id, None)
        self._making.pop(job.id, None)
        if job.files or not job.refined_of:
            storage.discard_previews(job)

    def _begin(self) -> None:
        for job_id, (job, path) in list(self._wanted.items()):
            if job_id not in self._making:
                del self._wanted[job_id]
                folder = storage.previews(job_id)
                folder.mkdir(parents=True, exist_ok=True)
                made = self._threads.submit(
                    native.make_preview, path, folder, "latest", MOST_PIXELS
                )
                self._making[job_id] = (job, made)
