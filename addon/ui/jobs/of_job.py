"""What the operators on a job share."""

from __future__ import annotations

import bpy
from bpy.props import StringProperty
from bpy.types import Context

from ...core.job import Job
from ...core.job_actions import is_possible
from ...core.translation import tr
from ...tool import jobs, waiting


class OfJob:
    """An operator that acts on a job."""

    # Blender's own, which each operator has.
    bl_idname: str
    bl_label: str

    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def job(self) -> Job | None:
        """The job that the button belongs to."""
        found = jobs.jobs().list.find(self.job_id)
        if found is None:
            self.report({"ERROR"}, tr("There is no job {id}", id=self.job_id))
        return found

    def execute(self, _context: Context) -> set[str]:
        """Act on the job. In the background, wait for what was begun."""
        if (job := self.job()) is None:
            return {"CANCELLED"}
        # A script, and a button that was drawn a moment ago, may ask for anything.
        if not is_possible(self.bl_idname.rpartition("_OT_")[2], job):
            action = tr(self.bl_label)
            text = tr(
                "{action} is not possible for {name} as it stands", name=job.name, action=action
            )
            self.report({"WARNING"}, text)
            return {"CANCELLED"}
        self.act(job)
        return {"FINISHED"}

    def act(self, job: Job) -> None:
        """What the button does."""
        raise NotImplementedError


def wait_in_background(job: Job) -> None:
    """Where there is no window, a script has called: it wants the result."""
    if bpy.app.background:
        waiting.wait(job)
