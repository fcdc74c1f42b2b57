"""The front refuses what Lambda, CloudFormation and API Gateway refuse."""

from __future__ import annotations

import io
import json
import ssl
import time
import urllib.error
import urllib.request
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_farm import LocalFarm
from strict_front.glibc import newest_glibc
from strict_front.request import Request
from strict_front.stacks import memory
from strict_front.state import NEW_ACCOUNT, Quotas, SleepingFunction
from strict_front.templates import Stack

TEMPLATE = """
Parameters:
  Memory: {Type: Number, Default: 3008}
  Concurrency: {Type: Number, Default: 8}
  Visibility: {Type: Number, Default: 900}
  Image: {Type: String, Default: ""}
Conditions:
  HasImage: !Not [!Equals [!Ref Image, ""]]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: !Ref Visibility}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      MemorySize: !Ref Memory
      Timeout: 900
      Runtime: !If [HasImage, !Ref AWS::NoValue, provided.al2023]
      Code: !If
        - HasImage
        - ImageUri: !Ref Image
        - {S3Bucket: code, S3Key: function.zip}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt Queue.Arn
      FunctionName: !Ref Function
      ScalingConfig: {MaximumConcurrency: !Ref Concurrency}
"""


@pytest.fixture(scope="module")
def code(farm: LocalFarm) -> Any:
    """Puts a zip with one file where the template looks for it."""
    s3 = farm.client("s3")
    s3.create_bucket(Bucket="code")

    def put(body: bytes) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("bootstrap", body)
        s3.put_object(Bucket="code", Key="function.zip", Body=buffer.getvalue())

    put(b"#!/bin/sh")
    return put


def refusal(farm: LocalFarm, **parameters: str) -> str:
    """Why a stack with these parameters cannot be created."""
    cloudformation = farm.front_client("cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": text} for key, text in parameters.items()]
    name = f"stack-{time.monotonic_ns()}"
    cloudformation.create_stack(StackName=name, TemplateBody=TEMPLATE, Parameters=given)
    status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    assert status == "ROLLBACK_COMPLETE"
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    cloudformation.delete_stack(StackName=name)
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=name)
    return events[0]["ResourceStatusReason"]


@pytest.fixture
def new_account(farm: LocalFarm) -> Any:
    farm.front.quotas = NEW_ACCOUNT
    yield
    farm.front.quotas = Quotas()


@pytest.mark.usefixtures("new_account", "code")
def test_a_new_account_has_little_memory_and_few_executions(farm: LocalFarm) -> None:
    assert "less than or equal to 3008" in refusal(farm, Memory="10240")
    assert "the account has 10 concurrent executions" in refusal(farm, Concurrency="200")


@pytest.mark.usefixtures("code")
def test_a_queue_hides_messages_for_as_long_as_the_function_may_run(farm: LocalFarm) -> None:
    assert "30 seconds is less than Function timeout: 900" in refusal(farm, Visibility="30")


def test_a_zip_that_asks_for_a_newer_glibc_does_not_start(farm: LocalFarm, code: Any) -> None:
    import sys
    from pathlib import Path

    binary = Path(sys.executable).resolve().read_bytes()
    assert newest_glibc(binary) > (2, 0)
    assert newest_glibc(b"#!/bin/sh") == (0, 0)
    # This machine's own glibc, as a build on a newer system would ask for.
    code(binary.replace(b"GLIBC_2.34\0", b"GLIBC_2.38\0"))
    try:
        assert "GLIBC_2.38' not found" in refusal(farm)
    finally:
        code(b"#!/bin/sh")


def test_an_index_of_images_is_no_function(farm: LocalFarm) -> None:
    ecr = farm.front_client("ecr")
    ecr.create_repository(repositoryName="renderer")
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [],
    }
    ecr.put_image(
        repositoryName="renderer", imageManifest=json.dumps(index), imageTag="attested",
        imageManifestMediaType=index["mediaType"],
    )  # fmt: skip
    assert "media type for the source image" in refusal(farm, Image="host/renderer:attested")


def test_a_function_that_was_put_away_is_woken_by_the_call_that_it_refuses(
    farm: LocalFarm,
) -> None:
    role = farm.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bootstrap", "#!/bin/sh\n")
    functions = farm.front_client("lambda")
    functions.create_function(
        FunctionName="sleeper", Runtime="provided.al2023", Handler="bootstrap",
        Role=role["Role"]["Arn"], Code={"ZipFile": buffer.getvalue()},
    )  # fmt: skip
    farm.front.asleep["sleeper"] = SleepingFunction(0.5)

    def state() -> str:
        return functions.get_function_configuration(FunctionName="sleeper")["State"]

    assert state() == "Inactive"
    with pytest.raises(ClientError, match="CodeArtifactUserPendingException"):
        functions.invoke(FunctionName="sleeper")
    assert state() == "Pending"
    time.sleep(0.6)
    assert state() == "Active"


def test_an_invocation_takes_six_megabytes(farm: LocalFarm) -> None:
    functions = farm.front_client("lambda")
    with pytest.raises(ClientError, match="RequestEntityTooLarge"):
        functions.invoke(FunctionName="sleeper", Payload=b'"' + b"x" * (6 << 20) + b'"')


def test_an_http_api_takes_ten_megabytes(farm: LocalFarm) -> None:
    url = f"{farm.endpoint}/_aws/execute-api/anything/$default/render-jobs"
    request = urllib.request.Request(url, data=b"x" * ((10 << 20) + 1), method="POST")
    context = ssl.create_default_context(cafile=farm.authority)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, context=context, timeout=30)
    assert caught.value.code == 413


def test_a_template_is_read_with_its_parameters() -> None:
    form = {
        "TemplateBody": TEMPLATE,
        "StackName": "one",
        "Parameters.member.1.ParameterKey": "Memory",
        "Parameters.member.1.ParameterValue": "4096",
    }
    body = "&".join(f"{key}={value}" for key, value in form.items() if key == "StackName")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert Request("POST", "/", headers, len(body), body.encode()).form == {"StackName": "one"}
    stack = Stack(form)
    functions = stack.of_type("AWS::Lambda::Function")
    assert stack.value(functions["Function"]["MemorySize"]) == "4096"
    assert stack.value(functions["Function"]["Code"]) == {
        "S3Bucket": "code",
        "S3Key": "function.zip",
    }
    front: Any = type("Front", (), {"quotas": NEW_ACCOUNT})
    assert memory(front, stack)
