"""How long it takes to count the frames of a job that is done, for whoever looks at it first.

The bucket is a stand-in that only lists: MiniStack sorts all of its objects for each page, which
takes longer than the whole count. Each answer comes 25 ms late, as from S3.
"""

from __future__ import annotations

import asyncio
import bisect
import json
import os
import statistics
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from http_relay import served  # noqa: E402

EXAMPLE = ROOT / "target" / "release" / "examples" / "count_frames"
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
ROUND_TRIP_SECONDS = 0.025
PAGE = 1000
BEGAN_MS = 1_764_000_000_000
# A job of a thousand workers, ten seconds a frame.
FRAMES_A_SECOND = 100


class Bucket:
    """A bucket with a job and its events, which answers GET and LIST."""

    def __init__(self, frames: int) -> None:
        self.job = str(uuid.UUID(int=(BEGAN_MS << 80) | (7 << 76) | (2 << 62)))
        self.prefix = f"jobs/{self.job}/events/"
        self.requests = 0
        events = []
        for frame in range(1, frames + 1):
            at = BEGAN_MS + frame * 1000 // FRAMES_A_SECOND
            worker = f"{frame % 1000:08x}"
            events.append(f"{self.prefix}{at:013}.{frame}.1.{worker}.running")
            events.append(f"{self.prefix}{at + 10_000:013}.{frame}.1.{worker}.done.9000.10000")
        self.keys = sorted(events)
        self._listed = [
            f"<Contents><Key>{key}</Key><LastModified>2025-11-24T16:00:00.000Z</LastModified>"
            '<ETag>"d41d8cd98f00b204e9800998ecf8427e"</ETag><Size>0</Size>'
            "<StorageClass>STANDARD</StorageClass></Contents>".encode()
            for key in self.keys
        ]
        self._document = json.dumps(
            {
                "version": 2,
                "id": self.job,
                "name": "long",
                "pack": "ab" * 32,
                "frames": {"first": 1, "last": frames},
                "output": {"template": "####"},
                "blender_version": [5, 2, 0],
            }
        ).encode()

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Answer one request after the other."""
        try:
            while True:
                head = await client.readuntil(b"\r\n\r\n")
                self.requests += 1
                status, body = self._answer(head.split(b" ", 2)[1].decode())
                await asyncio.sleep(ROUND_TRIP_SECONDS)
                to_client.write(
                    f"HTTP/1.1 {status} Answer\r\ncontent-length: {len(body)}\r\n"
                    "content-type: application/xml\r\n\r\n".encode()
                    + body
                )
                await to_client.drain()
        except (OSError, asyncio.IncompleteReadError):
            to_client.transport.abort()

    def _answer(self, target: str) -> tuple[int, bytes]:
        parts = urlsplit(target)
        if "list-type" not in parts.query:
            if parts.path.endswith("/job.json"):
                return 200, self._document
            return 404, b"<Error><Code>NoSuchKey</Code></Error>"
        query = parse_qs(parts.query)
        limit = int(query.get("max-keys", [PAGE])[0])
        start = bisect.bisect_right(self.keys, query.get("start-after", [""])[0])
        page = self._listed[start : start + limit]
        is_more = start + limit < len(self.keys)
        truncated = f"<IsTruncated>{str(is_more).lower()}</IsTruncated>".encode()
        return 200, b"<ListBucketResult>" + truncated + b"".join(page) + b"</ListBucketResult>"


def main() -> None:
    """Measures and prints."""
    print("| frames of a job that is done | seconds to count them | requests |")
    print("|---|---|---|")
    for frames in (1000, 10_000, 100_000):
        bucket = Bucket(frames)
        with served(bucket.serve) as port:
            taken = [count(f"http://127.0.0.1:{port}", bucket, frames) for _ in range(RUNS)]
        requests = bucket.requests // RUNS
        print(f"| {frames:,} | {statistics.median(taken):.2f} | {requests} |")


def count(endpoint: str, bucket: Bucket, frames: int) -> float:
    """The seconds that one count takes."""
    keys = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "local"}
    done = subprocess.run(
        [EXAMPLE, endpoint, "bucket", bucket.job],
        env=os.environ | keys, capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, counted = done.stdout.split()
    assert int(counted) == frames, done.stdout
    return float(seconds)


if __name__ == "__main__":
    main()
