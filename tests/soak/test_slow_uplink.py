"""A worker behind an ordinary line: what it sends takes as long as it takes, and arrives."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from http_relay import served
from local_farm import local_farm
from test_large_files import SCENE
from workers import BINARIES, Queue

BYTES_A_SECOND = 1_200_000


class SlowLine:
    """Copies bytes both ways; all that is sent together is as fast as the line."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free_at = 0.0

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(
            self._copy(client, to_server, slow=True), self._copy(server, to_client)
        )

    async def _copy(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, slow: bool = False
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(16 << 10):
                if slow:
                    now = time.monotonic()
                    self._free_at = max(self._free_at, now) + len(piece) / BYTES_A_SECOND
                    await asyncio.sleep(self._free_at - now)
                to.write(piece)
                await to.drain()
        to.close()


@pytest.fixture(scope="module")
def queue() -> Iterator[Queue]:
    """A farm whose mapping is off: nobody works but those that a test starts."""
    with local_farm(Path(sys.executable), BINARIES) as farm:
        yield Queue.without_mapping(farm)


def test_a_frame_of_27_mib_arrives_over_ten_megabits_a_second_at_the_first_try(
    queue: Queue, tmp_path: Path
) -> None:
    make = [sys.executable, "-W", "ignore", "-c", SCENE, str(tmp_path)]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    job = queue.submit(tmp_path / "large.blend", "1")
    line = SlowLine(urlsplit(queue.farm.endpoint).port or 0)
    with (
        served(line.serve) as port,
        queue.worker(tmp_path, AWS_ENDPOINT_URL=f"https://127.0.0.1:{port}"),
    ):
        record = queue.wait_for(job, 1, limit_seconds=150)[1]
    assert (record["state"], record["tries"]) == ("done", 1), record
    print(f"\nupload: {record['times']['upload_seconds']:.0f} s")
