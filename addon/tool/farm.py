"""The native module, as the sessions of core/session.py need it. The only place that imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import render_on_lambda as native

from . import storage

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.job import FarmAddress, Job


# How many jobs of a farm are listed.
LISTED_JOBS = 50


class NativeFarm:
    """Starts the work of a job on the Rust runtime."""

    def submit(self, job: Job) -> native.Submission:
        """Begin to trace, pack, upload and enqueue."""
        return native.Submission(
            settings(job.farm),
            job=job.id,
            blend_file=job.blend_file,
            as_path=job.as_path,
            name=job.name,
            frames=(job.frame_first, job.frame_last, job.frame_step),
            output_template=job.output_template,
            blender_version=job.blender_version,
            scene=job.scene,
            allow_scripts=job.allow_scripts,
            slices=job.slices,
            allow_other_noise=job.allow_other_noise,
            allow_missing_files=job.render_anyway,
            allow_unbaked=job.render_anyway,
            allow_other_blender=job.may_use_other_blender,
            painted=job.painted,
            kept_frames=job.kept_frames,
            keeps_files=job.keeps_files,
            output_folders=job.node_folders,
            is_still=job.is_still,
            is_session=True,
        )

    def watch(self, job: Job) -> native.Job:
        """Begin to follow."""
        return native.Job(
            settings(job.farm),
            job.id,
            job.output_folder,
            elsewhere=job.folders_elsewhere,
            previews=storage.previews(job.id),
            retry=job.retry,
        )

    def cancel(self, job: Job) -> None:
        """Ask that a job stop that nobody follows. Waits until the bucket has taken it."""
        native.cancel_job(settings(job.farm), job.id)

    def remove(self, job: Job) -> None:
        """Delete what the bucket has of a job. Waits until that is done."""
        native.remove_job(settings(job.farm), job.id)


def list_jobs(address: FarmAddress) -> list[native.ListedJob]:
    """The newest jobs of a farm, whoever has sent them. Waits for the answer."""
    return native.list_jobs(settings(address), limit=LISTED_JOBS)


def known_profiles() -> list[native.KnownProfile]:
    """The profiles of this machine: two small files are read."""
    return native.known_profiles()


def settings(address: FarmAddress) -> native.FarmSettings:
    """The address as the native module takes it: what is empty is left to the SDK."""
    return native.FarmSettings(
        address.stack,
        region=address.region or None,
        profile=address.profile or None,
        endpoint=address.endpoint or None,
    )


def check_stack(address: FarmAddress) -> native.StackCheck:
    """Begin to look whether the farm can be reached."""
    return native.StackCheck(settings(address))


def permissions(address: FarmAddress) -> list[native.Permission]:
    """What of the artist's policy the credentials may do. Waits for the answer."""
    return native.farm_permissions(settings(address), "artist")


def verify(
    blend_file: Path,
    as_path: Path,
    blender: Path,
    *,
    scene: str,
    allow_scripts: bool,
    painted: list[tuple[str, str, str | None]],
) -> native.LocalPack:
    """Begin to pack a copy of the scene and to open the pack with Blender."""
    return native.LocalPack.verify(
        blend_file,
        blender,
        as_path=as_path,
        scene=scene,
        allow_scripts=allow_scripts,
        painted=painted,
    )


def new_job_id() -> str:
    """An id for a new job."""
    return native.new_job_id()


def split_output_path(
    output_path: str, blend_file: str | None, blender_version: tuple[int, int]
) -> tuple[str, str]:
    """An output path's fixed folder, and the template below it.

    Raises ValueError where the path has a variable that there is not.
    """
    return native.split_output_path(
        output_path, blend_file=blend_file, blender_version=blender_version
    )
