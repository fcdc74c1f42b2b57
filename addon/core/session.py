"""A job in motion: turns the native module's events into the states of a Job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from . import wording
from .job import MAX_FAILURES, Failure, Job, JobState, MissingFile, UnbakedSimulation
from .not_split import not_split_text
from .translation import tr
from .uploading import upload_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Submission(Protocol):
    """What the session needs of the native Submission."""

    def poll(self) -> Sequence[Any]: ...
    def stop(self) -> None: ...


class Watch(Protocol):
    """What the session needs of the native Job."""

    def poll(self) -> Sequence[Any]: ...
    def cancel(self) -> None: ...
    def pause(self) -> None: ...
    def stop_watching(self) -> None: ...


class Farm(Protocol):
    """Starts the work of a job; tool/farm.py is the real one."""

    def submit(self, job: Job, /) -> Submission: ...
    def watch(self, job: Job, /) -> Watch: ...


class Session:
    """Moves one job on, a step each time that it is polled. Never waits."""

    def __init__(self, job: Job, farm: Farm, now: Callable[[], float] = time.time) -> None:
        """Start, or go on with, a job.

        A job that was submitting when Blender was closed is submitted again under its own id; one
        that was rendering is watched.
        """
        self.job = job
        self._farm = farm
        self._now = now
        self._submission: Submission | None = None
        self._watch: Watch | None = None
        self._frames: list[tuple[int, list[str]]] = []
        self._refined = ""
        job.started_seconds = job.started_seconds or now()
        try:
            if job.state is JobState.SUBMITTING:
                self._submission = farm.submit(job)
            elif not job.state.is_over:
                self._watch = farm.watch(job)
                # Asked for once: the next start of Blender only watches.
                job.retry = None
        except Exception as error:
            self._fail(error)

    def poll(self) -> bool:
        """Take what has happened; whether anything changed."""
        try:
            if self._submission is not None:
                events = self._submission.poll()
                for event in events:
                    self._on_submission(event)
                return bool(events)
            if self._watch is not None:
                events = self._watch.poll()
                for event in events:
                    self._on_watch(event)
                return bool(events)
        except Exception as error:
            self._fail(error)
            return True
        return False

    def take_frames(self) -> list[tuple[int, list[str]]]:
        """The frames that arrived since the last call, each with its files."""
        frames, self._frames = self._frames, []
        return frames

    def cancel(self) -> None:
        """Stop the job: at once while it is submitted, else as soon as the workers notice."""
        if self._watch is not None:
            self.job.state = JobState.CANCELLING
            self._watch.cancel()
        elif self._submission is not None:
            self._submission.stop()
            self._end(JobState.CANCELLED)

    def pause(self) -> None:
        """Have no frame begun any more; those that are at work are still waited for."""
        if self._watch is not None:
            self.job.state = JobState.PAUSING
            self._watch.pause()

    def close(self) -> None:
        """Let go of the job; on the farm it goes on."""
        if self._submission is not None:
            self._submission.stop()
        if self._watch is not None:
            self._watch.stop_watching()
        self._submission = self._watch = None

    def take_refined(self) -> str:
        """The picture of an image that has come further since the last call; empty for none."""
        refined, self._refined = self._refined, ""
        return refined

    def _on_submission(self, event: Any) -> None:
        job = self.job
        match type(event).__name__.rpartition("_")[2]:
            case "Tracing":
                job.status = tr("Reading {file}", file=event.path.name)
            case "Concerns":
                job.missing = [
                    MissingFile(
                        file.kind,
                        file.datablock_type,
                        file.datablock,
                        str(file.path),
                        str(file.blend_file),
                    )
                    for file in event.missing_files
                ]
                job.unbaked = [
                    UnbakedSimulation(one.datablock_type, one.datablock, one.simulation)
                    for one in event.unbaked
                ]
                job.other_blender = event.other_blender
                self._end(JobState.CONCERNS)
            case "NotSplit":
                job.notice(not_split_text(event.obstacle))
            case "Uploading":
                upload = event.progress
                job.status = upload_text(upload)
                done = upload.sent_bytes + upload.skipped_bytes
                factor = done / upload.found_bytes if upload.found_bytes else 0.0
                if factor > job.factor:
                    job.trouble = ""
                job.factor = factor
            case "Trouble" | "Waking":
                job.trouble = event.message
            case "Enqueueing":
                job.status = tr(
                    "Enqueueing frames: {done} of {total}", done=event.enqueued, total=event.total
                )
                job.factor = event.enqueued / event.total if event.total else 0.0
            case "Submitted":
                job.state = JobState.RENDERING
                job.rendering_seconds = self._now()
                job.trouble = ""
                job.total = event.tasks
                job.rendered_by = event.blender
                job.factor = 0.0
                job.status = ""
                self._submission = None
                self._watch = self._farm.watch(job)
            case _:
                # Of a newer native module, and nothing that the artist waits for.
                pass

    def _on_watch(self, event: Any) -> None:
        job = self.job
        match type(event).__name__.rpartition("_")[2]:
            case "Progress":
                job.trouble = ""
                self._take_progress(event.progress)
            case "Frame":
                paths = [str(path) for path in event.paths]
                job.arrived.add(event.frame)
                if paths:
                    job.files[event.frame] = paths[0]
                self._frames.append((event.frame, paths))
            case "Refined":
                job.refined_slices, job.refined_of = event.slices, event.of
                self._refined = str(event.path)
            case "TaskFailed" if not event.retrying:
                if len(job.failures) < MAX_FAILURES:
                    job.failures = [item for item in job.failures if item.frame != event.frame]
                    job.failures.append(Failure(event.frame, event.message, event.log_tail))
            case "TaskFailed":
                job.trouble = tr(
                    "Frame {frame} is tried again: {reason}",
                    frame=event.frame,
                    reason=event.message,
                )
                job.notice(job.trouble)
            case "Trouble":
                job.trouble = event.message
            case "Lost":
                job.trouble = event.message
            case "Finished":
                self._take_progress(event.progress)
                job.trouble = ""
                self._end(end_of(event.progress))
            case _:
                pass

    def _take_progress(self, progress: Any) -> None:
        job = self.job
        job.total, job.done, job.fetched = progress.total, progress.done, progress.fetched
        job.running, job.failed, job.lost = progress.running, progress.failed, progress.lost
        job.frames, job.workers = progress.frames, progress.workers
        job.render_seconds, job.billed_seconds = progress.render_seconds, progress.billed_seconds
        job.cost_usd = progress.cost_usd
        # A frame that is tried again begins anew; a bar that runs backwards tells nobody anything.
        job.factor = max(job.factor, progress.frames / progress.total if progress.total else 0.0)
        if progress.is_cancelled and not job.state.is_over:
            job.state = JobState.CANCELLING
        elif progress.is_paused and job.state is JobState.RENDERING:
            job.state = JobState.PAUSING

    def _fail(self, error: Exception) -> None:
        self.job.error = wording.sentence(error)
        self._end(JobState.FAILED)

    def _end(self, state: JobState) -> None:
        self.job.state = state
        self.job.ended_seconds = self._now()
        self.close()


def end_of(progress: Any) -> JobState:
    """What has become of a job that is followed no more."""
    if progress.is_cancelled:
        return JobState.CANCELLED
    ended = progress.done + progress.failed + progress.lost
    return JobState.PAUSED if progress.is_paused and ended < progress.total else JobState.FINISHED
