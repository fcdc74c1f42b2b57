"""What Blender and the desktop tell the artist, wherever they look."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import bpy
import render_on_lambda as native

from ..core import wording
from ..core.job import JobState
from . import preferences

if TYPE_CHECKING:
    from ..core.job import Job


def tell(text: str, *, is_good: bool) -> None:
    """Tell it in the status bar and the Info editor, as Blender's own operators do.

    In the background there is nobody to tell.
    """
    windows = bpy.context.window_manager.windows
    if bpy.app.background or not windows:
        return
    with bpy.context.temp_override(window=windows[0]):
        bpy.ops.render_on_lambda.tell("INVOKE_DEFAULT", text=text, is_good=is_good)


def tell_end(job: Job) -> None:
    """Tell that a job is over; of one that came to its end by itself the desktop tells as well."""
    text = wording.summary_text(job)
    tell(f"{job.name}: {text}", is_good=job.is_as_wanted)
    is_by_itself = job.state in (JobState.FINISHED, JobState.FAILED)
    if is_by_itself and preferences.notifies() and not bpy.app.background:
        with suppress(OSError):
            native.notify(job.name, text)
