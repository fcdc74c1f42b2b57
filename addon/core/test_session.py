"""A session turns the native module's events into the states of a job."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from core import wording
from core.job import FarmAddress, Job, JobState
from core.session import Session


def event(kind: str, **values: Any) -> Any:
    """An event as the native module names its class: SubmissionEvent_Tracing."""
    return type(f"Event_{kind}", (), values)()


def progress(**values: Any) -> Any:
    """The native Progress."""
    names = "total done fetched running failed cancelled lost frames workers"
    zeros = dict.fromkeys([*names.split(), "render_seconds", "billed_seconds", "cost_usd"], 0)
    return SimpleNamespace(**(zeros | {"is_cancelled": False, "is_paused": False} | values))


@dataclass
class Scripted:
    """Stands for a native Submission or Job: gives out what it was told."""

    batches: list[Any] = field(default_factory=list)
    was_stopped: bool = False
    was_cancelled: bool = False
    was_paused: bool = False

    def poll(self) -> list[Any]:
        batch: Any = self.batches.pop(0) if self.batches else []
        if isinstance(batch, Exception):
            raise batch
        return batch

    def stop(self) -> None:
        self.was_stopped = True

    stop_watching = stop

    def cancel(self) -> None:
        self.was_cancelled = True

    def pause(self) -> None:
        self.was_paused = True


@dataclass
class ScriptedFarm:
    """Stands for tool/farm.py."""

    submission: Scripted = field(default_factory=Scripted)
    watching: Scripted = field(default_factory=Scripted)

    def submit(self, _job: Job) -> Scripted:
        return self.submission

    def watch(self, _job: Job) -> Scripted:
        return self.watching


def job(**values: Any) -> Job:
    """A job of 24 frames."""
    usual: dict[str, Any] = {
        "id": "0190a5d4-7c6e-7000-8000-000000000000",
        "name": "shot",
        "farm": FarmAddress("stack"),
        "blend_file": "/tmp/scene.blend",
        "as_path": "/show/shot.blend",
        "scene": "Scene",
        "frame_first": 1,
        "frame_last": 24,
        "frame_step": 1,
        "output_folder": "/show/render",
        "output_template": "shot_####",
        "blender_version": (5, 2, 3),
    }
    return Job(**(usual | values))


SUBMITTED = event("Submitted", job="x", tasks=24, missing_files=0, blender=(5, 2))


def test_a_job_goes_from_submitting_through_rendering_to_finished() -> None:
    farm = ScriptedFarm(
        Scripted([[event("Tracing", path=Path("/show/shot.blend"))], [SUBMITTED]]),
        Scripted(
            [
                [event("Progress", progress=progress(total=24, running=2, frames=0.5))],
                [event("Frame", frame=3, paths=[Path("/show/render/shot_0003.png")])],
                [event("Finished", progress=progress(total=24, done=24, fetched=24))],
            ]
        ),
    )
    session = Session(job(), farm, now=lambda: 100.0)
    states = [session.job.state]
    for _ in range(5):
        session.poll()
        states.append(session.job.state)
    assert states == [JobState.SUBMITTING] * 2 + [JobState.RENDERING] * 3 + [JobState.FINISHED]
    assert session.take_frames() == [(3, ["/show/render/shot_0003.png"])]
    assert session.take_frames() == []
    assert session.job.files == {3: "/show/render/shot_0003.png"}


def test_an_error_is_the_jobs_sentence_and_ends_it() -> None:
    farm = ScriptedFarm(Scripted([ConnectionError("cannot reach AWS to find the stack: refused")]))
    session = Session(job(), farm)
    assert session.poll()
    assert session.job.state is JobState.FAILED
    assert session.job.error == "Cannot reach AWS to find the stack: refused"
    assert farm.submission.was_stopped


def test_what_would_look_wrong_ends_the_submission_with_its_names() -> None:
    file = SimpleNamespace(
        kind="image",
        datablock_type="Image",
        datablock="wood.png",
        path=Path("/show/wood.png"),
        blend_file=Path("/show/shot.blend"),
    )
    cloth = SimpleNamespace(datablock_type="Object", datablock="Flag", simulation="cloth")
    concerns = event("Concerns", missing_files=[file], unbaked=[cloth], other_blender=None)
    session = Session(job(), ScriptedFarm(Scripted([[concerns]])))
    session.poll()
    assert session.job.state is JobState.CONCERNS
    assert session.job.missing[0].datablock == "wood.png"
    assert session.job.unbaked[0].datablock == "Flag"
    assert wording.summary_text(session.job) == "1 file is missing, 1 simulation is not baked"
    assert Job.from_json(session.job.to_json()).unbaked == session.job.unbaked


def test_another_blender_than_the_artists_is_told_before_anything_is_sent() -> None:
    concerns = event("Concerns", missing_files=[], unbaked=[], other_blender=(5, 2))
    session = Session(
        replace(job(), blender_version=(4, 5, 3)), ScriptedFarm(Scripted([[concerns]]))
    )
    session.poll()
    assert session.job.state is JobState.CONCERNS
    assert wording.summary_text(session.job) == (
        "The farm renders with Blender 5.2, this is 4.5, and pictures may differ"
    )
    assert Job.from_json(json.loads(json.dumps(session.job.to_json()))) == session.job


def test_who_agrees_to_missing_files_has_not_agreed_to_another_blender() -> None:
    one = job()
    one.begin_again(one.farm, anyway=True)
    assert one.render_anyway and not one.may_use_other_blender
    one.other_blender = (5, 2)
    one.begin_again(one.farm, anyway=False)
    assert not one.may_use_other_blender and one.other_blender is None
    one.other_blender = (5, 2)
    one.begin_again(one.farm, anyway=True)
    assert one.may_use_other_blender


def test_a_frame_that_fails_twice_is_listed_once_with_its_last_words() -> None:
    def failed(try_number: int, retrying: bool, message: str) -> Any:
        values = {"failure_class": "machine", "log_tail": "log", "message": message}
        return event("TaskFailed", frame=7, try_number=try_number, retrying=retrying, **values)

    watching = Scripted([[failed(1, True, "a crash")], [failed(2, False, "another crash")]])
    session = Session(job(state=JobState.RENDERING), ScriptedFarm(watching=watching))
    session.poll()
    assert session.job.trouble == "Frame 7 is tried again: a crash"
    assert session.job.failures == []
    session.poll()
    assert [item.message for item in session.job.failures] == ["another crash"]


def test_a_bar_never_runs_backwards_and_what_was_tried_again_stays_told() -> None:
    def at(frames: float) -> Any:
        return event("Progress", progress=progress(total=24, running=2, frames=frames))

    values = {"failure_class": "machine", "log_tail": "", "message": "out of memory"}
    again = event("TaskFailed", frame=7, try_number=1, retrying=True, **values)
    session = Session(
        job(state=JobState.RENDERING), ScriptedFarm(watching=Scripted([[at(12)], [again], [at(6)]]))
    )
    for _ in range(3):
        session.poll()
    assert session.job.factor == 0.5
    assert session.job.trouble == ""
    assert session.job.notices == ["Frame 7 is tried again: out of memory"]


def test_cancelling_waits_for_the_workers_while_rendering_and_is_at_once_before() -> None:
    farm = ScriptedFarm()
    before = Session(job(), farm)
    before.cancel()
    assert before.job.state is JobState.CANCELLED and farm.submission.was_stopped
    while_rendering = Session(job(state=JobState.RENDERING), farm)
    while_rendering.cancel()
    assert while_rendering.job.state is JobState.CANCELLING and farm.watching.was_cancelled


def test_lost_frames_are_counted_and_asked_for_once() -> None:
    lost = event("Lost", frames=[3], message="1 of 24 frames will not be rendered")
    end = event("Finished", progress=progress(total=24, done=23, fetched=23, lost=1))
    session = Session(
        job(state=JobState.RENDERING, retry="missing"),
        ScriptedFarm(watching=Scripted([[lost], [end]])),
    )
    assert session.job.retry is None
    session.poll()
    assert session.job.trouble == "1 of 24 frames will not be rendered"
    session.poll()
    assert (session.job.state, session.job.lost) == (JobState.FINISHED, 1)


def test_a_job_that_is_over_is_left_alone() -> None:
    session = Session(job(state=JobState.FINISHED), ScriptedFarm(Scripted([[SUBMITTED]])))
    assert not session.poll()
    assert session.job.state is JobState.FINISHED


def test_a_job_that_is_paused_waits_for_the_frames_at_work_and_then_for_the_artist() -> None:
    at_work = progress(total=24, done=3, running=2, is_paused=True)
    ended = progress(total=24, done=5, fetched=5, is_paused=True)
    watching = Scripted(
        [[event("Progress", progress=at_work)], [event("Finished", progress=ended)]]
    )
    session = Session(job(state=JobState.RENDERING, total=24), ScriptedFarm(watching=watching))
    session.pause()
    assert watching.was_paused
    session.poll()
    assert session.job.state is JobState.PAUSING
    assert wording.progress_text(session.job) == "Pausing: 2 frames still at work"
    session.poll()
    assert session.job.state is JobState.PAUSED
    assert wording.summary_text(session.job).startswith("Paused with 5 of 24 frames")


def test_a_job_that_is_paused_too_late_is_finished() -> None:
    ended = progress(total=24, done=24, fetched=24, is_paused=True)
    watching = Scripted([[event("Finished", progress=ended)]])
    session = Session(job(state=JobState.RENDERING, total=24), ScriptedFarm(watching=watching))
    session.poll()
    assert session.job.is_whole


def test_an_image_in_slices_is_told_of_as_it_comes_and_kept_where_it_is_cancelled() -> None:
    refined = [
        event("Refined", frame=1, path=Path("/cache/refining.exr"), slices=count, of=16)
        for count in (2, 5)
    ]
    farm = ScriptedFarm(
        Scripted([[SUBMITTED]]),
        Scripted(
            [
                refined,
                [event("Progress", progress=progress(total=1, running=1, frames=0.3))],
                [event("Finished", progress=progress(total=1, cancelled=1, is_cancelled=True))],
            ]
        ),
    )
    session = Session(job(is_still=True), farm)
    session.poll()
    session.poll()
    assert session.take_refined() == "/cache/refining.exr"
    assert session.take_refined() == ""
    assert wording.progress_text(session.job) == "5 of 16 tiles"
    session.poll()
    session.poll()
    assert session.job.state is JobState.CANCELLED
    summary = wording.summary_text(session.job)
    # What the tiles have cost is not known here, and nothing is said of it.
    assert summary.startswith("Cancelled with 5 of 16 tiles (") and "$" not in summary
