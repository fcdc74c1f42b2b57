"""What ECR takes for itself, and the emulator does not."""

from __future__ import annotations

import json
import re

from .request import Answer, Request
from .state import Front

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
UPLOAD = re.compile(r"^/v2/(.+)/blobs/uploads/[^/]+$")
MANIFEST = re.compile(r"^/v2/(.+)/manifests/([^/]+)$")


def piece_that_is_dropped(_front: Front, request: Request) -> Answer | None:
    """ECR says that it has taken every piece of a blob, and keeps the first.

    https://github.com/aws/containers-roadmap/issues/2831
    """
    starts = request.headers.get("content-range", "0-").split("-")[0].removeprefix("bytes ")
    if request.method == "PATCH" and UPLOAD.match(request.path) and starts != "0":
        return Answer(201, b"")
    return None


def tag_that_is_there(front: Front, request: Request) -> Answer | None:
    """A repository whose tags are immutable takes no tag twice.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    """
    found = MANIFEST.match(request.path)
    if request.method != "PUT" or not found or ":" in found[2]:
        return None
    ecr = front.admin("ecr")
    repositories = ecr.describe_repositories(repositoryNames=[found[1]])["repositories"]
    if repositories[0].get("imageTagMutability") != "IMMUTABLE":
        return None
    tags = ecr.list_images(repositoryName=found[1])["imageIds"]
    if not any(image.get("imageTag") == found[2] for image in tags):
        return None
    message = (
        f"The image tag '{found[2]}' already exists in the '{found[1]}' repository and cannot be"
        " overwritten because the tag is immutable."
    )
    body = json.dumps({"errors": [{"code": "TAG_INVALID", "message": message}]})
    return Answer(400, body.encode(), "application/json")


def note_image(front: Front, request: Request, _body: bytes) -> None:
    """Takes note of an index that was pushed to ECR."""
    found = MANIFEST.match(request.path)
    if found and request.method == "PUT" and request.headers.get("content-type") in INDEXES:
        front.image_indexes.add(f"{found[1]}{'@' if ':' in found[2] else ':'}{found[2]}")
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
