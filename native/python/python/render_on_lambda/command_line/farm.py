"""The commands that use the farm: submit a job, follow it, stop it, list all."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from .. import (
    FarmSettings,
    Job,
    JobEvent,
    Progress,
    Submission,
    SubmissionEvent,
    UploadProgress,
    account_limits,
    cancel_job,
    list_jobs,
    new_job_id,
    pause_job,
    remove_job,
    render_settings,
    retry_job,
)
from .local import say_missing, say_other_blender, say_unbaked
from .output import EXIT_FRAMES_FAILED, EXIT_MISSING, Reporter, count_text, size_text

if TYPE_CHECKING:
    from argparse import Namespace

_POLL_SECONDS = 0.05


def submit(arguments: Namespace, reporter: Reporter) -> int:
    """Bring a scene to the farm; with --watch, follow it to its end."""
    file: Path = arguments.file.absolute()
    settings = render_settings(file, arguments.scene)
    frames = arguments.frames or settings.frames
    job = arguments.job or new_job_id()
    submission = Submission(
        farm_settings(arguments),
        job=job,
        blend_file=file,
        as_path=file,
        name=arguments.name or file.stem,
        frames=frames,
        output_template=settings.output_template,
        blender_version=settings.blender_version,
        scene=settings.scene,
        allow_scripts=arguments.allow_scripts,
        allow_missing_files=arguments.allow_missing,
        allow_unbaked=arguments.allow_unbaked,
        allow_other_blender=arguments.allow_other_blender,
        slices=arguments.slices,
        allow_other_noise=arguments.allow_other_noise,
        keeps_files=not settings.overwrites,
    )
    # Whatever stops this now, the same job can be submitted again and goes on where it was.
    reporter.note(f"job {job}")
    if settings.is_movie:
        reporter.note("a movie cannot be made frame by frame: the frames come back as PNG")
    code = EXIT_MISSING
    while not submission.is_over:
        for event in submission.poll():
            match event:
                case SubmissionEvent.Tracing(path):
                    reporter.bar(0.0, f"Reading {path.name}")
                case SubmissionEvent.Concerns(files, unbaked, other_blender):
                    say_missing(files, reporter)
                    say_unbaked(unbaked, reporter)
                    say_other_blender(settings.blender_version, other_blender, reporter)
                case SubmissionEvent.NotSplit(_, message):
                    reporter.note(f"each frame is rendered by one worker: {message}")
                case SubmissionEvent.Uploading(progress):
                    show_upload(progress, reporter)
                case SubmissionEvent.Trouble(message) | SubmissionEvent.Waking(message):
                    reporter.note(message)
                case SubmissionEvent.Enqueueing(enqueued, total):
                    frames = count_text(total, "frame")
                    reporter.bar(enqueued / total, f"Enqueueing {enqueued} of {frames}")
                case SubmissionEvent.Submitted(job, tasks, missing_files):
                    record = {"job": job, "tasks": tasks, "missing_files": missing_files}
                    reporter.result(record, f"{job}  {count_text(tasks, 'frame')} on the farm")
                    code = 0
                case _:
                    pass
        time.sleep(_POLL_SECONDS)
    reporter.end_bar()
    if code == 0 and arguments.watch:
        arguments.job = job
        return watch(arguments, reporter)
    return code


def watch(arguments: Namespace, reporter: Reporter) -> int:
    """Follow a job to its end; its frames are fetched as they land."""
    return _follow(arguments, reporter, to_the_end=True)


def fetch(arguments: Namespace, reporter: Reporter) -> int:
    """Fetch the frames that are done by now."""
    return _follow(arguments, reporter, to_the_end=False)


def retry(arguments: Namespace, reporter: Reporter) -> int:
    """Enqueue failed frames again, with --missing those too that the queue has lost."""
    count = retry_job(farm_settings(arguments), arguments.job, missing=arguments.missing)
    record = {"job": arguments.job, "tasks": count}
    frames = count_text(count, "frame")
    reporter.result(record, f"{arguments.job}  {frames} on the farm again")
    if count and arguments.watch:
        return watch(arguments, reporter)
    return 0


def cancel(arguments: Namespace, reporter: Reporter) -> int:
    """Stop a job."""
    cancel_job(farm_settings(arguments), arguments.job)
    reporter.result({"job": arguments.job, "cancelled": True}, f"{arguments.job} is being stopped")
    return 0


def pause(arguments: Namespace, reporter: Reporter) -> int:
    """Have a job wait: no frame is begun any more."""
    is_new = pause_job(farm_settings(arguments), arguments.job)
    text = "is paused" if is_new else "was paused or cancelled before"
    reporter.result({"job": arguments.job, "paused": is_new}, f"{arguments.job} {text}")
    return 0


def resume(arguments: Namespace, reporter: Reporter) -> int:
    """Let a job go on that waits."""
    arguments.missing = True
    return retry(arguments, reporter)


def remove(arguments: Namespace, reporter: Reporter) -> int:
    """Delete a job from the bucket, with its frames there."""
    remove_job(farm_settings(arguments), arguments.job)
    text = f"{arguments.job} is deleted from the bucket"
    reporter.result({"job": arguments.job, "removed": True}, text)
    return 0


def jobs(arguments: Namespace, reporter: Reporter) -> int:
    """List the newest jobs."""
    listed = list_jobs(farm_settings(arguments), limit=arguments.limit)
    records = [
        {
            "job": item.id,
            "name": item.name,
            "created_ms": item.created_ms,
            "frames": list(item.frames),
            **_progress_record(item.progress),
        }
        for item in listed
    ]
    if arguments.json:
        reporter.result(records, "")
        return 0
    for item in listed:
        created = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.created_ms / 1000))
        reporter.result(None, f"{item.id}  {created}  {_progress_text(item.progress)}  {item.name}")
    if not listed:
        reporter.result(None, "there are no jobs in the bucket")
    return 0


def parameters(arguments: Namespace, reporter: Reporter) -> int:
    """Print the stack's parameters that suit the account, as `aws cloudformation` takes them."""
    limits = account_limits(farm_settings(arguments))
    found = {
        "ConsumerMemory": limits.consumer_memory_mib,
        "MaximumConcurrency": limits.maximum_concurrency,
        "BurstWorkers": limits.burst_workers,
    }
    if limits.is_of_a_new_account:
        reporter.note(
            f"the account may run {limits.concurrent_executions} functions at once, as new ones"
            " may; ask for more with: aws service-quotas request-service-quota-increase"
            " --service-code lambda --quota-code L-B99A9384 --desired-value 1000"
        )
    reporter.result(found, " ".join(f"{name}={value}" for name, value in found.items()))
    return 0


def farm_settings(arguments: Namespace) -> FarmSettings:
    """The farm that the options name."""
    return FarmSettings(
        arguments.stack,
        region=arguments.region,
        profile=arguments.profile,
        endpoint=arguments.endpoint,
    )


def show_upload(progress: UploadProgress, reporter: Reporter) -> None:
    """A bar for an upload."""
    done = progress.sent_bytes + progress.skipped_bytes
    text = (
        f"{count_text(progress.found_files, 'file')}: {progress.hashed_files} hashed,"
        f" {progress.skipped_files} there, {progress.sent_files} sent;"
        f" {size_text(done)} of {size_text(progress.found_bytes)}"
    )
    if progress.seconds_left is not None:
        text += f", {size_text(progress.bytes_per_second)}/s, {progress.seconds_left:.0f} s left"
    reporter.bar(done / progress.found_bytes if progress.found_bytes else 0.0, text)


def _follow(arguments: Namespace, reporter: Reporter, *, to_the_end: bool) -> int:
    job = Job(farm_settings(arguments), arguments.job, arguments.to.absolute())
    try:
        while True:
            for event in job.poll():
                match event:
                    case JobEvent.Frame(frame, paths):
                        record = {"frame": frame, "paths": [str(path) for path in paths]}
                        reporter.result(record, f"frame {frame}: {', '.join(map(str, paths))}")
                    case JobEvent.TaskFailed(frame, try_number, retrying, _, message, _):
                        again = "; it is tried again" if retrying else ""
                        reporter.note(f"frame {frame}, try {try_number}: {message}{again}")
                    case JobEvent.Trouble(message):
                        reporter.note(message)
                    case JobEvent.Lost(_, message):
                        reporter.note(f"{message}: render-on-lambda retry --missing {job.id}")
                    case JobEvent.Progress(progress):
                        reporter.bar(_factor(progress), _progress_text(progress))
                        if not to_the_end and progress.fetched == progress.done:
                            return _end(progress, reporter)
                    case JobEvent.Finished(progress):
                        return _end(progress, reporter)
                    case _:
                        pass
            time.sleep(_POLL_SECONDS)
    finally:
        job.stop_watching()


def _end(progress: Progress, reporter: Reporter) -> int:
    cost = f"about ${progress.cost_usd:.4f} on Lambda"
    reporter.result(_progress_record(progress), f"{_progress_text(progress)}, {cost}")
    return EXIT_FRAMES_FAILED if progress.failed or progress.lost else 0


def _factor(progress: Progress) -> float:
    return progress.frames / progress.total if progress.total else 0.0


def _progress_text(progress: Progress) -> str:
    text = f"{progress.done} of {count_text(progress.total, 'frame')}"
    for count, name in (
        (progress.running, "at work"),
        (progress.failed, "failed"),
        (progress.cancelled, "cancelled"),
        (progress.lost, "lost"),
    ):
        text += f", {count} {name}" if count else ""
    return text + (", paused" if progress.is_paused else "")


def _progress_record(progress: Progress) -> dict[str, object]:
    names = "total done fetched running failed cancelled lost cost_usd is_cancelled is_paused"
    return {name: getattr(progress, name) for name in names.split()}
