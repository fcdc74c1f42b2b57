"""What Lambda does to functions when there are few of them, or when they have slept."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from conftest import BINARIES, command
from local_farm import LocalFarm, local_farm
from strict_front.state import NEW_ACCOUNT

FRAMES = 60

# Each of them waits, whatever the machine is: what is compared is how many there are at once.
WAITING_FRAMES = "11-70"
# Lambda's mapping begins with five; the emulator's begins with all that it may have.
MAPPING = 5
BURST_WORKERS = 12


def records(farm: LocalFarm, job: str) -> list[dict]:
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"jobs/{job}/tasks/").get("Contents", [])
    bodies = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed]
    return [json.loads(body) for body in bodies]


def render(farm: LocalFarm, scene: Path, to: Path) -> list[dict]:
    done = command(farm, "submit", "--json", scene, "--frames", f"1-{FRAMES}")
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout.splitlines()[-1])["job"]
    watched = command(farm, "watch", job, "--to", to, limit_seconds=1500)
    assert watched.returncode == 0, watched.stderr
    assert len(list(to.glob("*.png"))) == FRAMES
    return records(farm, job)


def test_sixty_frames_of_a_new_account_arrive_with_one_try_each(
    scenes: Path, tmp_path: Path
) -> None:
    parameters = {"ConsumerMemory": "3008", "MaximumConcurrency": "8"}
    with local_farm(
        Path(sys.executable), BINARIES, parameters=parameters, quotas=NEW_ACCOUNT
    ) as farm:
        tries = [record["tries"] for record in render(farm, scenes / "sound.blend", tmp_path)]
    assert tries == [1] * FRAMES


def test_with_two_fifths_of_the_deliveries_throttled_all_arrive_and_none_is_said_to_be_tried(
    scenes: Path, tmp_path: Path
) -> None:
    # What is throttled is hidden for as long as the function may run.
    parameters = {"ConsumerTimeout": "30", "MaximumConcurrency": "4", "LeaseSeconds": "10"}
    with local_farm(
        Path(sys.executable), BINARIES, parameters=parameters, quotas=NEW_ACCOUNT
    ) as farm:
        farm.throttle(0.4)
        began = time.monotonic()
        tries = [record["tries"] for record in render(farm, scenes / "sound.blend", tmp_path)]
        outputs = farm.outputs()
        sqs = farm.client("sqs")
        names = ["ApproximateNumberOfMessages"]
        dead = sqs.get_queue_attributes(
            QueueUrl=outputs["DeadLetterQueueUrl"], AttributeNames=names
        )
    print(f"\n{FRAMES} frames with 40 % throttled: {time.monotonic() - began:.0f} s")
    assert tries == [1] * FRAMES
    assert dead["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_a_function_that_sleeps_for_ninety_seconds_between_two_tasks_loses_nothing(
    scenes: Path, tmp_path: Path
) -> None:
    """Its process group is stopped meanwhile, and its connections are cut when it thaws."""
    parameters = {"MaximumConcurrency": "2"}
    with local_farm(Path(sys.executable), BINARIES, parameters=parameters) as farm:
        for number in range(2):
            if number:
                time.sleep(90)
            began = time.monotonic()
            to = tmp_path / str(number)
            done = command(
                farm, "submit", scenes / "sound.blend", "--frames", f"{number + 1}",
                "--watch", "--to", to,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert len(list(to.glob("*.png"))) == 1
            print(f"\nframe {number + 1}: {time.monotonic() - began:.1f} s")


def test_twelve_workers_beside_the_mapping_render_sixty_frames_once_each(
    scenes: Path, tmp_path: Path
) -> None:
    seconds = {}
    for workers in (0, BURST_WORKERS):
        parameters = {"MaximumConcurrency": str(MAPPING), "BurstWorkers": str(workers)}
        with local_farm(Path(sys.executable), BINARIES, parameters=parameters) as farm:
            began = time.monotonic()
            done = command(
                farm, "submit", "--json", "--allow-scripts", scenes / "waiting.blend",
                "--frames", WAITING_FRAMES,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            job = json.loads(done.stdout.splitlines()[-1])["job"]
            to = tmp_path / str(workers)
            watched = command(farm, "watch", job, "--to", to, limit_seconds=900)
            assert watched.returncode == 0, watched.stderr
            seconds[workers] = time.monotonic() - began
            assert len(list(to.glob("*.png"))) == FRAMES
            found = records(farm, job)
        assert [record["tries"] for record in found] == [1] * FRAMES
        took_part = len({record["worker"] for record in found})
        assert took_part <= MAPPING + workers
        print(f"\n{MAPPING} of the mapping, {workers} called: {seconds[workers]:.0f} s", end="")
        print(f", {took_part} workers took part")
