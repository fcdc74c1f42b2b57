"""The front refuses what ECR refuses, and drops what it drops."""

from __future__ import annotations

import hashlib
import ssl
import urllib.error
import urllib.request
from typing import Any

import pytest
from local_farm import LocalFarm

MANIFEST = b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}'
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture(scope="module")
def repository(farm: LocalFarm) -> str:
    """A repository whose tags are immutable."""
    name = "a-repository"
    ecr = farm.client("ecr")
    ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
    return name


def ask(
    farm: LocalFarm, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, Any]:
    """The status and the headers of an answer of the registry."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(farm.endpoint + path, body, fields, method=method)
    trusted = ssl.create_default_context(cafile=str(farm.authority))
    try:
        with urllib.request.urlopen(request, context=trusted) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_the_second_piece_of_a_blob_is_dropped(farm: LocalFarm, repository: str) -> None:
    _, headers = ask(farm, "POST", f"/v2/{repository}/blobs/uploads/")
    place = headers["Location"]
    first, _ = ask(farm, "PATCH", place, b"first", content_range="0-4")
    second, _ = ask(farm, "PATCH", place, b"second", content_range="5-10")
    assert (first, second) == (202, 201)
    for content, status in ((b"firstsecond", 400), (b"first", 201)):
        digest = hashlib.sha256(content).hexdigest()
        done, _ = ask(farm, "PUT", f"{place}?digest=sha256:{digest}")
        assert done == status


def test_an_immutable_tag_is_put_once(farm: LocalFarm, repository: str) -> None:
    path = f"/v2/{repository}/manifests/one"
    assert ask(farm, "PUT", path, MANIFEST, content_type=MANIFEST_TYPE)[0] == 201
    assert ask(farm, "PUT", path, MANIFEST, content_type=MANIFEST_TYPE)[0] == 400
    digest = hashlib.sha256(MANIFEST).hexdigest()
    by_digest = f"/v2/{repository}/manifests/sha256:{digest}"
    assert ask(farm, "PUT", by_digest, MANIFEST, content_type=MANIFEST_TYPE)[0] == 201
