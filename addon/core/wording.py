"""What the add-on says, in the artist's words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .estimate import cost_at_end, seconds_left
from .job import Job, JobState
from .text_width import width
from .translation import count_text, tr

if TYPE_CHECKING:
    from .estimate import Estimate


# What becomes of a movie.
MOVIE = "The frames of a movie come back as PNG; Make Movie joins them once they are there"


def duration_text(seconds: float) -> str:
    """A duration: "8 s", "3:05 min", "2:10 h"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02} min"
    return f"{minutes // 60}:{minutes % 60:02} h"


def cost_text(dollars: float) -> str:
    """A price: "$0.31"; below a cent with as many digits as it takes, at least $0.0001."""
    if dollars >= 0.01 or dollars == 0:
        return f"${dollars:.2f}"
    return f"${max(dollars, 0.0001):.2g}"


def frames_text(job: Job) -> str:
    """The frames of a job: "frame 7", "frames 1-24"."""
    if job.frame_first == job.frame_last:
        return tr("frame {frame}", frame=job.frame_first)
    ends = {"first": job.frame_first, "last": job.frame_last}
    if job.frame_step == 1:
        return tr("frames {first}-{last}", **ends)
    return tr("frames {first}-{last} every {step}", **ends, step=job.frame_step)


# From how many frames on the artist is asked once more.
MANY_FRAMES = 500


def overwrites_job_text(job: Job) -> str:
    """That a job which is at work writes the same files."""
    return tr(
        "The job {name} is still rendering into the same files. Render all the same?", name=job.name
    )


def question_text(count: int, there: int, folder: str, expected: Estimate | None) -> str:
    """What is asked before many frames, or before files are replaced that are not ours; or nothing.

    there: how many of the frames are there already.
    """
    parts: list[str] = []
    if there:
        text = "{count} frames are in {folder} already and will be replaced."
        if there == 1:
            text = "1 frame is in {folder} already and will be replaced."
        parts.append(tr(text, count=there, folder=folder))
    if count >= MANY_FRAMES:
        parts.append(tr("{count} frames will be rendered.", count=count))
    if parts and expected:
        parts.append(estimate_text(expected) + ".")
    return " ".join(parts)


def estimate_text(estimated: Estimate) -> str:
    """What a job would take: "About 2:10 min and $0.31, going by the last job"."""
    return tr(
        "About {duration} and {cost}, going by the last job",
        duration=duration_text(estimated.seconds),
        cost=cost_text(estimated.cost_usd),
    )


def left_text(job: Job, now: float) -> str:
    """What is left: "1:20 min left, about $0.31 in all"; empty where nobody knows yet."""
    left, cost = seconds_left(job, now), cost_at_end(job)
    if job.state is not JobState.RENDERING or left is None or cost is None:
        return ""
    return tr(
        "{duration} left, about {cost} in all",
        duration=duration_text(left),
        cost=cost_text(cost),
    )


def time_text(seconds: float, now: float) -> str:
    """A time of the clock: "14:05", "Nov 25, 14:05"."""
    began = time.localtime(seconds)
    is_today = time.localtime(now)[:3] == began[:3]
    return time.strftime("%H:%M" if is_today else "%b %d, %H:%M", began)


def when_text(job: Job, now: float) -> str:
    """How long a job still takes where that is known, else when it was begun."""
    left = seconds_left(job, now) if job.state is JobState.RENDERING else None
    if left is None:
        return time_text(job.started_seconds, now)
    return tr("{duration} left", duration=duration_text(left))


def short_path(path: str, characters: int) -> str:
    """A path that fits: what is cut is its beginning, which tells least."""
    return path if len(path) <= characters else "…" + path[len(path) - max(1, characters - 1) :]


def sentence(error: BaseException) -> str:
    """What an exception says, as a person would write it; its kind where it says nothing."""
    text = str(error) or type(error).__name__
    return text[:1].upper() + text[1:]


def first_line(text: str, characters: int) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    while width(line) > characters and len(line) > 1:
        line = line.removesuffix("…")[:-1] + "…"
    return line


def counts_text(job: Job) -> str:
    """How far a job is, in a few letters: "12/24", "22/24, 2 failed"."""
    bad = job.failed + job.lost
    text = f"{job.fetched}/{job.total or job.frame_count}"
    return f"{text}, {failed_text(bad)}" if bad else text


def failed_text(count: int) -> str:
    """How many frames failed: "2 failed"."""
    return tr("{count} failed", count=count)


def report_text(job: Job) -> str:
    """All that is known of a job, for whoever can help. No secret is in it."""
    lines = [
        f"Job {job.id}: {job.name}, {frames_text(job)}",
        f"Started {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(job.started_seconds))}",
        f"File: {job.as_path}, scene {job.scene}, Blender {version_text(job.blender_version)}",
        f"Farm: stack {job.farm.stack}, region {job.farm.region or 'of the profile'}",
        f"Output: {job.output_folder}, {job.output_template}",
        f"State: {job.state.value}. {summary_text(job) if job.state.is_over else job.trouble}",
        *job.notices,
        *(f"Missing: {one.datablock_type} {one.datablock}: {one.path}" for one in job.missing),
        *(f"Not baked: {one.datablock}: {one.simulation}" for one in job.unbaked),
    ]
    for failure in job.failures:
        lines += [f"Frame {failure.frame}: {failure.message}", failure.log_tail]
    return "\n".join(lines).strip() + "\n"


def version_text(version: tuple[int, ...]) -> str:
    """A version of Blender: "5.2.3"."""
    return ".".join(map(str, version))


def progress_text(job: Job) -> str:
    """One line for a job at work."""
    if job.state is JobState.SUBMITTING:
        return job.status or tr("Starting")
    if job.state is JobState.CANCELLING:
        return tr("Cancelling: {frames} still at work", frames=count_text(job.running, "frame"))
    if job.state is JobState.PAUSING:
        return tr("Pausing: {frames} still at work", frames=count_text(job.running, "frame"))
    frames = count_text(job.total, "frame")
    if job.refined_of and not job.done:
        return tiles_text(job)
    if job.total and not job.running and not job.done:
        return tr("Waiting for workers: {frames}", frames=frames)
    return tr(
        "{done} of {frames}, {running} at work",
        done=job.fetched,
        frames=frames,
        running=job.running,
    )


def tiles_text(job: Job) -> str:
    """How much of an image is there that many workers render."""
    return tr("{done} of {count} tiles", done=job.refined_slices, count=job.refined_of)


def summary_text(job: Job) -> str:
    """One line for a job that is over."""
    if job.state is JobState.FAILED:
        return job.error
    if job.state is JobState.CONCERNS:
        return concerns_text(job)
    took = duration_text(job.ended_seconds - job.started_seconds)
    cost = tr("{duration}, about {cost} on Lambda", duration=took, cost=cost_text(job.cost_usd))
    if job.state is JobState.CANCELLED and job.refined_of and not job.fetched:
        # What tiles have cost stands in their frame's record, which never came.
        return tr("Cancelled with {tiles} ({cost})", tiles=tiles_text(job), cost=took)
    counts = {"done": job.fetched, "frames": count_text(job.total, "frame"), "cost": cost}
    if job.state is JobState.CANCELLED:
        return tr("Cancelled with {done} of {frames} ({cost})", **counts)
    if job.state is JobState.PAUSED:
        return tr("Paused with {done} of {frames} ({cost})", **counts)
    fetched = count_text(job.fetched, "frame")
    if job.failed or job.lost:
        parts = [fetched, failed_text(job.failed) if job.failed else ""]
        if job.lost:
            lost = "{count} lost: no worker has them and the queue is empty"
            parts.append(tr(lost, count=job.lost))
        return f"{', '.join(filter(None, parts))} ({cost})"
    return tr("{frames} in {cost}", frames=fetched, cost=cost)


def kept_text(count: int) -> str:
    """That frames are not rendered because they are there."""
    text = "{count} frames are there and are kept: Overwrite is off in the Output properties"
    if count == 1:
        text = "1 frame is there already and is kept: Overwrite is off in the Output properties"
    return tr(text, count=count)


def some_text(names: list[str]) -> str:
    """The first of some names, and how many more: "rig_ui.py and 2 more"."""
    more = len(names) - 1
    return tr("{name} and {count} more", name=names[0], count=more) if more else names[0]


def foreign_text(add_on: str, nodes: list[str]) -> str:
    """That nodes are of an add-on that the farm does not have."""
    return tr(
        'The farm has no add-on "{add_on}", and leaves out its nodes: {nodes}',
        add_on=add_on,
        nodes=some_text(nodes),
    )


def silent_text(names: list[str]) -> str:
    """That texts run when the artist's Blender opens the file, and on the farm do not."""
    return tr(
        "Texts with Register do not run on the farm: {names}. Tick Run Scripts if frames depend on"
        " them",
        names=some_text(names),
    )


def concerns_text(job: Job) -> str:
    """Why the frames would differ from F12's: "2 files are missing, 1 simulation is not baked"."""
    files, simulations = len(job.missing), len(job.unbaked)
    parts: list[str] = []
    if files:
        text = "1 file is missing" if files == 1 else "{count} files are missing"
        parts.append(tr(text, count=files))
    if simulations:
        text = "{count} simulations are not baked"
        text = "1 simulation is not baked" if simulations == 1 else text
        parts.append(tr(text, count=simulations))
    if job.other_blender:
        parts.append(other_blender_text(job.other_blender, job.blender_version[:2]))
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def other_blender_text(farm: tuple[int, int], ours: tuple[int, int]) -> str:
    """That the farm has another Blender; begins small, to stand among other concerns."""
    return tr(
        "the farm renders with Blender {farm}, this is {ours}, and pictures may differ",
        farm=version_text(farm),
        ours=version_text(ours),
    )
