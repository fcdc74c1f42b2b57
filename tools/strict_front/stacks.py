"""What the creation of a stack fails with on AWS: the emulator asks nobody's quotas."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Callable
from xml.sax.saxutils import escape

from .glibc import newest_glibc
from .request import Answer, Request
from .state import Front
from .templates import Stack

LAMBDA_GLIBC = (2, 34)


def memory(front: Front, stack: Stack) -> str | None:
    """A new account has functions of 3,008 MB at most.

    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        wanted = int(stack.value(function.get("MemorySize", 128)))
        if wanted > front.quotas.memory_mib:
            return (
                f"{name}: Resource handler returned message: \"'MemorySize' value failed to satisfy"
                f" constraint: Member must have value less than or equal to"
                f' {front.quotas.memory_mib} (Service: Lambda, Status Code: 400)"'
            )
    return None


def concurrency(front: Front, stack: Stack) -> str | None:
    """What a mapping may have running at once is the account's at most: more is throttled.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
    """
    for name, mapping in stack.of_type("AWS::Lambda::EventSourceMapping").items():
        wanted = stack.value(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 2))
        if int(wanted) > front.quotas.concurrency:
            return (
                f"{name}: MaximumConcurrency is {wanted}, the account has"
                f" {front.quotas.concurrency} concurrent executions"
            )
    return None


def visibility(_front: Front, stack: Stack) -> str | None:
    """A queue hides its messages for as long as the mapping's function may run, at least.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    functions = stack.of_type("AWS::Lambda::Function")
    queues = stack.of_type("AWS::SQS::Queue")
    for name, mapping in stack.of_type("AWS::Lambda::EventSourceMapping").items():
        function = functions.get(mapping["FunctionName"].get("Ref"), {})
        source = mapping["EventSourceArn"].get("Fn::GetAtt", [None])
        queue = queues.get(source[0] if isinstance(source, list) else source.split(".")[0], {})
        timeout = int(stack.value(function.get("Timeout", 3)))
        hidden = int(stack.value(queue.get("VisibilityTimeout", 30)))
        if hidden < timeout:
            return (
                f"{name}: Queue visibility timeout: {hidden} seconds is less than Function timeout:"
                f" {timeout} seconds"
            )
    return None


def glibc(front: Front, stack: Stack) -> str | None:
    """A zip of provided.al2023 runs on glibc 2.34.

    https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html
    """
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        code = stack.value(function.get("Code", {}))
        if stack.value(function.get("Runtime")) != "provided.al2023" or "S3Key" not in code:
            continue
        bucket = stack.value(code["S3Bucket"]) or own_bucket(front, stack, code["S3Bucket"])
        place = {"Bucket": bucket, "Key": stack.value(code["S3Key"])}
        body = front.admin("s3").get_object(**place)["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for member in archive.namelist():
                newest = newest_glibc(archive.read(member))
                if newest > LAMBDA_GLIBC:
                    version = ".".join(map(str, newest))
                    return f"{name}: {member}: version `GLIBC_{version}' not found"
    return None


def own_bucket(front: Front, stack: Stack, reference: dict[str, str]) -> str:
    """The name of a bucket that the stack itself has made."""
    cloudformation = front.admin("cloudformation")
    named = {"StackName": stack.name, "LogicalResourceId": reference["Ref"]}
    found = cloudformation.describe_stack_resource(**named)
    return found["StackResourceDetail"]["PhysicalResourceId"]


def image_index(front: Front, stack: Stack) -> str | None:
    """A function's image is one manifest, no index of several.

    https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
    """
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        image = stack.value(stack.value(function.get("Code", {})).get("ImageUri"))
        if image and any(image.endswith(known) for known in front.image_indexes):
            return (
                f"{name}: The image manifest, config or layer media type for the source image"
                f" {image} is not supported."
            )
    return None


RULES: list[Callable[[Front, Stack], str | None]] = [
    memory, concurrency, visibility, glibc, image_index,
]  # fmt: skip


def deployment_that_fails(front: Front, request: Request) -> Answer | None:
    """A stack that asks for what cannot be is rolled back: one that is created with its resources
    that are `RetainExceptOnCreate`, one that is updated to what it was.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    action = request.form.get("Action", "")
    if action not in ("CreateStack", "UpdateStack"):
        return None
    stack = Stack(request.form)
    failed = front.failed_stacks if action == "CreateStack" else front.failed_updates
    for rule in RULES:
        if reason := rule(front, stack):
            failed[stack.name] = reason
            front.event_ids[stack.name] = str(uuid.uuid4())
            return stack_answer(action, f"<StackId>{stack_id(stack.name)}</StackId>")
    failed.pop(stack.name, None)
    return None


def stack_that_was_rolled_back(front: Front, request: Request) -> Answer | None:
    """What CloudFormation tells of a stack whose creation or update failed."""
    # A stack may be named by its id, too.
    name = request.form.get("StackName", "").removeprefix("arn:")
    name = name.split("stack/")[-1].split("/")[0]
    action = request.form.get("Action", "")
    created, updated = front.failed_stacks.get(name), front.failed_updates.get(name)
    if action == "DescribeStackEvents" and (reason := created or updated):
        return stack_answer(
            action, failed_event(front, name, reason, "CREATE" if created else "UPDATE")
        )
    if action == "DescribeStacks" and updated:
        return stack_answer(action, rolled_back_update(front, name))
    if action == "DescribeStacks" and created:
        inner = (
            f"<Stacks><member><StackName>{name}</StackName><StackId>{stack_id(name)}</StackId>"
            "<CreationTime>2026-11-25T00:00:00Z</CreationTime><Tags><member>"
            f"<Key>render-on-lambda</Key><Value>{name}</Value></member></Tags>"
            "<StackStatus>ROLLBACK_COMPLETE</StackStatus></member></Stacks>"
        )
        return stack_answer(action, inner)
    if action == "DeleteStack":
        front.failed_updates.pop(name, None)
        if front.failed_stacks.pop(name, None):
            return stack_answer(action, "")
    return None


def failed_event(front: Front, name: str, reason: str, kind: str) -> str:
    """The event of the resource that could not be."""
    logical, _, words = reason.partition(": ")
    return (
        f"<StackEvents><member><StackName>{name}</StackName><StackId>{stack_id(name)}</StackId>"
        f"<EventId>{front.event_ids.get(name, 1)}</EventId>"
        f"<LogicalResourceId>{logical}</LogicalResourceId>"
        "<Timestamp>2026-11-25T00:00:00Z</Timestamp>"
        f"<ResourceStatus>{kind}_FAILED</ResourceStatus>"
        f"<ResourceStatusReason>{escape(words)}</ResourceStatusReason></member></StackEvents>"
    )


def rolled_back_update(front: Front, name: str) -> str:
    """The stack as it was before."""
    stack = front.admin("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    lists = {
        "Outputs": ("OutputKey", "OutputValue"),
        "Parameters": ("ParameterKey", "ParameterValue"),
        "Tags": ("Key", "Value"),
    }
    inner = ""
    for field, keys in lists.items():
        members = "".join(
            "<member>"
            + "".join(f"<{key}>{escape(str(one[key]))}</{key}>" for key in keys)
            + "</member>"
            for one in stack.get(field, [])
        )
        inner += f"<{field}>{members}</{field}>"
    return (
        f"<Stacks><member><StackName>{name}</StackName><StackId>{stack['StackId']}</StackId>"
        f"<CreationTime>2026-11-25T00:00:00Z</CreationTime>{inner}"
        "<StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus></member></Stacks>"
    )


def stack_id(name: str) -> str:
    return f"arn:aws:cloudformation:us-east-1:000000000000:stack/{name}/0"


def stack_answer(action: str, inner: str) -> Answer:
    namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
    body = f'<{action}Response xmlns="{namespace}"><{action}Result>{inner}</{action}Result>'
    return Answer(200, f"{body}</{action}Response>".encode(), "text/xml")
