"""A farm from nothing to nothing again, by the command line alone, as an administrator may."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import deployment
import pytest
import small_image
from conftest import BINARIES, COMMAND, Blender
from local_farm import ADMINISTRATOR, LocalFarm, bare_farm
from strict_front.state import NEW_ACCOUNT

# What suits this machine, and the Blender of it.
PARAMETERS = {
    "Blender": sys.executable,
    **deployment.blender_versions(Path(sys.executable)),
    "ConsumerMemory": "2048",
    "ConsumerTimeout": "600",
    "MaximumConcurrency": "2",
    "BurstWorkers": "0",
}
DENIED = [
    "cloudformation:CreateStack",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:UpdateStack",
    "s3:PutObject",
]


@pytest.fixture(scope="module")
def account() -> Iterator[LocalFarm]:
    """An account with nothing in it."""
    with bare_farm() as farm:
        yield farm


@pytest.fixture(scope="module")
def functions(account: LocalFarm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The functions as they travel in the wheel, each in a sandbox; the consumer as a zip, which
    needs no engine of containers.
    """
    folder = tmp_path_factory.mktemp("functions")
    for name in ("consumer", "producer"):
        archive = deployment.function_zip(account, BINARIES / f"render-on-lambda-{name}")
        (folder / f"{name}.zip").write_bytes(archive)
    return folder


@pytest.fixture
def with_image(account: LocalFarm, tmp_path: Path) -> tuple[Path, Path]:
    """The functions with the set-up function and an image of a few files; the folder that its parts
    are served from.
    """
    parts, folder = tmp_path / "parts", tmp_path / "functions"
    parts.mkdir()
    folder.mkdir()
    producer = deployment.function_zip(account, BINARIES / "render-on-lambda-producer")
    (folder / "producer.zip").write_bytes(producer)
    write_set_up_function(account, folder, parts, b"a program")
    return folder, parts


def write_set_up_function(account: LocalFarm, folder: Path, parts: Path, consumer: bytes) -> None:
    binary = BINARIES / "render-on-lambda-setup"
    others = {"parts.json": small_image.make_parts(parts), "consumer": consumer}
    (folder / "setup.zip").write_bytes(deployment.function_zip(account, binary, **others))


def words(
    account: LocalFarm,
    stack: str,
    command: str,
    *arguments: str | Path,
    parameters: dict[str, str] | None = None,
) -> list[str]:
    """A command of `render-on-lambda farm`."""
    pairs = (parameters or {}).items()
    given = [word for pair in pairs for word in ("--parameter", "=".join(pair))]
    where = ["--stack", stack, "--endpoint", account.endpoint]
    return [str(word) for word in (COMMAND, "farm", command, *arguments, *given, *where)]


def environment(account: LocalFarm, key: tuple[str, str]) -> dict[str, str]:
    secret = {"AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1]}
    return os.environ | account.environment() | secret


def farm(
    account: LocalFarm,
    stack: str,
    command: str,
    *arguments: str | Path,
    key: tuple[str, str] = ADMINISTRATOR,
    parameters: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        words(account, stack, command, *arguments, parameters=parameters),
        env=environment(account, key),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def administrator(account: LocalFarm, stack: str, name: str, without: str = "") -> tuple[str, str]:
    """A user with the administrator's policy, as it is printed, but for one action; the key."""
    printed = farm(account, stack, "policy", "administrator")
    assert printed.returncode == 0, printed.stderr
    document = json.loads(printed.stdout)
    for statement in document["Statement"]:
        actions = statement["Action"]
        kept = [actions] if isinstance(actions, str) else actions
        statement["Action"] = [action for action in kept if action != without]
    document["Statement"] = [one for one in document["Statement"] if one["Action"]]
    iam = account.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name, PolicyName="administrator", PolicyDocument=json.dumps(document)
    )
    iam.put_user_policy(UserName=name, PolicyName="batches", PolicyDocument=deployment.BATCHES)
    return deployment.key_of(iam, name)


def what_there_is(account: LocalFarm) -> dict[str, Any]:
    """Everything in the account that a farm would be."""
    asked = {
        "buckets": account.client("s3").list_buckets()["Buckets"],
        "queues": account.client("sqs").list_queues().get("QueueUrls", []),
        "functions": account.client("lambda").list_functions()["Functions"],
        "mappings": account.client("lambda").list_event_source_mappings()["EventSourceMappings"],
        "roles": account.client("iam").list_roles()["Roles"],
        "policies": account.client("iam").list_policies(Scope="Local")["Policies"],
        "repositories": account.client("ecr").describe_repositories()["repositories"],
        "log groups": account.client("logs").describe_log_groups()["logGroups"],
        "apis": account.client("apigatewayv2").get_apis()["Items"],
        "dashboards": account.client("cloudwatch").list_dashboards()["DashboardEntries"],
    }
    return {name: there for name, there in asked.items() if there}


def test_a_farm_is_made_tried_and_removed_with_the_administrators_policy(
    account: LocalFarm, functions: Path
) -> None:
    key = administrator(account, "whole", "anna")
    made = farm(
        account, "whole", "set-up", "--yes", "--no-test-frame", "--functions", functions,
        key=key, parameters=PARAMETERS,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert 'the farm "whole" is set up' in made.stdout
    assert "while nothing renders it costs about $0.0" in made.stderr
    # What MiniStack cannot do by itself; see deployment.py.
    deployment.set_concurrency(account, 2)
    again = farm(account, "whole", "set-up", "--yes", "--functions", functions, key=key)
    assert again.returncode == 0, again.stderr
    assert "and a frame went through it" in again.stdout
    told = farm(account, "whole", "status", "--json", key=key)
    status = json.loads(told.stdout)
    assert status["has_functions"] and status["is_current"]
    assert status["parameters"]["ConsumerMemory"] == "2048"
    removed = farm(account, "whole", "remove", "--yes", key=key)
    assert removed.returncode == 0, removed.stderr
    assert what_there_is(account) == {}
    assert farm(account, "whole", "status", key=key).returncode == 4


IN_BLENDER = """
from bl_ext.user_default.render_on_lambda.tool import administration, waiting
endpoint, stack, functions = sys.argv[1:]
blender_with_extension.set_farm(endpoint, stack)
administration.DATA = Path(functions)
farm = jobs.jobs().administration
RESULT["unasked"] = bpy.ops.render_on_lambda.make_farm.poll()
bpy.ops.render_on_lambda.set_up_farm()
blender_with_extension.set_farm(endpoint, "another")
RESULT["other"] = waiting.wait_for_administration().stage.value
blender_with_extension.set_farm(endpoint, stack)
bpy.ops.render_on_lambda.set_up_farm()
RESULT["plan"] = waiting.wait_for_administration().text
bpy.ops.render_on_lambda.make_farm()
RESULT["made"] = farm.stage.value, farm.text
bpy.ops.render_on_lambda.set_up_farm()
RESULT["again"] = waiting.wait_for_administration().text
bpy.ops.render_on_lambda.remove_farm()
RESULT["removed"] = farm.stage.value, farm.text
"""


def test_an_artist_sees_what_is_made_and_a_frame_comes_back(
    account: LocalFarm, functions: Path, installed: Path, tmp_path: Path
) -> None:
    options = ("--yes", "--no-test-frame", "--functions", functions)
    made = farm(account, "artist", "set-up", *options, parameters=PARAMETERS)
    assert made.returncode == 0, made.stderr
    deployment.set_concurrency(account, 2)
    shutil.copytree(installed, tmp_path / "user")
    blender = Blender(tmp_path, environment(account, ADMINISTRATOR))
    result = blender.run(IN_BLENDER, account.endpoint, "artist", str(functions))
    assert not result["unasked"], "nothing is made whose price was not shown"
    assert result["other"] == "nothing", "a plan of other settings is none"
    assert result["plan"].endswith("The farm is there, and up to date.")
    assert result["made"] == ["done", "The farm is ready: a test frame came back"]
    assert result["plan"] == result["again"]
    assert result["removed"] == ["done", "The farm is removed; AWS has nothing of it any more"]
    assert what_there_is(account) == {}


def test_nobody_who_cannot_be_asked_is_asked(account: LocalFarm, functions: Path) -> None:
    for command in ("set-up", "upgrade"):
        done = farm(account, "quiet", command, "--functions", functions)
        assert done.returncode in (2, 4), done.stderr
    assert what_there_is(account) == {}


def test_the_image_is_made_by_the_stack_and_an_older_one_goes(
    account: LocalFarm, with_image: tuple[Path, Path]
) -> None:
    folder, parts = with_image
    parameters = PARAMETERS | {"Blender": "/usr/bin/python3"}
    with small_image.served(parts) as mirror:
        options = ("--yes", "--no-test-frame", "--functions", folder)
        parameters |= {"PartsMirror": mirror}
        made = farm(account, "image", "set-up", *options, parameters=parameters)
        assert made.returncode == 0, made.stderr
        first = images(account)
        repeated = farm(account, "image", "set-up", *options)
        assert repeated.returncode == 0, repeated.stderr
        assert images(account) == first
        # As an update that is rolled back does: the image that is there needs no parts.
        nowhere = {"PartsMirror": "http://127.0.0.1:9"}
        back = farm(account, "image", "set-up", *options, parameters=nowhere)
        assert back.returncode == 0, back.stderr
        assert images(account) == first
        write_set_up_function(account, folder, parts, b"another program")
        mirrored = {"PartsMirror": mirror}
        upgraded = farm(account, "image", "upgrade", *options, parameters=mirrored)
        assert upgraded.returncode == 0, upgraded.stderr
        second = images(account)
        assert len(first) == len(second) == 1 and first != second
    function = account.client("lambda").list_functions()["Functions"][0]["FunctionName"]
    code = account.client("lambda").get_function(FunctionName=function)["Code"]
    assert code["ImageUri"].endswith(f"@{second[0]}")
    assert farm(account, "image", "remove", "--yes").returncode == 0
    assert what_there_is(account) == {}


def images(account: LocalFarm) -> list[str]:
    """The digests of all images."""
    ecr = account.client("ecr")
    return [
        image["imageDigest"]
        for repository in ecr.describe_repositories()["repositories"]
        for image in ecr.list_images(repositoryName=repository["repositoryName"])["imageIds"]
    ]


def test_a_part_that_is_not_to_be_had_is_named_and_the_next_press_goes_on(
    account: LocalFarm, with_image: tuple[Path, Path]
) -> None:
    folder, parts = with_image
    wheel = parts / "packages" / "bpy-5.2.whl"
    sound = wheel.read_bytes()
    options = ("--yes", "--no-test-frame", "--functions", folder)
    with small_image.served(parts) as mirror:
        parameters = PARAMETERS | {"PartsMirror": mirror}
        for content, told in (
            (None, "cannot download packages/bpy-5.2.whl: "),
            (sound[:-1] + b"?", "packages/bpy-5.2.whl is not what it was: expected SHA-256 "),
        ):
            wheel.unlink() if content is None else wheel.write_bytes(content)
            failed = farm(account, "parts", "set-up", *options, parameters=parameters)
            assert failed.returncode == 4, failed.stderr
            assert "AWS could not make Image (Custom::Image)" in failed.stderr, failed.stderr
            assert told in failed.stderr, failed.stderr
        wheel.write_bytes(sound)
        made = farm(account, "parts", "set-up", *options, parameters=parameters)
    assert made.returncode == 0, made.stderr
    assert farm(account, "parts", "remove", "--yes").returncode == 0
    assert what_there_is(account) == {}


@pytest.mark.parametrize("step", ["1 of 4", "2 of 4", "3 of 4", "4 of 4"])
def test_what_was_killed_goes_on_at_the_next_press(
    account: LocalFarm, functions: Path, step: str
) -> None:
    options = ("--yes", "--no-test-frame", "--functions", functions)
    process = subprocess.Popen(
        words(account, "killed", "set-up", *options, parameters=PARAMETERS),
        env=environment(account, ADMINISTRATOR),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if step in line:
            process.send_signal(signal.SIGKILL)
            break
    process.wait(timeout=60)
    again = farm(account, "killed", "set-up", *options, parameters=PARAMETERS)
    assert again.returncode == 0, again.stderr
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(
            words(account, "killed", "remove", "--yes"),
            env=environment(account, ADMINISTRATOR),
            capture_output=True,
            timeout=0.4,
            check=False,
        )
    removed = farm(account, "killed", "remove", "--yes")
    is_gone = "there is no farm" in removed.stderr
    assert removed.returncode == 0 or is_gone, removed.stderr
    assert what_there_is(account) == {}


def test_a_stack_of_someone_else_is_left_alone(account: LocalFarm, functions: Path) -> None:
    template = "Resources: {Theirs: {Type: AWS::SQS::Queue}}"
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(StackName="theirs", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="theirs")
    for command in ("set-up", "upgrade", "remove", "status"):
        options = () if command == "status" else ("--yes",)
        options += ("--functions", str(functions)) if command in ("set-up", "upgrade") else ()
        done = farm(account, "theirs", command, *options)
        assert done.returncode == 4, done.stderr
        assert "it is none of Render on Lambda's; choose another name" in done.stderr, done.stderr
    assert len(account.client("sqs").list_queues()["QueueUrls"]) == 1
    cloudformation.delete_stack(StackName="theirs")


def test_a_name_that_no_stack_can_have_is_refused(account: LocalFarm) -> None:
    for name in ("1st", "my farm", "a" * 21, ""):
        done = farm(account, name, "status")
        assert done.returncode == 3, done.stderr
        assert "cannot be a farm's name" in done.stderr


def test_a_creation_that_had_failed_is_cleared_away(account: LocalFarm, functions: Path) -> None:
    account.front.failed_stacks["ruin"] = "Bucket: there are too many buckets"
    options = ("--yes", "--no-test-frame", "--functions", functions)
    made = farm(account, "ruin", "set-up", *options, parameters=PARAMETERS)
    assert made.returncode == 0, made.stderr
    assert "ruin" not in account.front.failed_stacks
    assert farm(account, "ruin", "remove", "--yes").returncode == 0


def test_a_new_account_gets_what_it_may_have_and_is_told_how_to_ask_for_more(
    functions: Path,
) -> None:
    with bare_farm(quotas=NEW_ACCOUNT) as new:
        options = ("--yes", "--no-test-frame", "--functions", functions)
        for asked in ("10240", "4096"):
            failed = farm(new, "new", "set-up", *options, parameters={"ConsumerMemory": asked})
            assert failed.returncode == 4, failed.stderr
            assert "AWS could not make Consumer" in failed.stderr
            assert "render-on-lambda farm quota --request 1000" in failed.stderr
        made = farm(new, "new", "set-up", *options, parameters={"ConsumerMemory": "3008"})
        assert made.returncode == 0, made.stderr
        assert "8 frames at once by the queue, with 3008 MB each; a new account" in made.stderr
        assert farm(new, "new", "remove", "--yes").returncode == 0
        assert what_there_is(new) == {}


@pytest.mark.parametrize("action", DENIED)
def test_an_action_that_is_denied_comes_with_the_line_that_grants_it(
    account: LocalFarm, functions: Path, action: str
) -> None:
    stack = f"denied-{DENIED.index(action)}"
    key = administrator(account, stack, stack, without=action)
    options = ("--yes", "--no-test-frame", "--functions", functions)
    done = farm(account, stack, "set-up", *options, key=key, parameters=PARAMETERS)
    assert done.returncode == 4, done.stderr
    assert f'"Action": "{action}"' in done.stderr, done.stderr
    with suppress(json.JSONDecodeError):
        farm(account, stack, "remove", "--yes")


def test_what_is_missing_of_a_policy_is_told(account: LocalFarm) -> None:
    iam = account.client("iam")
    key = administrator(account, "checked", "checked", without="sqs:CreateQueue")
    allowed = {"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="checked", PolicyName="simulate", PolicyDocument=document)
    done = farm(account, "checked", "check", "administrator", key=key)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert "MISSING  sqs" in lines and "allowed  s3" in lines
    missing = {line.split()[0] for line in lines if line.startswith("   ")}
    # MiniStack's simulator does not know whom a role is passed to, nor what a mapping is for.
    unknown = {"iam:PassRole", "lambda:CreateEventSourceMapping"}
    assert missing - unknown == {"sqs:CreateQueue"}


def test_more_executions_are_asked_for_once(account: LocalFarm) -> None:
    told = farm(account, "quota", "quota")
    assert told.stdout == "the account may run 1000 functions at once\n", told.stderr
    asked = farm(account, "quota", "quota", "--request", "5000")
    assert asked.returncode == 0, asked.stderr
    assert "5000 were asked for: PENDING" in asked.stdout
    again = farm(account, "quota", "quota", "--request", "6000")
    assert again.returncode == 4
    assert "Only one open service quota increase request" in again.stderr
    account.front.quota_requests[-1]["Status"] = "APPROVED"
    assert "5000 were asked for: APPROVED" in farm(account, "quota", "quota").stdout


def test_a_farm_whose_policy_somebody_has_is_not_removed_in_part(
    account: LocalFarm, functions: Path
) -> None:
    options = ("--yes", "--no-test-frame", "--functions", functions)
    made = farm(account, "attached", "set-up", *options, parameters=PARAMETERS)
    assert made.returncode == 0, made.stderr
    outputs = json.loads(farm(account, "attached", "status", "--json").stdout)["outputs"]
    iam, policy = account.client("iam"), outputs["ArtistPolicyArn"]
    iam.create_user(UserName="bert")
    iam.attach_user_policy(UserName="bert", PolicyArn=policy)
    refused = farm(account, "attached", "remove", "--yes")
    assert refused.returncode == 4
    assert "is attached to bert; detach it first" in refused.stderr, refused.stderr
    account.client("s3").head_bucket(Bucket=outputs["BucketName"])
    iam.detach_user_policy(UserName="bert", PolicyArn=policy)
    assert farm(account, "attached", "remove", "--yes").returncode == 0
    assert "attached" not in str(what_there_is(account))
