"""An upload that is interrupted anywhere goes on where it was: nothing is sent twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_proxy import EXPIRED, FaultProxy, Request, fault_proxy
from local_farm import LocalFarm

COMMAND = Path(sys.executable).with_name("render-on-lambda")
KILLS = 10
FRAMES = 3000
# Four stretches of a hundred frames are enqueued at the same time.
AT_WORK = 400
MEGABYTE = 1 << 20
NETWORK_GONE_SECONDS = 60

# A scene that shows a texture, which is large, and a few that are small.
MAKE = """
import sys, bpy
from pathlib import Path
folder = Path(sys.argv[-1])
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples = 1
scene.render.resolution_x = scene.render.resolution_y = 16
camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
scene.collection.objects.link(camera)
scene.camera = camera
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
for file in sorted(folder.glob("*.bin")):
    image = bpy.data.images.new(file.name, 2, 2)
    image.source = "FILE"
    image.filepath = "//" + file.name
    shown = bpy.data.objects.new(file.name, None)
    shown.data = image
    scene.collection.objects.link(shown)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
"""


class Artist:
    """A scene with large files, and the command that submits it through the proxy."""

    def __init__(self, farm: LocalFarm, proxy: FaultProxy, folder: Path) -> None:
        self.farm, self.proxy, self.folder = farm, proxy, folder
        (folder / "large.bin").write_bytes(os.urandom(120 * MEGABYTE))
        for number in range(10):
            (folder / f"middle{number}.bin").write_bytes(os.urandom(2 * MEGABYTE))
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", MAKE, str(folder)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self.bytes = sum(file.stat().st_size for file in folder.iterdir())

    def submit(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [COMMAND, "submit", "--json", "--stack", self.farm.stack, "--endpoint",
             self.proxy.endpoint, self.folder / "shot.blend", "--frames", "1", *arguments],
            env=os.environ
            | self.farm.environment()
            | {"XDG_CACHE_HOME": str(self.folder / "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # What a shell starts in the background ignores interrupts, and hands that down.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    def wait_for_bytes(self, count: int) -> None:
        limit = time.monotonic() + 60
        while self.proxy.put_bytes() < count:
            assert time.monotonic() < limit, "nothing was sent"
            time.sleep(0.005)


@pytest.fixture
def proxy(farm: LocalFarm) -> Iterator[FaultProxy]:
    with fault_proxy(farm.endpoint, farm.authority) as running:
        yield running


@pytest.fixture
def artist(farm: LocalFarm, proxy: FaultProxy, tmp_path: Path) -> Artist:
    return Artist(farm, proxy, tmp_path)


def frame_arrives(artist: Artist, output: str, tmp_path: Path) -> bool:
    """Whether the pack that arrived can be rendered."""
    job = json.loads(output.splitlines()[-1])["job"]
    watch = subprocess.run(
        [COMMAND, "watch", job, "--to", tmp_path / "frames", "--stack", artist.farm.stack,
         "--endpoint", artist.farm.endpoint],
        env=os.environ | artist.farm.environment(),
        timeout=120,
        check=False,
        capture_output=True,
    )  # fmt: skip
    return watch.returncode == 0


@pytest.mark.soak
def test_the_network_that_is_gone_for_a_minute_is_waited_out(
    artist: Artist, proxy: FaultProxy, tmp_path: Path
) -> None:
    process = artist.submit()
    artist.wait_for_bytes(30 * MEGABYTE)
    proxy.is_down = True
    sent_before = proxy.put_bytes()
    time.sleep(NETWORK_GONE_SECONDS)
    assert process.poll() is None, process.communicate()[1]
    proxy.is_down = False
    output, words = process.communicate(timeout=120)
    assert process.returncode == 0, words
    assert "cannot reach AWS" in words
    # What was under way when it broke off is sent again, and nothing else.
    under_way = 64 * MEGABYTE
    assert proxy.put_bytes() < artist.bytes + under_way, (sent_before, proxy.put_bytes())
    assert frame_arrives(artist, output, tmp_path)


def test_a_process_that_is_killed_goes_on_with_the_parts_that_are_there(
    artist: Artist, proxy: FaultProxy, tmp_path: Path
) -> None:
    process = artist.submit()
    artist.wait_for_bytes(60 * MEGABYTE)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    sent = proxy.put_bytes()
    output, words = (again := artist.submit()).communicate(timeout=120)
    assert again.returncode == 0, words
    assert proxy.put_bytes() - sent < artist.bytes - 40 * MEGABYTE
    assert frame_arrives(artist, output, tmp_path)


def test_ten_kills_while_it_uploads_and_enqueues_lose_no_frame_and_enqueue_few_twice(
    artist: Artist, proxy: FaultProxy, farm: LocalFarm
) -> None:
    choose, sqs, queue = random.Random(10), farm.client("sqs"), farm.outputs()["QueueUrl"]
    job = str(uuid.UUID(int=time.time_ns() // 1_000_000 << 80 | 7 << 76 | 1 << 63))

    def waiting() -> int:
        name = "ApproximateNumberOfMessages"
        return int(
            sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"][name]
        )

    def frames() -> Iterator[int]:
        while messages := sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages"):
            yield from (json.loads(message["Body"])["frame"] for message in messages)

    farm.set_mapping(enabled=False)
    try:
        sqs.purge_queue(QueueUrl=queue)
        for number in range(KILLS):
            sent, enqueued = proxy.put_bytes(), waiting()
            process = artist.submit("--frames", f"1-{FRAMES}", "--job", job)
            bytes_wanted = sent + choose.randrange(1, 8 * MEGABYTE)
            messages_wanted = enqueued + choose.randrange(1, 600)
            while process.poll() is None and not (
                proxy.put_bytes() >= bytes_wanted
                if number < KILLS // 2
                else waiting() >= messages_wanted
            ):
                time.sleep(0.005)
            process.kill()
            process.communicate()
        _, words = (last := artist.submit("--frames", f"1-{FRAMES}", "--job", job)).communicate()
        assert last.returncode == 0, words
        found = sorted(frames())
    finally:
        sqs.purge_queue(QueueUrl=queue)
        farm.set_mapping(enabled=True)
    assert sorted(set(found)) == list(range(1, FRAMES + 1))
    print(f"\n{len(found)} messages for {FRAMES} frames")
    assert len(found) <= FRAMES + KILLS // 2 * AT_WORK


def test_credentials_that_expire_are_named_and_the_next_try_goes_on(
    artist: Artist, proxy: FaultProxy, tmp_path: Path
) -> None:
    def expire(_request: Request) -> object:
        return EXPIRED if proxy.put_bytes() > 60 * MEGABYTE else None

    proxy.rule = expire  # type: ignore[assignment]
    _, words = (process := artist.submit()).communicate(timeout=120)
    assert process.returncode == 4
    (sentence,) = [line for line in words.splitlines() if "credentials" in line]
    assert "expired" in sentence
    proxy.rule = lambda _request: None
    sent = proxy.put_bytes()
    output, words = (again := artist.submit()).communicate(timeout=120)
    assert again.returncode == 0, words
    assert proxy.put_bytes() - sent < artist.bytes - 40 * MEGABYTE
    assert frame_arrives(artist, output, tmp_path)


def test_an_interrupt_ends_an_upload_within_a_second(artist: Artist, proxy: FaultProxy) -> None:
    proxy.holds = lambda _request: proxy.put_bytes() >= 4 * MEGABYTE
    process = artist.submit()
    artist.wait_for_bytes(4 * MEGABYTE)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    seconds = time.monotonic() - started
    assert process.returncode == 130
    assert "goes on where it was" in words
    print(f"\nended after {seconds:.2f} s")


def test_a_file_that_changes_while_it_is_sent_arrives_as_it_is_now_or_is_named(
    artist: Artist, proxy: FaultProxy, tmp_path: Path
) -> None:
    large = artist.folder / "large.bin"
    proxy.delay_seconds = 0.1
    process = artist.submit()
    artist.wait_for_bytes(10 * MEGABYTE)
    with large.open("r+b") as file:
        file.write(b"changed")
    output, words = process.communicate(timeout=120)
    assert process.returncode == 0, words
    assert "was changed while it was sent" in words or "changed" in words
    assert frame_arrives(artist, output, tmp_path)
    objects = sizes_in_pack(artist.farm, output)
    assert objects[-1] == large.stat().st_size


def sizes_in_pack(farm: LocalFarm, output: str) -> list[int]:
    """The sizes of the files of a job's pack, sorted."""
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    job = json.loads(output.splitlines()[-1])["job"]
    document = json.loads(s3.get_object(Bucket=bucket, Key=f"jobs/{job}/job.json")["Body"].read())
    key = f"packs/{document['pack']}.json"
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return sorted(file["size_bytes"] for file in manifest["files"])
