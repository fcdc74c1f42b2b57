"""The HTTP API answers as docs/openapi.yaml says, whatever it is asked."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import PROJECT
from hypothesis import HealthCheck, settings
from local_farm import REGION, LocalFarm
from test_http_api import Api

# A call goes through a function.
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

schema = schemathesis.openapi.from_path(PROJECT / "docs" / "openapi.yaml")


@pytest.fixture(scope="module")
def api(farm: LocalFarm) -> Api:
    return Api(farm)


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
def test_every_answer_is_one_of_the_document(case: Any, farm: LocalFarm, api: Api) -> None:
    request = case.as_transport_kwargs(base_url=api.url)
    body = request.get("data") or (
        json.dumps(request["json"]).encode() if request.get("json") is not None else b""
    )
    signed = AWSRequest(
        method=case.method.upper(), url=request["url"], data=body,
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    SigV4Auth(Credentials(*farm.artist), "execute-api", REGION).add_auth(signed)
    answer = case.call(
        base_url=api.url, headers=dict(signed.headers), verify=str(farm.authority), timeout=30
    )
    case.validate_response(
        answer,
        excluded_checks=[
            # The key is the caller's own; what is refused without one has a test below.
            schemathesis.checks.CHECKS.get_one("ignored_auth"),
            # Which frames and packs there are, no schema can say.
            schemathesis.checks.CHECKS.get_one("positive_data_acceptance"),
            schemathesis.checks.CHECKS.get_one("unsupported_method"),
            # API Gateway answers 403 to what is not signed, not 401.
            schemathesis.checks.CHECKS.get_one("missing_required_header"),
        ],
    )


def curl_of_the_readme() -> str:
    """The command of the README that posts a job."""
    text = (PROJECT / "README.md").read_text()
    found = re.search(r"```sh\n(curl --aws-sigv4.*?)```", text, re.DOTALL)
    assert found
    return found[1]


def test_the_command_of_the_readme_works_with_temporary_credentials(
    farm: LocalFarm, api: Api
) -> None:
    iam, sts = farm.client("iam"), farm.client("sts")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(RoleName="pipeline", PolicyArn=farm.outputs()["ArtistPolicyArn"])
    found = sts.assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="one")["Credentials"]
    # Where the API is here; the signature of curl is of the same.
    script = curl_of_the_readme().replace("curl ", f'curl --cacert "{farm.authority}" --silent ', 1)
    done = subprocess.run(
        ["bash", "-euc", script.replace("<pack id>", "ab" * 32)],
        env={
            "PATH": "/usr/bin:/bin",
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
            # curl signs a path as it is; that of a real API has no `$`.
            "API_URL": api.url.removesuffix("/$default"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answer = json.loads(done.stdout)
    assert answer == {"error": f"pack: there is no pack {'ab' * 32} in the bucket"}, done
