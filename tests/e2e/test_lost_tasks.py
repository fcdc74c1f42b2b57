"""Tasks that nobody will ever touch are found out, and come back when someone asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import command
from local_farm import LocalFarm


@pytest.mark.soak
def test_a_watch_ends_where_the_queue_has_lost_tasks_and_they_can_be_enqueued_again(
    farm: LocalFarm, sample: Path, tmp_path: Path
) -> None:
    farm.set_mapping(enabled=False)
    try:
        done = command(farm, "submit", "--json", sample, "--frames", "1-4")
        job = json.loads(done.stdout.splitlines()[-1])["job"]
        farm.client("sqs").purge_queue(QueueUrl=farm.outputs()["QueueUrl"])
        # As a version left it that had no log of events: the record alone tells of frame 4.
        failure = {"class": "machine", "message": "a crash", "log_tail": ""}
        left = {
            "version": 1, "frame": 4, "attempt": 5, "max_attempts": 5, "state": "failed",
            "failure": failure, "worker": "old", "started_ms": 1, "updated_ms": 2,
        }  # fmt: skip
        farm.client("s3").put_object(
            Bucket=farm.outputs()["BucketName"],
            Key=f"jobs/{job}/tasks/4.json",
            Body=json.dumps(left).encode(),
        )
        watched = command(farm, "watch", "--json", job, "--to", tmp_path)
    finally:
        farm.set_mapping(enabled=True)
    assert watched.returncode == 5, watched.stderr
    told = json.loads(watched.stdout.splitlines()[-1])
    assert (told["lost"], told["failed"]) == (3, 1)
    assert "frame 4, try 5: a crash" in watched.stderr
    assert (
        "3 of 4 frames will not be rendered: no worker has them and the queue is" in watched.stderr
    )
    assert f"render-on-lambda retry --missing {job}" in watched.stderr
    again = command(farm, "retry", "--missing", "--watch", job, "--to", tmp_path)
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in tmp_path.glob("sample_*.png")) == [
        f"sample_{frame:04}.png" for frame in (1, 2, 3, 4)
    ]


def test_a_frame_whose_result_was_deleted_is_rendered_once_more_and_no_other(
    farm: LocalFarm, sample: Path, tmp_path: Path
) -> None:
    done = command(farm, "submit", "--json", "--watch", sample, "--frames", "1-3", "--to", tmp_path)
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout.splitlines()[0])["job"]
    storage, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    (key,) = [
        one["Key"]
        for one in storage.list_objects_v2(Bucket=bucket, Prefix=f"jobs/{job}/frames/")["Contents"]
        if one["Key"].endswith("sample_0002.png")
    ]
    storage.delete_object(Bucket=bucket, Key=key)
    other = tmp_path / "other"
    gone = command(farm, "watch", job, "--to", other)
    assert gone.returncode == 5, gone.stderr
    assert f"{key}" in gone.stderr
    again = command(farm, "retry", "--json", job)
    assert json.loads(again.stdout)["tasks"] == 1, again.stderr
    watched = command(farm, "watch", job, "--to", other)
    assert watched.returncode == 0, watched.stderr
    assert {path.name for path in other.glob("sample_*.png")} == {
        f"sample_{frame:04}.png" for frame in (1, 2, 3)
    }
    tries = {
        frame: json.loads(
            storage.get_object(Bucket=bucket, Key=f"jobs/{job}/tasks/{frame}.json")["Body"].read()
        )["tries"]
        for frame in (1, 2, 3)
    }
    assert tries == {1: 1, 2: 2, 3: 1}


def test_a_cancelled_job_stays_cancelled_where_somebody_enqueues_it_again(
    farm: LocalFarm, sample: Path
) -> None:
    farm.set_mapping(enabled=False)
    try:
        done = command(farm, "submit", "--json", sample, "--frames", "1-2")
        job = json.loads(done.stdout.splitlines()[-1])["job"]
        assert command(farm, "cancel", job).returncode == 0
        again = command(farm, "retry", "--missing", job)
    finally:
        farm.set_mapping(enabled=True)
    assert again.returncode not in {0, 101}
    assert "cancelled" in again.stderr
    (told,) = [
        one for one in json.loads(command(farm, "jobs", "--json").stdout) if one["job"] == job
    ]
    assert told["is_cancelled"]
