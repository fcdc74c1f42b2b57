"""What a farm asks of an account, and what it says where it is not to be had."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import deployment
import pytest
from botocore.exceptions import ClientError
from conftest import BINARIES, PROJECT, Blender, command
from local_farm import LocalFarm, bare_farm
from strict_front.state import NEW_ACCOUNT, SleepingFunction
from test_main_job import render

COMMAND = Path(sys.executable).with_name("render-on-lambda")


@pytest.fixture(scope="module")
def new_account() -> Iterator[LocalFarm]:
    """An account with the quotas of a new one, and nothing in it."""
    with bare_farm(quotas=NEW_ACCOUNT) as farm:
        yield farm


def test_more_than_a_new_account_has_is_refused_and_what_suits_it_is_told(
    new_account: LocalFarm,
) -> None:
    asked = {"ConsumerMemory": "10240", "MaximumConcurrency": "200", "ConsumerTimeout": "900"}
    deployment.create_stack(new_account, Path(sys.executable), asked)
    with pytest.raises(deployment.StackFailed, match="less than or equal to 3008"):
        deployment.add_functions(new_account, BINARIES)
    empty_and_delete(new_account)
    done = command(new_account, "farm", "parameters", key=("test", "test"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["ConsumerMemory=3008", "MaximumConcurrency=8", "BurstWorkers=0"]
    assert "may run 10 functions at once" in done.stderr and "L-B99A9384" in done.stderr
    told = dict(word.split("=") for word in done.stdout.split())
    deployment.create_stack(new_account, Path(sys.executable), told | {"ConsumerTimeout": "900"})
    deployment.add_functions(new_account, BINARIES)


def empty_and_delete(farm: LocalFarm) -> None:
    """Delete the stack; its bucket, which a deleted stack leaves, too."""
    farm.front_client("cloudformation").delete_stack(StackName=farm.stack)
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        try:
            farm.client("cloudformation").describe_stacks(StackName=farm.stack)
        except ClientError:
            return
        time.sleep(0.2)


def test_the_templates_own_parameters_suit_a_new_account() -> None:
    with bare_farm(stack="by-default", quotas=NEW_ACCOUNT) as farm:
        template = (PROJECT / "infra" / "template.yaml").read_text()
        deployment.change_stack(farm, "create_stack", template, {})
        deployment.add_functions(farm, BINARIES)
        assert not farm.front.failed_updates


def test_a_creation_that_fails_leaves_nothing() -> None:
    """The bucket is kept when a stack is deleted, not when its creation failed."""
    with bare_farm() as farm:
        s3 = farm.client("s3")
        before = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
        template = (PROJECT / "infra" / "template.yaml").read_text()
        broken = template.replace("  ConsumerLogs:\n", "  ConsumerLogs:\n    DependsOn: Late\n")
        broken = broken.replace(
            "Resources:\n",
            "Resources:\n  Late:\n    Type: AWS::Lambda::Url\n    DependsOn: BucketPolicy\n"
            "    Properties:\n      TargetFunctionArn: nobody\n      AuthType: AWS_IAM\n",
            1,
        )
        cloudformation = farm.client("cloudformation")
        cloudformation.create_stack(
            StackName="broken", TemplateBody=broken, Capabilities=["CAPABILITY_IAM"]
        )
        status = "CREATE_IN_PROGRESS"
        limit = time.monotonic() + 60
        while status.endswith("IN_PROGRESS") and time.monotonic() < limit:
            time.sleep(0.2)
            status = cloudformation.describe_stacks(StackName="broken")["Stacks"][0]["StackStatus"]
        assert status == "ROLLBACK_COMPLETE"
        assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == before


def test_a_function_that_was_put_away_is_woken_while_the_scene_is_sent(
    farm: LocalFarm, sample: Path, tmp_path: Path
) -> None:
    function = farm.outputs()["ConsumerName"]
    farm.front.asleep[function] = SleepingFunction(3.0)
    before = farm.front.refused.count("function_that_sleeps")
    began = time.monotonic()
    done = command(farm, "submit", sample, "--frames", "1", "--watch", "--to", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the farm's function was put away by Lambda" in done.stderr
    assert farm.front.asleep[function].state() == "Active"
    assert farm.front.refused.count("function_that_sleeps") == before + 1
    took = time.monotonic() - began
    print(f"\npress to first frame with a function that wakes in 3 s: {took:.1f} s")


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        ("4", "of version 9.9.9 (protocol 4), older than this one"),
        ("6", "of version 9.9.9 (protocol 6), newer than this one"),
        (None, "older than this one"),
    ],
)
def test_a_farm_of_another_protocol_is_told_before_anything_is_sent(
    protocol: str | None, words: str, sample: Path
) -> None:
    template = (PROJECT / "infra" / "template.yaml").read_text()
    start, end = template.index("  Version:\n"), template.index("  BucketName:\n")
    told = (
        f'  Version:\n    Value: "9.9.9"\n  Protocol:\n    Value: "{protocol}"\n'
        if protocol
        else ""
    )
    with bare_farm() as farm:
        template = template[:start] + told + template[end:]
        deployment.create_stack(farm, Path(sys.executable), {}, template)
        deployment.add_functions(farm, BINARIES, template)
        farm.artist = deployment.artist(farm, farm.outputs())
        done = command(farm, "submit", sample, "--frames", "1")
        assert done.returncode == 4 and words in done.stderr, done.stderr
        bucket = farm.outputs()["BucketName"]
        there = farm.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
        assert all(one["Key"].startswith("code/") for one in there)


def test_an_artist_presses_and_is_told_that_the_farm_wakes(
    farm: LocalFarm, blender: Blender, sample: Path
) -> None:
    function = farm.outputs()["ConsumerName"]
    farm.front.asleep[function] = SleepingFunction(1.0)
    result = render(blender, sample, "scene.frame_end = 1")
    assert result["outcome"] == ["FINISHED"]
    assert farm.front.asleep[function].state() == "Active"
