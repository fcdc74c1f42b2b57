"""What S3 refuses and the emulator takes."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from .request import Answer, Request, s3_error
from .state import Front

PART_BYTES = 5 << 20


def is_s3(request: Request) -> bool:
    return request.service == "s3"


def checksum_of_an_upload_in_parts(front: Front, request: Request) -> Answer | None:
    """Parts with a checksum, of an upload that was begun without its algorithm, make no object; and
    where there is an algorithm, the completion names the checksum of each part.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    """
    if not is_s3(request) or request.method != "POST" or "uploadId" not in request.query:
        return None
    algorithm = front.uploads.get(request.query["uploadId"])
    if algorithm is None:
        return None
    for part in ElementTree.fromstring(request.body or b"<none/>"):
        children = {child.tag.rsplit("}")[-1]: child.text or "" for child in part}
        found = next((name for name in children if name.startswith("Checksum")), None)
        number = children.get("PartNumber", "?")
        if not algorithm and found:
            return s3_error(
                400,
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been"
                " uploaded, or the specified entity tag may not match the part's entity tag.",
            )
        if algorithm and not found:
            return s3_error(
                400,
                "InvalidRequest",
                f"The upload was created using a {algorithm.lower()} checksum. The complete request"
                f" must include the checksum for each part. It was missing for part {number} in the"
                " request.",
            )
    return None


def size_of_a_part(front: Front, request: Request) -> Answer | None:
    """Every part but the last has 5 MiB at least.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
    """
    query = request.query
    if not is_s3(request) or "uploadId" not in query:
        return None
    upload = query["uploadId"]
    if request.method == "PUT" and query.get("partNumber", "").isdecimal():
        size = request.headers.get("x-amz-decoded-content-length", str(request.body_bytes))
        front.part_sizes[upload, int(query["partNumber"])] = int(size)
    elif request.method == "POST":
        sizes = [size for key, size in sorted(front.part_sizes.items()) if key[0] == upload]
        if any(size < PART_BYTES for size in sizes[:-1]):
            message = "Your proposed upload is smaller than the minimum allowed size"
            return s3_error(400, "EntityTooSmall", message)
    return None


def conflict_of_conditional_writes(front: Front, request: Request) -> Answer | None:
    """A conditional write that meets another one of the same key is answered with 409.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    if not request.is_conditional_write:
        return None
    is_asked_for = next((rule for rule in front.conflicts if rule(request)), None)
    if is_asked_for:
        front.conflicts.remove(is_asked_for)
    if is_asked_for or request.path in front.writing:
        return s3_error(
            409,
            "ConditionalRequestConflict",
            "The conditional request cannot succeed due to a conflicting operation against this"
            " resource.",
        )
    return None


def slow_down(front: Front, request: Request) -> Answer | None:
    """S3 answers 503 while it makes room for a higher rate of requests.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
    """
    if is_s3(request) and front.random.random() < front.slow_down:
        return s3_error(503, "SlowDown", "Please reduce your request rate.")
    return None


def note_upload(front: Front, request: Request, body: bytes) -> None:
    """Takes note of an upload in parts that was begun, and of the algorithm of its checksums."""
    if not is_s3(request) or request.method != "POST" or "uploads" not in request.query:
        return
    for element in ElementTree.fromstring(body).iter():
        if element.tag.endswith("UploadId") and element.text:
            front.uploads[element.text] = request.headers.get("x-amz-checksum-algorithm", "")
