"""Joins the frames of a movie to the movie, by a Blender of its own beside the artist's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..core import film
from ..core.translation import tr
from . import scene, storage
from .cannot_render import CannotRender
from .film_in_blender import TOLD

if TYPE_CHECKING:
    from ..core.job import Job


class FilmMaker:
    """One Blender that joins the frames of one job."""

    def __init__(self, job: Job) -> None:
        """Begin. Raises CannotRender where a frame is not there, OSError where nothing starts."""
        files = film.frame_files(job)
        for frame, path in files.items():
            if not Path(path).exists():
                raise CannotRender(
                    tr("Frame {frame} is not there any more: {path}", frame=frame, path=path)
                )
        self.job = job
        self._folder = storage.film(job.id)
        copy = self._folder / "scene.blend"
        scene.save_copy(copy)
        settings = self._folder / "settings.json"
        first, last = min(files), max(files)
        output = str(Path(job.output_folder) / job.output_template)
        given = {"scene": job.scene, "output": output, "first": first, "last": last, "files": files}
        settings.write_text(json.dumps(given), encoding="utf-8")
        self._log = self._folder / "log.txt"
        script = str(Path(__file__).with_name("film_in_blender.py"))
        arguments = [str(copy), str(settings)]
        # Blender as a module has no program of its own: the Python that runs it is one.
        if bpy.app.binary_path:
            command = [bpy.app.binary_path, "--background", "--factory-startup", "--python", script]
            command += ["--", *arguments]
        else:
            command = [sys.executable, script, *arguments]
        with self._log.open("wb") as log:
            self._blender = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def poll(self) -> str | None:
        """What came of it, once it is over; None until then. Never waits."""
        if self._blender.poll() is None:
            return None
        log = self._log.read_text(encoding="utf-8", errors="replace")
        self.close()
        told = [line for line in log.splitlines() if line.startswith(TOLD)]
        if told:
            return tr("The movie is made: {path}", path=told[-1].removeprefix(TOLD))
        lines = [line for line in log.splitlines() if line.strip()]
        reason = lines[-1] if lines else tr("Blender said nothing")
        return tr("The movie cannot be made: {reason}", reason=reason)

    def close(self) -> None:
        """End it, and leave nothing behind but the movie."""
        if self._blender.poll() is None:
            self._blender.kill()
            self._blender.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class Films:
    """The movies that are being made."""

    def __init__(self) -> None:
        self._makers: dict[str, FilmMaker] = {}

    def begin(self, job: Job) -> None:
        """Begin to join the frames of a job; where the movie is, is a notice of the job.

        Raises CannotRender or OSError where that cannot be begun.
        """
        if job.id not in self._makers:
            self._makers[job.id] = FilmMaker(job)
            job.trouble = tr("Making the movie")

    def is_making(self, job: Job) -> bool:
        """Whether the frames of a job are being joined."""
        return job.id in self._makers

    def poll(self) -> bool:
        """Tell the jobs whose movies are made; whether there were any. Never waits."""
        over = {job_id: text for job_id, one in self._makers.items() if (text := one.poll())}
        for job_id, text in over.items():
            job = self._makers.pop(job_id).job
            job.trouble = ""
            job.notice(text)
        return bool(over)

    def close(self) -> None:
        """End all of them."""
        for maker in self._makers.values():
            maker.close()
        self._makers.clear()
