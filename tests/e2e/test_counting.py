"""A job's progress is counted from its log, whoever looks and however long the log is."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import command
from local_farm import LocalFarm
from test_http_api import Api

FRAMES = 3000


def test_thousands_of_frames_are_counted_in_whatever_order_they_came(
    farm: LocalFarm, sample: Path
) -> None:
    farm.set_mapping(enabled=False)
    try:
        done = command(farm, "submit", "--json", sample, "--frames", f"1-{FRAMES}")
        job = json.loads(done.stdout.splitlines()[-1])["job"]
        farm.client("sqs").purge_queue(QueueUrl=farm.outputs()["QueueUrl"])
    finally:
        farm.set_mapping(enabled=True)
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    created = int(job.replace("-", "")[:12], 16)
    choose = random.Random(9)
    names = []
    for frame in range(1, FRAMES + 1):
        # Most in a minute, some long after: a night without workers.
        at = created + choose.randrange(60_000) + (40_000_000 if frame % 10 == 0 else 0)
        names.append(f"{at:013}.{frame}.1.{frame % 50:08x}.running")
        if frame % 3:
            names.append(f"{at + 9000:013}.{frame}.1.{frame % 50:08x}.done.8000.9000")
        elif frame % 2:
            names.append(f"{at + 500:013}.{frame}.1.{frame % 50:08x}.failed.500")
    # What is no event, or of no frame of the job, changes nothing.
    names += [
        "0",
        "zzz",
        "0000000000001.1.1.x.running",
        f"{created:013}.{FRAMES + 1}.1.00000001.running",
    ]

    def put(name: str) -> None:
        s3.put_object(Bucket=bucket, Key=f"jobs/{job}/events/{name}", Body=b"")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, names))
    before = len(farm.front.requests)
    status, told = Api(farm).call("GET", f"/render-jobs/{job}")
    assert status == 200, told
    assert (told["total"], told["done"]) == (FRAMES, FRAMES - FRAMES // 3)
    assert (told["failed"], told["running"]) == (FRAMES // 6, FRAMES // 6)
    assert told["render_seconds"] == 8.0 * told["done"]
    lists = [one for one in farm.front.requests[before:] if "list-type=2" in one[2]]
    assert len(lists) < 80, len(lists)
