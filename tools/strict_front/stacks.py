"""What the creation of a stack fails with on AWS: the emulator asks nobody's quotas."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import yaml

from .glibc import newest_glibc
from .request import Answer, Request
from .state import Front

LAMBDA_GLIBC = (2, 34)
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


class TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref` is `Ref`, `!Sub` is `Fn::Sub`."""

    def short_form(self, name: str, node: yaml.Node) -> dict[str, Any]:
        """A function with its argument."""
        if isinstance(node, yaml.ScalarNode):
            value: Any = self.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = self.construct_sequence(node, deep=True)
        else:
            assert isinstance(node, yaml.MappingNode)
            value = self.construct_mapping(node, deep=True)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


TemplateLoader.add_multi_constructor("!", TemplateLoader.short_form)


class Stack:
    """A template with the values of its parameters."""

    def __init__(self, form: dict[str, str]) -> None:
        self.name = form.get("StackName", "")
        self.template: dict[str, Any] = yaml.load(form.get("TemplateBody", "{}"), TemplateLoader)
        self._values = {
            name: str(parameter["Default"])
            for name, parameter in self.template.get("Parameters", {}).items()
            if "Default" in parameter
        }
        for field, name in form.items():
            if found := re.fullmatch(r"Parameters\.member\.(\d+)\.ParameterKey", field):
                value = form.get(f"Parameters.member.{found[1]}.ParameterValue", "")
                self._values[name] = value

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of a type, by their logical names."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.template.get("Resources", {}).items()
            if resource.get("Type") == kind
        }

    def value(self, value: Any) -> Any:
        """A value, with references to parameters and conditions on empty ones resolved."""
        match value:
            case {"Ref": str(name)}:
                return self._values.get(name)
            case {"Fn::If": [str(condition), yes, no]}:
                return self.value(yes if self._holds(condition) else no)
            case _:
                return value

    def _holds(self, condition: str) -> bool:
        match self.template.get("Conditions", {}).get(condition):
            case {"Fn::Not": [{"Fn::Equals": [one, other]}]}:
                return self.value(one) != self.value(other)
            case {"Fn::Equals": [one, other]}:
                return self.value(one) == self.value(other)
            case _:
                raise ValueError(f"the front cannot tell whether {condition} holds")


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
        place = {"Bucket": stack.value(code["S3Bucket"]), "Key": stack.value(code["S3Key"])}
        body = front.admin("s3").get_object(**place)["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for member in archive.namelist():
                newest = newest_glibc(archive.read(member))
                if newest > LAMBDA_GLIBC:
                    version = ".".join(map(str, newest))
                    return f"{name}: {member}: version `GLIBC_{version}' not found"
    return None


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


def creation_that_fails(front: Front, request: Request) -> Answer | None:
    """A stack that asks for what cannot be is rolled back: its resources with
    `RetainExceptOnCreate` go as well.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    if request.form.get("Action") != "CreateStack":
        return None
    stack = Stack(request.form)
    for rule in RULES:
        if reason := rule(front, stack):
            front.failed_stacks[stack.name] = reason
            return stack_answer("CreateStack", f"<StackId>{stack_id(stack.name)}</StackId>")
    front.failed_stacks.pop(stack.name, None)
    return None


def stack_that_was_rolled_back(front: Front, request: Request) -> Answer | None:
    """What CloudFormation tells of a stack whose creation failed."""
    name = request.form.get("StackName", "")
    reason = front.failed_stacks.get(name)
    if reason is None:
        return None
    action = request.form.get("Action")
    if action == "DescribeStacks":
        inner = (
            f"<Stacks><member><StackName>{name}</StackName><StackId>{stack_id(name)}</StackId>"
            "<CreationTime>2026-11-25T00:00:00Z</CreationTime>"
            "<StackStatus>ROLLBACK_COMPLETE</StackStatus></member></Stacks>"
        )
        return stack_answer(action, inner)
    if action == "DescribeStackEvents":
        logical, _, words = reason.partition(": ")
        escaped = words.replace("&", "&amp;").replace("<", "&lt;")
        inner = (
            f"<StackEvents><member><StackName>{name}</StackName><StackId>{stack_id(name)}</StackId>"
            f"<EventId>1</EventId><LogicalResourceId>{logical}</LogicalResourceId>"
            "<Timestamp>2026-11-25T00:00:00Z</Timestamp>"
            "<ResourceStatus>CREATE_FAILED</ResourceStatus>"
            f"<ResourceStatusReason>{escaped}</ResourceStatusReason></member></StackEvents>"
        )
        return stack_answer(action, inner)
    if action == "DeleteStack":
        del front.failed_stacks[name]
        return stack_answer(action, "")
    return None


def stack_id(name: str) -> str:
    return f"arn:aws:cloudformation:us-east-1:000000000000:stack/{name}/0"


def stack_answer(action: str, inner: str) -> Answer:
    namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
    body = f'<{action}Response xmlns="{namespace}"><{action}Result>{inner}</{action}Result>'
    return Answer(200, f"{body}</{action}Response>".encode(), "text/xml")


def note_image(front: Front, request: Request, _body: bytes) -> None:
    """Takes note of an index that was pushed to ECR."""
    if not request.headers.get("x-amz-target", "").endswith(".PutImage"):
        return
    asked = json.loads(request.body or b"{}")
    manifest = json.loads(asked.get("imageManifest", "{}"))
    media_type = asked.get("imageManifestMediaType") or manifest.get("mediaType")
    if media_type in INDEXES:
        repository = asked.get("repositoryName", "")
        for mark, name in ((":", "imageTag"), ("@", "imageDigest")):
            if asked.get(name):
                front.image_indexes.add(f"{repository}{mark}{asked[name]}")
