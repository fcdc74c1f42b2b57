"""The HTTP API: a job that is posted renders like one from the button."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import Blender
from local_farm import REGION, LocalFarm
from test_main_job import render, same_pixels, wait_for

# That of the scenes here, and of the farm.
OURS = [int(number) for number in version("bpy").split(".")]


class Api:
    """The stack's API, called with IAM signatures."""

    def __init__(self, farm: LocalFarm) -> None:
        self._credentials = Credentials(*farm.artist)
        self._tls = ssl.create_default_context(cafile=farm.authority)
        # The API's own host name is in no DNS here: MiniStack knows it by a path as well.
        name = urlsplit(farm.outputs()["ApiUrl"]).netloc.split(".")[0]
        self.url = f"{farm.endpoint}/_aws/execute-api/{name}/$default"

    def call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        """Status and body of an answer."""
        url = f"{self.url}{path}"
        headers = {"Content-Type": "application/json"}
        signed = AWSRequest(method=method, url=url, data=body, headers=headers)
        SigV4Auth(self._credentials, "execute-api", REGION).add_auth(signed)
        request = urllib.request.Request(
            url, data=body, method=method, headers=dict(signed.headers)
        )
        try:
            with urllib.request.urlopen(request, timeout=60, context=self._tls) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def post(self, job: object) -> tuple[int, dict[str, Any]]:
        """Post a job."""
        return self.call("POST", "/render-jobs", json.dumps(job).encode())


@pytest.fixture(scope="module")
def api(farm: LocalFarm) -> Api:
    return Api(farm)


def test_a_posted_job_renders_like_one_from_the_button(
    farm: LocalFarm, api: Api, blender: Blender, sample: Path, local_frames: Path, tmp_path: Path
) -> None:
    first = render(blender, sample, "scene.frame_end = 1")
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    key = f"jobs/{first['job']['id']}/job.json"
    pack = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["pack"]
    status, answer = api.post(
        {
            "pack": pack,
            "name": "from the pipeline",
            "frames": {"first": 2, "last": 3},
            "output": {"template": "sample_####"},
            "blender_version": OURS,
        }
    )
    assert (status, answer["tasks"]) == (202, 2)

    def done() -> bool:
        status, progress = api.call("GET", f"/render-jobs/{answer['id']}")
        assert status == 200 and progress["total"] == 2
        return progress["done"] == 2

    wait_for(done, "rendering two frames")
    for frame in (2, 3):
        name = f"sample_{frame:04}.png"
        s3.download_file(bucket, f"jobs/{answer['id']}/frames/{name}", str(tmp_path / name))
        assert same_pixels(tmp_path / name, local_frames / name)


def test_a_scene_of_another_blender_than_its_job_says_is_not_rendered(
    farm: LocalFarm, api: Api, blender: Blender, sample: Path
) -> None:
    first = render(blender, sample, "scene.frame_end = 1")
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    key = f"jobs/{first['job']['id']}/job.json"
    pack = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["pack"]
    older = {"blender_version": [OURS[0] - 1, 0, 0], "allow_other_blender": True}
    status, answer = api.post({"pack": pack, "frames": {"first": 2, "last": 2}} | older)
    assert status == 202, answer
    promised = s3.get_object(Bucket=bucket, Key=f"jobs/{answer['id']}/job.json")["Body"].read()
    assert json.loads(promised)["render_version"] == OURS[:2]

    def failed() -> bool:
        _, progress = api.call("GET", f"/render-jobs/{answer['id']}")
        return progress["failed"] == 1

    wait_for(failed, "a refusal")
    record = s3.get_object(Bucket=bucket, Key=f"jobs/{answer['id']}/tasks/2.json")["Body"].read()
    words = json.loads(record)["failure"]["message"]
    assert f"but it was saved by {OURS[0]}.{OURS[1]}" in words, words


def test_a_job_that_is_posted_twice_with_one_token_is_one_job(
    farm: LocalFarm, api: Api, blender: Blender, sample: Path
) -> None:
    first = render(blender, sample, "scene.frame_end = 1")
    key = f"jobs/{first['job']['id']}/job.json"
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    pack = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["pack"]
    job = {
        "pack": pack,
        "frames": {"first": 2, "last": 2},
        "blender_version": OURS,
        "client_token": "shot 7, take 3",
    }
    answers = [api.post(job) for _ in range(3)]
    assert {status for status, _ in answers} == {202}
    assert len({answer["id"] for _, answer in answers}) == 1
    status, answer = api.post(job | {"frames": {"first": 3, "last": 3}})
    assert status == 409 and answer["error"].startswith("client_token: it was sent before")
    status, answer = api.post(job | {"client_token": "shot 7, take 4"})
    assert status == 202 and answer["id"] != answers[0][1]["id"]


PACK = "ab" * 32
TEN = {"first": 1, "last": 10}


@pytest.mark.parametrize(
    ("job", "field"),
    [
        ({"pack": PACK}, "frames"),
        ({"pack": PACK, "frames": {"first": 10, "last": 1}}, "frames.last"),
        ({"pack": PACK, "frames": {"first": 1, "last": 1_000_000}}, "frames"),
        ({"pack": PACK, "frames": TEN}, "pack"),
        ({"pack": "../job", "frames": TEN}, "pack"),
        ({"frames": TEN}, "pack"),
        ({"pack": PACK, "frames": TEN, "blender_version": [5, 1, 0]}, "blender_version"),
        ({"pack": PACK, "frames": TEN, "blender_version": [9, 0, 0]}, "blender_version"),
    ],
)
def test_a_job_that_cannot_be_is_refused_by_its_field(
    api: Api, job: dict[str, Any], field: str
) -> None:
    status, answer = api.post({"blender_version": OURS} | job)
    assert status == 400
    assert answer["error"].startswith(f"{field}: "), answer


def test_a_job_says_which_blender_its_scene_comes_from(api: Api) -> None:
    status, answer = api.post({"pack": PACK, "frames": TEN})
    assert (status, answer["error"]) == (400, "blender_version: expected a value, got none")


def test_a_body_that_is_not_json_is_refused(api: Api) -> None:
    status, answer = api.call("POST", "/render-jobs", b"frames 1 to 10")
    assert status == 400
    assert answer["error"].startswith("body: expected a JSON object")


def test_a_job_that_never_was_is_not_found(api: Api) -> None:
    status, answer = api.call("GET", "/render-jobs/0190a5d4-7c6e-7000-8000-000000000000")
    assert status == 404 and "job.json" in answer["error"]
    status, _ = api.call("GET", "/render-jobs/..%2f..")
    assert status in (400, 404)
