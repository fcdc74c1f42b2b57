"""The jobs of this Blender: the remembered list, and a session for each that is in motion."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..core import wording
from ..core.frame_ranges import FrameRanges
from ..core.job import JobState
from ..core.job_list import JobList
from ..core.session import Session
from ..core.translation import tr
from . import farm, images, messages, output, preferences, storage
from .administration import FarmAdministration
from .cannot_render import CannotRender
from .connection import ConnectionTest
from .errands import Errands
from .farm_jobs import FarmJobs
from .film import Films
from .frame_previews import FramePreviews
from .scene_checking import SceneChecking
from .sign_in import ArtistSignIn

if TYPE_CHECKING:
    from ..core.job import Job
    from ..core.scene_check import SceneCheck


# How often the list is written while jobs are in motion.
SAVE_EVERY_SECONDS = 2.0


class Jobs:
    """All jobs; made at the first use and let go of when the extension is disabled."""

    def __init__(self) -> None:
        self.list = JobList.load(storage.job_list())
        self.farm = farm.NativeFarm()
        self.sessions: dict[str, Session] = {}
        self.checking = SceneChecking()
        # Jobs of this session whose first frame is still to come: no other opens an editor.
        self._unshown: set[str] = set()
        self.films = Films()
        self._threads = ThreadPoolExecutor(3, "render-on-lambda")
        self._errands = Errands(self._threads)
        self.connection = ConnectionTest(self._errands)
        self.on_farm = FarmJobs(self._errands)
        self.administration = FarmAdministration(self._errands)
        self.signing_in = ArtistSignIn(self._errands)
        self._previews = FramePreviews(self._threads)
        self._saved_seconds = 0.0

    @property
    def scene_check(self) -> SceneCheck | None:
        """The check of the open scene, where there is one."""
        return self.checking.current

    def start(self, job: Job) -> None:
        """Take a new job on."""
        self.list.add(job)
        self._unshown.add(job.id)
        self._open(job)
        self.list.save()

    def resume(self) -> None:
        """Go on with the jobs that were in motion when Blender was closed."""
        if not bpy.app.online_access:
            return
        for job in self.list.jobs:
            if not job.state.is_over and job.id not in self.sessions:
                self._open(job)

    def current_job(self, blend_file: str) -> Job | None:
        """The last job of a file, or one of another that is at work."""
        for job in reversed(self.list.jobs):
            if job.is_of(blend_file) or not job.state.is_over:
                return job
        return None

    def farm_is_missing(self) -> bool:
        """Whether nothing has shown yet that there is a farm."""
        is_known = self.connection.answer.is_good or self.administration.has_farm
        return not is_known and not any(job.total for job in self.list.jobs)

    def again(self, job: Job, *, anyway: bool = False) -> None:
        """Submit a job again; anyway: although files are missing or simulations are not baked."""
        # What was in the way may have been the farm that was set.
        job.begin_again(preferences.address(), anyway=anyway)
        self._open(job)
        self.list.save()

    def watch_again(self, job: Job) -> None:
        """Go on with a job that the farm has, after what was in the way is mended."""
        job.state, job.error, job.trouble = JobState.RENDERING, "", ""
        job.farm = replace(job.farm, profile=preferences.address().profile)
        self._open(job)
        self.list.save()

    def retry(self, job: Job) -> None:
        """Have frames rendered again that failed or were lost, and watch the job."""
        job.retry = "missing" if job.lost else "failed"
        job.failures, job.failed, job.lost, job.factor = [], 0, 0, 0.0
        self.watch_again(job)

    def change_folder(self, job: Job, folder: str) -> None:
        """Have the frames of a job come into another folder, those too that have come already.

        Raises OSError where it cannot be written to.
        """
        try:
            output.check_folder(Path(folder))
        except CannotRender as error:
            raise OSError(str(error)) from error
        job.output_folder, job.files, job.arrived = folder, {}, FrameRanges()
        session = self.sessions.pop(job.id, None)
        if session is not None:
            session.close()
        if job.total:
            self.watch_again(job)

    def cancel(self, job: Job) -> None:
        """Stop a job: one that nobody follows too, as long as the farm has it."""
        session = self.sessions.get(job.id)
        if session is not None:
            session.cancel()
        elif job.total:
            self._errands.send(
                f"cancel {job.id}",
                lambda: self.farm.cancel(job),
                lambda _, error: self._end(job, JobState.CANCELLED, error),
            )
        self._save()

    def pause(self, job: Job) -> None:
        """Have no frame of a job begun any more."""
        session = self.sessions.get(job.id)
        if session is not None:
            session.pause()
        self._save()

    def go_on(self, job: Job) -> None:
        """Let a job go on that is paused."""
        job.retry, job.factor = "missing", 0.0
        self.watch_again(job)

    def attach(self, job_id: str, folder: Path) -> Job:
        """Follow a job of the farm that this Blender does not know; its frames go into a folder.

        Raises CannotRender where it does, or where the farm has not told of it.
        """
        listed = self.on_farm.find(job_id)
        if listed is None:
            raise CannotRender(tr("Choose a job of the list first"))
        if self.list.find(job_id) is not None:
            raise CannotRender(tr("{name} is in the list of jobs already", name=listed.name))
        job = self.on_farm.job(listed, folder)
        self.list.add(job)
        self.watch_again(job)
        return job

    def remove(self, job: Job, *, with_data: bool = False) -> None:
        """Take a job off the list; its frames on this machine stay.

        with_data: what the farm has of it is deleted first.
        """
        session = self.sessions.pop(job.id, None)
        if session is not None:
            session.close()
        if with_data and job.total:
            job.trouble = tr("Deleting it from the farm")
            self._errands.send(
                f"remove {job.id}",
                lambda: self.farm.remove(job),
                lambda _, error: self._removed(job, error),
            )
            return
        storage.discard(job)
        self.list.remove(job.id)
        self._save()

    def is_being_removed(self, job: Job) -> bool:
        """Whether the farm is deleting what it has of a job."""
        return self._errands.is_out(f"remove {job.id}")

    def poll(self) -> bool:
        """Move every job on by a step; whether anything changed. Never waits."""
        changed = self.connection.poll() | self._errands.poll() | self.administration.poll()
        changed |= self.signing_in.poll()
        if self.films.poll():
            changed = True
            self._save()
        changed |= self.checking.poll()
        for job, path in self._previews.take():
            self._show(job, path)
        for job_id, session in list(self.sessions.items()):
            before = session.job.state
            if not session.poll() and not session.job.state.is_over:
                continue
            changed = True
            arrived = [paths for _, paths in session.take_frames() if paths]
            # Those of another file are fetched, and nothing of them comes into this one.
            is_here = session.job.is_of(bpy.data.filepath)
            if is_here and not bpy.app.background:
                if refined := session.take_refined():
                    self._show(session.job, refined)
                if arrived:
                    self._previews.ask(session.job, arrived[-1][0])
            if session.job.state.is_over:
                del self.sessions[job_id]
                self._ended(session.job)
            elif session.job.state is not before:
                self._save()
                if before is JobState.SUBMITTING:
                    # Only now: a list that still said "submitting" would look for the copy.
                    storage.discard_scene_copy(session.job)
            elif time.monotonic() - self._saved_seconds > SAVE_EVERY_SECONDS:
                self._save()
        return changed

    def close(self) -> None:
        """Let go of every job; on the farm they go on."""
        self.checking.forget()
        for session in self.sessions.values():
            session.close()
        self.sessions.clear()
        self.films.close()
        self._threads.shutdown(wait=False)

    def _open(self, job: Job) -> None:
        images.begin_reading()
        self.sessions[job.id] = Session(job, self.farm)

    def _ended(self, job: Job) -> None:
        self._unshown.discard(job.id)
        self._previews.forget(job)
        # What the farm has not got may be sent once more.
        if job.state is not JobState.CONCERNS and (job.total or job.state is not JobState.FAILED):
            storage.discard_scene_copy(job)
        if job.files and job.is_of(bpy.data.filepath):
            images.show_sequence(job)
        messages.tell_end(job)
        self._save()

    def _show(self, job: Job, path: str) -> None:
        if job.state.is_over or not job.is_of(bpy.data.filepath):
            return
        if job.id in self._unshown:
            self._unshown.discard(job.id)
            images.open_viewer(job, path)
        images.show_frame(job, path)

    def _save(self) -> None:
        self._saved_seconds = time.monotonic()
        try:
            self.list.save()
        except OSError as error:
            # The job goes on; only after a restart would it not be found.
            print(f"Render on Lambda: the list of jobs cannot be saved: {error}")

    def _end(self, job: Job, state: JobState, error: BaseException | None) -> None:
        """Take note that a job has come to an end that nobody has followed, or why it has not."""
        if error is None:
            job.state, job.error = state, ""
        else:
            job.error = wording.sentence(error)
        self._save()

    def _removed(self, job: Job, error: BaseException | None) -> None:
        job.trouble = ""
        if error is None:
            self.remove(job)
        else:
            job.notice(wording.sentence(error))
            self._save()


class _Holder:
    """Holds the jobs between calls of Blender: its classes have no place of their own for them."""

    jobs: Jobs | None = None


def jobs() -> Jobs:
    """The jobs of this Blender."""
    if _Holder.jobs is None:
        _Holder.jobs = Jobs()
    return _Holder.jobs


def close() -> None:
    """Let go of everything."""
    if _Holder.jobs is not None:
        _Holder.jobs.close()
    _Holder.jobs = None
