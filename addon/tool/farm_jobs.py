"""The jobs of the farm, whoever has sent them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..core import wording
from ..core.job import Job
from ..core.translation import tr
from . import farm, preferences

if TYPE_CHECKING:
    import render_on_lambda as native

    from ..core.job import FarmAddress
    from .errands import Errands


class FarmJobs:
    """The newest jobs in the bucket, once they were asked for."""

    def __init__(self, errands: Errands) -> None:
        self.listed: list[native.ListedJob] = []
        self.text = ""
        self.is_bad = False
        self._farm: FarmAddress | None = None
        self._errands = errands

    @property
    def is_waiting(self) -> bool:
        """Whether the farm has not answered yet."""
        return self._errands.is_out("list")

    def refresh(self) -> None:
        """Ask the farm."""
        address = preferences.address()
        self.text, self.is_bad = tr("Asking the farm"), False
        self._errands.send(
            "list",
            lambda: farm.list_jobs(address),
            lambda listed, error: self._take(address, listed, error),
        )

    def find(self, job_id: str) -> native.ListedJob | None:
        """The job of that id."""
        return next((job for job in self.listed if job.id == job_id), None)

    def job(self, listed: native.ListedJob, folder: Path) -> Job:
        """A job of the farm as this Blender remembers its own; its frames go into a folder."""
        first, last, step = listed.frames
        return Job(
            id=listed.id,
            name=listed.name,
            farm=self._farm or preferences.address(),
            blend_file="",
            as_path=listed.name,
            scene=listed.scene or "",
            frame_first=first,
            frame_last=last,
            frame_step=step,
            output_folder=str(folder),
            output_template=listed.output_template,
            blender_version=listed.blender_version,
            started_seconds=listed.created_ms / 1000,
            total=listed.progress.total,
        )

    def _take(
        self,
        address: FarmAddress,
        listed: list[native.ListedJob] | None,
        error: BaseException | None,
    ) -> None:
        self._farm = address
        self.listed = listed or []
        self.is_bad = error is not None
        if error is not None:
            self.text = wording.sentence(error)
        else:
            self.text = "" if self.listed else tr("The farm has no jobs")
