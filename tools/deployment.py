"""The stack on a local farm: its functions' zips, its creation, and the users of its policies."""

from __future__ import annotations

import io
import json
import os
import sys
import time
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

PROJECT = Path(__file__).resolve().parent.parent
LIMIT_SECONDS = 60
BATCHES = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessageBatch", "Resource": "*"}],
    }
)


class Target(Protocol):
    """What a deployment needs of a farm."""

    stack: str
    endpoint: str

    @property
    def wishes(self) -> Path: ...
    def client(self, service: str) -> Any: ...
    def front_client(self, service: str) -> Any: ...


class StackFailed(Exception):
    """A stack that could not be created, with AWS's own words for each resource."""


def create_stack(
    farm: Target, blender: Path, parameters: dict[str, str], template: str | None = None
) -> None:
    """Create the stack from infra/template.yaml, or another template: its bucket first; StackFailed
    where AWS would not.
    """
    values = (
        {
            "Blender": str(blender),
            "ConsumerMemory": "2048",
            "ConsumerTimeout": "600",
            "MaximumConcurrency": str(max(2, (os.cpu_count() or 2))),
        }
        | blender_versions(blender)
        | parameters
    )
    body = template or (PROJECT / "infra" / "template.yaml").read_text()
    change_stack(farm, "create_stack", body, values)


def blender_versions(blender: Path) -> dict[str, str]:
    """The parameter that tells which Blender a Python has; of an image the template knows it."""
    if blender != Path(sys.executable):
        return {}
    return {"ConsumerBlenderVersions": ".".join(version("bpy").split(".")[:2])}


def add_functions(farm: Target, binaries: Path, template: str | None = None) -> None:
    """Put the functions' zips where the template looks for them, each in a sandbox, and deploy.

    An image that the stack's parameters name is the consumer; without one its zip.
    """
    cloudformation, s3 = farm.client("cloudformation"), farm.client("s3")
    stack = cloudformation.describe_stacks(StackName=farm.stack)["Stacks"][0]
    values = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    for name in ("producer",) if values["ConsumerImageUri"] else ("consumer", "producer"):
        key = f"code/{name}.zip"
        archive = function_zip(farm, binaries / f"render-on-lambda-{name}")
        s3.put_object(Bucket=outputs["BucketName"], Key=key, Body=archive)
        values[f"{name.capitalize()}CodeKey"] = key
    body = template or (PROJECT / "infra" / "template.yaml").read_text()
    change_stack(farm, "update_stack", body, values)
    set_concurrency(farm, int(values["MaximumConcurrency"]))


def change_stack(farm: Target, call: str, body: str, values: dict[str, str]) -> None:
    """Create or update the stack and wait; StackFailed with AWS's own words."""
    cloudformation = farm.front_client("cloudformation")
    getattr(cloudformation, call)(
        StackName=farm.stack,
        TemplateBody=body,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": text} for key, text in values.items()],
    )
    limit = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < limit:
        stack = cloudformation.describe_stacks(StackName=farm.stack)["Stacks"][0]
        if stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
        time.sleep(0.2)
    events = cloudformation.describe_stack_events(StackName=farm.stack)["StackEvents"]
    reasons = [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in events
        if event.get("ResourceStatusReason")
    ]
    raise StackFailed("the stack could not be deployed:\n" + "\n".join(reasons))


def set_concurrency(farm: Target, count: int) -> None:
    """Say the mapping's concurrency again, as a number.

    CloudFormation turns the text of a parameter into a number; MiniStack 1.5 keeps the text and
    then cannot compare it.
    """
    functions = farm.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": count}
        )


def allow_batches(farm: Target) -> None:
    """Let producer and consumer send batches: MiniStack 1.5 asks for `sqs:SendMessageBatch`, which
    IAM does not know; AWS asks for `sqs:SendMessage`, which the template gives.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    """
    iam = farm.client("iam")
    for role in iam.list_roles()["Roles"]:
        if any(name in role["RoleName"] for name in ("ProducerRole", "ConsumerRole")):
            iam.put_role_policy(
                RoleName=role["RoleName"], PolicyName="batches", PolicyDocument=BATCHES
            )


def artist(farm: Target, outputs: dict[str, str]) -> tuple[str, str]:
    """A user with the stack's artist policy and nothing else; the access key and its secret."""
    iam = farm.client("iam")
    iam.create_user(UserName="artist")
    iam.attach_user_policy(UserName="artist", PolicyArn=outputs["ArtistPolicyArn"])
    iam.put_user_policy(UserName="artist", PolicyName="batches", PolicyDocument=BATCHES)
    return key_of(iam, "artist")


def worker(farm: Target, outputs: dict[str, str]) -> tuple[str, str]:
    """A user that may do what the consumer's role may: a worker that is not in Lambda."""
    iam = farm.client("iam")
    functions = farm.client("lambda")
    role = functions.get_function_configuration(FunctionName=outputs["ConsumerName"])["Role"]
    name = role.rsplit("/", 1)[1]
    document = iam.get_role_policy(RoleName=name, PolicyName="consumer")["PolicyDocument"]
    iam.create_user(UserName="worker")
    iam.put_user_policy(UserName="worker", PolicyName="batches", PolicyDocument=BATCHES)
    iam.put_user_policy(
        UserName="worker", PolicyName="consumer", PolicyDocument=json.dumps(document)
    )
    return key_of(iam, "worker")


def key_of(iam: Any, user: str) -> tuple[str, str]:
    made = iam.create_access_key(UserName=user)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def function_zip(farm: Target, binary: Path, **others: bytes) -> bytes:
    """A zip for provided.al2023: the binary, and as its `bootstrap` what freezes it between
    invocations; other files beside it.
    """
    sandbox = (PROJECT / "tools" / "strict_front" / "sandbox.py").read_text()
    settings = {"front": farm.endpoint, "wishes": str(farm.wishes)}
    members = [
        ("bootstrap", f"#!{sys.executable} -I\n{sandbox}".encode()),
        ("function", binary.read_bytes()),
        ("sandbox.json", json.dumps(settings).encode()),
        *others.items(),
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, body in members:
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, body)
    return buffer.getvalue()
