"""A small frame through the whole farm: whether it works is known when the frame is back."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from . import (
    FarmError,
    FarmSettings,
    Job,
    JobEvent,
    Submission,
    SubmissionEvent,
    new_job_id,
)

DATA = Path(__file__).resolve().parent / "data"
SCENE = DATA / "test_frame.blend"
# What is in it: to read it takes longer than the main thread of Blender may wait.
SCENE_NAME = "Scene"
BLENDER_VERSION = (4, 2, 0)

# A worker's first start loads the image.
LIMIT_SECONDS = 600


class TestFrame:
    """Sends the frame and waits for it, a step each time that it is polled. Never waits itself."""

    # It is no test of pytest's.
    __test__ = False

    def __init__(self, settings: FarmSettings) -> None:
        self.is_over = False
        self._settings = settings
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._limit = time.monotonic() + LIMIT_SECONDS
        self._job: Job | None = None
        self._failure = ""
        self.job_id = new_job_id()
        self._submission = Submission(
            settings,
            job=self.job_id,
            blend_file=SCENE,
            as_path=SCENE,
            name="test frame",
            frames=(1, 1, 1),
            output_template="####.png",
            blender_version=BLENDER_VERSION,
            scene=SCENE_NAME,
            # It shows that a frame comes back: any Blender of the farm will do.
            allow_other_blender=True,
        )

    def poll(self) -> list[str]:
        """What there is to say since the last poll.

        Raises FarmError where the frame failed or has not come in time, or what stood in the way.
        """
        notes: list[str] = []
        if self._job is None:
            for event in self._submission.poll():
                match event:
                    case SubmissionEvent.Trouble(message) | SubmissionEvent.Waking(message):
                        notes.append(message)
                    case SubmissionEvent.Concerns():
                        raise FarmError("the test frame was not sent: install the add-on again")
                    case _:
                        pass
            if self._submission.is_over:
                self._job = Job(self._settings, self.job_id, Path(self._folder.name))
            return notes
        for event in self._job.poll():
            match event:
                case JobEvent.TaskFailed(_, _, _, _, message, _):
                    self._failure = message
                    notes.append(message)
                case JobEvent.Finished(progress):
                    self._end()
                    if progress.failed or progress.lost:
                        raise FarmError(self._failure or "the test frame was lost")
                case _:
                    pass
        if not self.is_over and time.monotonic() > self._limit:
            self._end()
            raise FarmError(
                f"the test frame has not come within {LIMIT_SECONDS} s: job {self.job_id}"
            )
        return notes

    def _end(self) -> None:
        self.is_over = True
        if self._job is not None:
            self._job.stop_watching()
        self._folder.cleanup()
