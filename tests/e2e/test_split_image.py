"""An artist has an image rendered by several workers at once."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import Blender
from local_farm import LocalFarm
from test_main_job import render, same_pixels


def test_frames_in_slices_are_those_of_one_worker_and_cost_what_all_of_them_took(
    farm: LocalFarm, blender: Blender, sample: Path, local_frames: Path
) -> None:
    result = render(
        blender,
        sample,
        "scene.frame_end = 2; chosen = bpy.context.window_manager.render_on_lambda; "
        "chosen.split_frames = 'ALWAYS'; chosen.slices = 3",
    )
    assert result["outcome"] == ["FINISHED"]
    for frame in (1, 2):
        name = f"sample_{frame:04}.png"
        assert same_pixels(sample.parent / "render" / name, local_frames / name), name
    job = result["job"]
    assert (job["total"], job["done"], job["slices"]) == (2, 2, 3)
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    spent = 0.0
    for frame in (1, 2):
        for slice_ in range(3):
            key = f"jobs/{job['id']}/slices/{frame}/{slice_}.json"
            record = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            assert record["state"] == "done", record
            spent += record["times"]["total_seconds"]
    assert job["billed_seconds"] > spent
    told = s3.list_objects_v2(Bucket=bucket, Prefix=f"jobs/{job['id']}/events/")["Contents"]
    assert any(".progress." in one["Key"] for one in told)


def test_what_cannot_be_split_is_told_before_anything_is_sent_and_costs_no_slices(
    farm: LocalFarm, blender: Blender, sample: Path
) -> None:
    result = render(
        blender,
        sample,
        "scene.frame_end = 1; scene.cycles.time_limit = 30; "
        "chosen = bpy.context.window_manager.render_on_lambda; "
        "chosen.split_frames = 'ALWAYS'; chosen.slices = 3",
    )
    assert result["outcome"] == ["FINISHED"]
    job = result["job"]
    told = "One worker renders each frame alone: a time limit makes the picture depend on how fast"
    assert any(notice.startswith(told) for notice in job["notices"]), job["notices"]
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    keys = [
        one["Key"]
        for one in s3.list_objects_v2(Bucket=bucket, Prefix=f"jobs/{job['id']}/")["Contents"]
    ]
    assert not any("/slices/" in key or "/parts/" in key for key in keys), keys
