"""What the add-on says, in the artist's words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from .estimate import cost_at_end, seconds_left
from .job import Job, JobState

if TYPE_CHECKING:
    from .estimate import Estimate


class UploadProgress(Protocol):
    """What a line about an upload needs of the native UploadProgress."""

    @property
    def found_files(self) -> int: ...
    @property
    def found_bytes(self) -> int: ...
    @property
    def hashed_files(self) -> int: ...
    @property
    def skipped_files(self) -> int: ...
    @property
    def skipped_bytes(self) -> int: ...
    @property
    def sent_bytes(self) -> int: ...
    @property
    def bytes_per_second(self) -> float: ...
    @property
    def seconds_left(self) -> float | None: ...


# What becomes of a movie.
MOVIE = "The frames of a movie come back as PNG; Make Movie joins them once they are there"


def bytes_text(count: int) -> str:
    """A count of bytes: "830 KB", "1.2 GB"."""
    size = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit in ("bytes", "KB") else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def count_text(count: int, thing: str) -> str:
    """A count of things: "1 frame", "24 frames"."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


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
    """A price: "$0.31"; below a cent with as many digits as it takes."""
    if dollars >= 0.01 or dollars == 0:
        return f"${dollars:.2f}"
    return f"${dollars:.2g}" if dollars >= 0.0001 else "less than $0.0001"


def frames_text(job: Job) -> str:
    """The frames of a job: "frame 7", "frames 1-24"."""
    if job.frame_first == job.frame_last:
        return f"frame {job.frame_first}"
    step = f" every {job.frame_step}" if job.frame_step > 1 else ""
    return f"frames {job.frame_first}-{job.frame_last}{step}"


# From how many frames on the artist is asked once more.
MANY_FRAMES = 500


def overwrites_job_text(job: Job) -> str:
    """That a job which is at work writes the same files."""
    return f"The job {job.name} is still rendering into the same files. Render all the same?"


def question_text(count: int, there: int, folder: str, expected: Estimate | None) -> str:
    """What is asked before many frames, or before files are replaced that are not ours; or nothing.

    there: how many of the frames are there already.
    """
    parts = []
    if there:
        are = "1 frame is" if there == 1 else f"{there} frames are"
        parts.append(f"{are} in {folder} already and will be replaced.")
    if count >= MANY_FRAMES:
        parts.append(f"{count} frames will be rendered.")
    if parts and expected:
        parts.append(estimate_text(expected) + ".")
    return " ".join(parts)


def estimate_text(estimated: Estimate) -> str:
    """What a job would take: "About 2:10 min and $0.31, going by the last job"."""
    cost = cost_text(estimated.cost_usd)
    return f"About {duration_text(estimated.seconds)} and {cost}, going by the last job"


def left_text(job: Job, now: float) -> str:
    """What is left: "1:20 min left, about $0.31 in all"; empty where nobody knows yet."""
    left, cost = seconds_left(job, now), cost_at_end(job)
    if job.state is not JobState.RENDERING or left is None or cost is None:
        return ""
    return f"{duration_text(left)} left, about {cost_text(cost)} in all"


def when_text(job: Job, now: float) -> str:
    """When a job was started."""
    return time_text(job.started_seconds, now)


def time_text(seconds: float, now: float) -> str:
    """A time of the clock: "14:05", "Nov 25, 14:05"."""
    began = time.localtime(seconds)
    is_today = time.localtime(now)[:3] == began[:3]
    return time.strftime("%H:%M" if is_today else "%b %d, %H:%M", began)


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
    return line if len(line) <= characters else line[: max(1, characters - 1)] + "…"


def counts_text(job: Job) -> str:
    """How far a job is, in a few letters: "12/24", "22/24, 2 failed"."""
    bad = job.failed + job.lost
    text = f"{job.fetched}/{job.total or job.frame_count}"
    return f"{text}, {bad} failed" if bad else text


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


def version_text(version: tuple[int, int, int]) -> str:
    """A version of Blender: "5.2.3"."""
    return ".".join(map(str, version))


def progress_text(job: Job) -> str:
    """One line for a job at work."""
    if job.state is JobState.SUBMITTING:
        return job.status or "Starting"
    if job.state in (JobState.CANCELLING, JobState.PAUSING):
        doing = "Cancelling" if job.state is JobState.CANCELLING else "Pausing"
        return f"{doing}: {count_text(job.running, 'frame')} still at work"
    if job.total and not job.running and not job.done:
        return f"Waiting for workers: {count_text(job.total, 'frame')}"
    return f"{job.fetched} of {count_text(job.total, 'frame')}, {job.running} at work"


def summary_text(job: Job) -> str:
    """One line for a job that is over."""
    if job.state is JobState.FAILED:
        return job.error
    if job.state is JobState.CONCERNS:
        return concerns_text(job)
    took = duration_text(job.ended_seconds - job.started_seconds)
    cost = f"{took}, about {cost_text(job.cost_usd)} on Lambda"
    if job.state in (JobState.CANCELLED, JobState.PAUSED):
        what = "Cancelled" if job.state is JobState.CANCELLED else "Paused"
        return f"{what} with {job.fetched} of {count_text(job.total, 'frame')} ({cost})"
    if job.failed or job.lost:
        counts = [count_text(job.fetched, "frame")]
        counts += [f"{job.failed} failed"] if job.failed else []
        counts += (
            [f"{job.lost} lost: no worker has them and the queue is empty"] if job.lost else []
        )
        return f"{', '.join(counts)} ({cost})"
    return f"{count_text(job.fetched, 'frame')} in {cost}"


def kept_text(count: int) -> str:
    """That frames are not rendered because they are there."""
    are = "1 frame is there already and is" if count == 1 else f"{count} frames are there and are"
    return f"{are} kept: Overwrite is off in the Output properties"


def foreign_text(add_on: str, nodes: list[str]) -> str:
    """That nodes are of an add-on that the farm does not have."""
    more = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
    return f'The farm has no add-on "{add_on}": it leaves out the node "{nodes[0]}"{more}'


def silent_text(names: list[str]) -> str:
    """That texts run when the artist's Blender opens the file, and on the farm do not."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return (
        f'The text "{names[0]}"{more} has Register and does not run on the farm:'
        " tick Run Scripts if frames depend on it"
    )


def concerns_text(job: Job) -> str:
    """Why the frames would differ from F12's: "2 files are missing, 1 simulation is not baked"."""
    files, simulations = len(job.missing), len(job.unbaked)
    parts = []
    if files:
        parts.append(f"{count_text(files, 'file')} {'is' if files == 1 else 'are'} missing")
    if simulations:
        what = "simulation is" if simulations == 1 else "simulations are"
        parts.append(f"{simulations} {what} not baked")
    return ", ".join(parts)


def upload_text(upload: UploadProgress) -> str:
    """One line for an upload: what it does now, how fast, how long still."""
    done = upload.sent_bytes + upload.skipped_bytes
    if upload.found_files and upload.skipped_files == upload.found_files:
        if upload.found_files == 1:
            return "Nothing to upload: the file is there"
        return f"Nothing to upload: all {upload.found_files} files are there"
    if not upload.sent_bytes and upload.hashed_files < upload.found_files:
        return (
            f"Reading {upload.hashed_files} of {count_text(upload.found_files, 'file')},"
            f" {bytes_text(upload.found_bytes)}"
        )
    text = f"Uploading {bytes_text(upload.sent_bytes)}"
    text += f" of {bytes_text(upload.found_bytes - upload.skipped_bytes)}"
    if upload.skipped_bytes:
        text += f", {bytes_text(upload.skipped_bytes)} were there"
    if upload.bytes_per_second and done < upload.found_bytes:
        text += f", {bytes_text(round(upload.bytes_per_second))}/s"
        if upload.seconds_left is not None:
            text += f", {duration_text(upload.seconds_left)} left"
    return text
