"""The front refuses what S3 refuses."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_farm import LocalFarm

BUCKET = "a-bucket"
PART = b"x" * (5 << 20)


def code_of(call: Any, **arguments: Any) -> str:
    """The code of the error that a call is answered with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def upload(s3: Any, key: str, sizes: list[int], algorithm: str | None) -> dict[str, Any]:
    """An upload in parts with checksums, ready to be completed."""
    begun = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    place = {"Bucket": BUCKET, "Key": key}
    place["UploadId"] = s3.create_multipart_upload(**place, **begun)["UploadId"]
    parts = []
    for number, size in enumerate(sizes, 1):
        sent = s3.upload_part(
            **place, PartNumber=number, Body=b"x" * size, ChecksumAlgorithm="CRC32"
        )
        part = {"PartNumber": number, "ETag": sent["ETag"]}
        parts.append(part | {"ChecksumCRC32": sent["ChecksumCRC32"]})
    return place | {"MultipartUpload": {"Parts": parts}}


def test_parts_with_checksums_need_an_upload_that_was_begun_with_their_algorithm(s3: Any) -> None:
    without = upload(s3, "without", [len(PART), 10], None)
    assert code_of(s3.complete_multipart_upload, **without) == "InvalidPart"
    s3.complete_multipart_upload(**upload(s3, "with", [len(PART), 10], "CRC32"))


def test_a_completion_names_the_checksum_of_each_part(s3: Any) -> None:
    asked = upload(s3, "named", [len(PART), 10], "CRC32")
    for part in asked["MultipartUpload"]["Parts"]:
        del part["ChecksumCRC32"]
    assert code_of(s3.complete_multipart_upload, **asked) == "InvalidRequest"


def test_a_part_that_is_not_the_last_has_five_mebibytes(s3: Any) -> None:
    asked = upload(s3, "small", [1000, 1000], "CRC32")
    assert code_of(s3.complete_multipart_upload, **asked) == "EntityTooSmall"


def test_a_conditional_write_that_meets_another_is_a_conflict(farm: LocalFarm, s3: Any) -> None:
    farm.front.conflicts.append(lambda request: request.path.endswith("/met"))
    put = {"Bucket": BUCKET, "Key": "met", "Body": b"", "IfNoneMatch": "*"}
    assert code_of(s3.put_object, **put) == "ConditionalRequestConflict"
    s3.put_object(**put)
    assert code_of(s3.put_object, **put) == "PreconditionFailed"


def test_two_conditional_writes_at_once_do_not_both_win(farm: LocalFarm) -> None:
    codes: list[str] = []

    def put() -> None:
        try:
            farm.front_client("s3").put_object(
                Bucket=BUCKET, Key="race", Body=b"x" * 100_000, IfNoneMatch="*"
            )
            codes.append("won")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count("won") == 1
    assert set(codes) <= {"won", "ConditionalRequestConflict", "PreconditionFailed"}


def test_s3_asks_to_slow_down(farm: LocalFarm, s3: Any) -> None:
    farm.front.slow_down = 1.0
    try:
        assert code_of(s3.list_objects_v2, Bucket=BUCKET) == "SlowDown"
    finally:
        farm.front.slow_down = 0.0


def test_plain_http_reaches_nobody(farm: LocalFarm) -> None:
    import http.client

    connection = http.client.HTTPConnection(farm.endpoint.removeprefix("https://"), timeout=5)
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.request("GET", "/")
        connection.getresponse()


def test_a_front_that_refuses_nothing_lets_large_bodies_by(s3: Any) -> None:
    began = time.monotonic()
    body = b"0123456789" * 2_000_000
    s3.put_object(Bucket=BUCKET, Key="large", Body=body)
    assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == body
    assert time.monotonic() - began < 60
