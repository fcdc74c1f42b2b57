"""The image as Lambda runs it: `make container-test`.

Builds it; runs it read-only, as another user, with a tmpfs for /tmp and bounded memory; hands it a
task through Lambda's emulator as the event source mapping would; lets it poll the queue with a
scene that looks for secrets; then as a `PackageType: Image` function behind MiniStack's mapping
with four workers.

Frames are compared bit by bit with those that the image's Blender renders by itself, without queue
and consumer. Those of another system can differ by one step in a pixel: Blender uses the system's
mathematical functions.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from docker_engine import base_image, docker, docker_engine
from local_farm import LocalFarm, free_port, local_farm
from PIL import Image

PROJECT = Path(__file__).resolve().parent.parent
BINARIES = PROJECT / "build" / "functions"
FOLDER = PROJECT / "build" / "container"
IMAGE = "render-on-lambda:test"
CONSUMER = "/opt/render-on-lambda/consumer"
FRAMES = 8
LIMIT_SECONDS = 180
USER = "993"
# Where the farm's own certificate is in a container.
AUTHORITY = "/authority.pem"
MEMORY = "3g"
COMMAND = Path(sys.executable).with_name("render-on-lambda")
# The Pythons of the image, each with who makes scenes of its Blender here.
NEWEST = ("/usr/bin/python3", Path(sys.executable))
OLDER = ("/usr/bin/python3.11", PROJECT / ".tools" / "blender-4.5" / "bin" / "python")


@dataclass(frozen=True)
class Renderer:
    """An image, and how it is run under Lambda's emulator."""

    image: str
    options: tuple[str, ...] = ()
    """Docker's, where the emulator is not in the image."""
    has_emulator: bool = True

    def under_emulator(self, address: str, runtime: str) -> tuple[str, ...]:
        """The arguments that have the emulator listen there."""
        if self.has_emulator:
            return ()
        listens = ("--runtime-interface-emulator-address", address)
        return (*listens, "--runtime-api-address", runtime, CONSUMER)


RENDER = """
import sys, bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[-2])
bpy.context.scene.frame_end = {frames}
bpy.context.scene.render.filepath = sys.argv[-1] + "/sample_####"
bpy.ops.render.render(animation=True)
"""

CHECK_FILES = """
import os, shutil, sys
tops = [os.walk(top) for top in ("/opt", "/usr/local")]
paths = [os.path.join(at, name) for top in tops for at, _, names in top for name in [".", *names]]
modes = {path: os.lstat(path).st_mode & 0o777 for path in paths if not os.path.islink(path)}
# The consumer may be run and not read.
modes.pop("/opt/render-on-lambda/consumer")
bad = [path for path, mode in modes.items() if mode not in (0o755, 0o644)]
tools = [tool for tool in ("gcc", "cc", "pip", "pip3", "cargo", "make") if shutil.which(tool)]
if bad or tools:
    sys.exit(f"error: {bad[:5]} cannot be read by everybody, or are left of the build: {tools}")
"""


def main() -> None:
    """Build, run, compare; the exit code says whether all of it held."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with docker_engine(FOLDER / "docker") as host:
        build(host)
        check_files(host)
        renderer = Renderer(IMAGE)
        older_scene, older_frames = local_frames(host, renderer, OLDER)
        through_the_emulator(host, renderer, older_scene, older_frames)
        scene, expected = local_frames(host, renderer)
        through_the_emulator(host, renderer, scene, expected)
        a_scene_finds_no_secrets(host)
        a_scene_finds_no_way_out(host)
        behind_the_mapping(host, scene, expected)
    print("container-test: everything holds")


def local_frames(
    host: str, renderer: Renderer, blender: tuple[str, Path] = NEWEST
) -> tuple[Path, Path]:
    """The sample scene, and its frames as a Blender of the image renders them by itself."""
    python, maker = blender
    sample, expected = FOLDER / "sample", FOLDER / "expected"
    for old in (sample, expected):
        shutil.rmtree(old, ignore_errors=True)
    expected.mkdir()
    make = [maker, "-W", "ignore", PROJECT / "tools" / "sample_scene.py", sample]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    scene = sample / "shots" / "sample.blend"
    docker(
        "run", "--rm", "--user", "0", "--volume", f"{FOLDER}:{FOLDER}",
        "--env", "LIBGL_ALWAYS_SOFTWARE=1", "--entrypoint", python, renderer.image,
        "-c", RENDER.format(frames=FRAMES), scene, expected,
        host=host, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return scene, expected


def build(host: str) -> None:
    """Build the image with the consumer of `make build`."""
    base = base_image(host, FOLDER)
    started = time.monotonic()
    docker(
        "build", "--quiet", "--network", "host", "--file", PROJECT / "infra" / "Dockerfile",
        "--build-arg", f"BASE_IMAGE={base}", "--build-arg", "CONSUMER=prebuilt",
        "--tag", IMAGE, PROJECT,
        host=host, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    size = docker(
        "image", "inspect", "--format", "{{.Size}}", IMAGE, host=host, capture_output=True
    )
    print(
        f"image: {int(size.stdout) / 1e9:.2f} GB (Lambda takes 10), "
        f"built in {time.monotonic() - started:.0f} s"
    )


def check_files(host: str) -> None:
    """Every file can be read by anybody, and nothing that builds is left."""
    docker("run", "--rm", "--entrypoint", "/usr/bin/python3", IMAGE, "-c", CHECK_FILES, host=host)


def through_the_emulator(host: str, renderer: Renderer, scene: Path, expected: Path) -> None:
    """One container, handed each task by hand as an SQS event."""
    with local_farm(Path("/usr/bin/python3"), BINARIES) as farm:
        farm.set_mapping(enabled=False)
        job = submit(farm, scene)
        outputs = farm.outputs()
        address, runtime = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        environment = {
            "RIE_ADDRESS": address,
            "RIE_RUNTIME_API": runtime,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "300",
        }
        arguments = renderer.under_emulator(address, runtime)
        container = run_as_lambda_does(host, renderer, farm, environment, *arguments)
        try:
            wait_for_port(address)
            sqs = farm.client("sqs")
            for number in range(FRAMES):
                invoke_with_a_task(sqs, outputs["QueueUrl"], address, number)
            records = task_records(farm, job)
        finally:
            docker("stop", "--time", "5", container, host=host, stdout=subprocess.DEVNULL)
        compare(farm, job, expected, "emulator")
    cold = max(records, key=lambda record: record["times"]["total_seconds"])["times"]
    warm = sorted(record["times"]["total_seconds"] for record in records)[len(records) // 2]
    stages = ", ".join(
        f"{name.removesuffix('_seconds')} {cold[name]:.2f} s"
        for name in ("fetch_seconds", "start_seconds", "load_seconds", "render_seconds",
                     "upload_seconds", "total_seconds")
    )  # fmt: skip
    print(f"emulator: cold frame: {stages}; a warm frame: {warm:.2f} s")


def run_as_lambda_does(
    host: str,
    renderer: Renderer,
    farm: LocalFarm,
    environment: dict[str, str],
    *arguments: str,
) -> str:
    """A container with a read-only root, an unprivileged user and bounded memory; its id."""
    environment = farm.worker_environment() | {"AWS_CA_BUNDLE": AUTHORITY} | environment
    return docker(
        "run", "--detach", "--rm", "--network", "host", "--read-only", "--tmpfs", "/tmp",
        "--user", USER, "--memory", MEMORY, "--volume", f"{farm.authority}:{AUTHORITY}:ro",
        *(f"--env={name}={value}" for name, value in environment.items()),
        *(() if "--poll" in arguments else renderer.options), renderer.image, *arguments,
        host=host, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def invoke_with_a_task(sqs, queue_url: str, address: str, number: int) -> None:
    """Take a message off the queue and hand it over as the mapping would."""
    received = sqs.receive_message(
        QueueUrl=queue_url, WaitTimeSeconds=10, AttributeNames=["ApproximateReceiveCount"]
    )
    (message,) = received["Messages"]
    event = {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:tasks",
                "awsRegion": "us-east-1",
            }
        ]
    }
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--max-time", "200", "--data", "@-",
         f"http://{address}/2015-03-31/functions/function/invocations"],
        input=json.dumps(event), capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    if answer.get("batchItemFailures") != []:
        raise SystemExit(f"error: task {number} was answered with {answer}")
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def a_scene_finds_no_secrets(host: str) -> None:
    """A worker that polls the queue, and a scene whose script reads what it can."""
    scenes = FOLDER / "scenes"
    make = [sys.executable, "-W", "ignore",
            PROJECT / "tests" / "fixtures" / "consumer_scenes.py", scenes]  # fmt: skip
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with local_farm(Path("/usr/bin/python3"), BINARIES) as farm:
        farm.set_mapping(enabled=False)
        job = submit(farm, scenes / "prying.blend", frames="1", allow_scripts=True)
        outputs = farm.outputs()
        container = run_as_lambda_does(host, Renderer(IMAGE), farm, {}, "--poll")
        try:
            (record,) = wait_for_the_frames(farm, job, count=1)
        finally:
            docker("stop", "--time", "5", container, host=host, stdout=subprocess.DEVNULL)
        s3, key = farm.client("s3"), f"jobs/{job}/logs/1.{record['tries']}.log"
        log = s3.get_object(Bucket=outputs["BucketName"], Key=key)["Body"].read().decode()
    for expected in ("DENIED /proc/", f"UMASK 0o22 UID {USER}", "READ-ONLY"):
        if expected not in log:
            raise SystemExit(f"error: the scene's script did not say {expected!r}:\n{log}")
    if "AWS_" in log or outputs["BucketName"] in log:
        raise SystemExit(f"error: the scene's script found what it should not:\n{log}")
    print("poll: a scene's script finds no credentials and can write nothing but /tmp")


def a_scene_finds_no_way_out(host: str) -> None:
    """Every way out is tried, under Lambda's emulator with its runtime API, and polled."""
    scene = FOLDER / "scenes" / "escaping.blend"
    for way in ("emulator", "poll"):
        with local_farm(Path("/usr/bin/python3"), BINARIES) as farm:
            farm.set_mapping(enabled=False)
            job = submit(farm, scene, frames="1", allow_scripts=True)
            outputs = farm.outputs()
            address, runtime = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
            environment = {"RIE_ADDRESS": address, "RIE_RUNTIME_API": runtime}
            arguments = [] if way == "emulator" else ["--poll"]
            chosen = environment if way == "emulator" else {}
            container = run_as_lambda_does(host, Renderer(IMAGE), farm, chosen, *arguments)
            try:
                if way == "emulator":
                    wait_for_port(address)
                    invoke_with_a_task(farm.client("sqs"), outputs["QueueUrl"], address, 0)
                (record,) = wait_for_the_frames(farm, job, count=1)
                processes = docker("top", container, host=host, capture_output=True, text=True)
            finally:
                docker("stop", "--time", "5", container, host=host, stdout=subprocess.DEVNULL)
            s3, key = farm.client("s3"), f"jobs/{job}/logs/1.{record['tries']}.log"
            log = s3.get_object(Bucket=outputs["BucketName"], Key=key)["Body"].read().decode()
        out = [line for line in log.splitlines() if line.startswith("ESCAPED")]
        held = [line for line in log.splitlines() if line.startswith("HELD")]
        if out or len(held) < 60 or "sleep" in processes.stdout:
            raise SystemExit(f"error: {way}: the scene got out:\n{out}\n{processes.stdout}")
        print(f"{way}: {len(held)} ways out of the cage are held, and nothing is left of them")


def behind_the_mapping(host: str, scene: Path, expected: Path) -> None:
    """MiniStack runs the image itself, four at a time."""
    flags = (
        f"--read-only --tmpfs /tmp:mode=1777 --memory {MEMORY}"
        f" --volume {FOLDER}/authority.pem:{AUTHORITY}:ro --env AWS_CA_BUNDLE={AUTHORITY}"
    )
    emulator = {"DOCKER_HOST": host, "LAMBDA_EXECUTOR": "docker", "LAMBDA_DOCKER_FLAGS": flags}
    parameters = {
        "ConsumerImageUri": IMAGE,
        "Blender": "/usr/bin/python3",
        "MaximumConcurrency": "4",
        "ConsumerMemory": "3008",
    }
    with (
        local_farm(
            Path("/usr/bin/python3"),
            BINARIES,
            parameters=parameters,
            emulator=emulator,
            emulator_tls=False,
        ) as farm,
        forwarded_from_containers(host, farm),
    ):
        shutil.copy(farm.authority, FOLDER / "authority.pem")
        started = time.monotonic()
        job = submit(farm, scene)
        records = wait_for_the_frames(farm, job)
        compare(farm, job, expected, "mapping")
        workers = {record["worker"] for record in records}
        print(
            f"mapping: {FRAMES} frames by {len(workers)} containers "
            f"in {time.monotonic() - started:.0f} s"
        )
    left = docker(
        "ps", "--quiet", "--filter", f"ancestor={IMAGE}", host=host, capture_output=True, text=True
    )
    for container in left.stdout.split():
        docker("kill", container, host=host, stdout=subprocess.DEVNULL)


@contextmanager
def forwarded_from_containers(host: str, farm: LocalFarm) -> Iterator[None]:
    """Lets containers reach the farm, which listens on this machine's loopback alone: through the
    address that Docker's own bridge has here.
    """
    inspected = docker(
        "network", "inspect", "bridge", "--format", "{{json (index .IPAM.Config 0)}}",
        host=host, capture_output=True, text=True,
    ).stdout  # fmt: skip
    bridge = json.loads(inspected)
    # An engine that has never been stopped names no gateway; it is the network's first address.
    gateway = bridge.get("Gateway") or str(next(ipaddress.ip_network(bridge["Subnet"]).hosts()))
    port = urlsplit(farm.endpoint).port or 0
    listener = socket.create_server((gateway, port), backlog=128)

    def copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(1 << 16):
                target.sendall(piece)
        except OSError:
            pass
        finally:
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
            except OSError:
                return
            for ends in ((client, server), (server, client)):
                threading.Thread(target=copy, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield
    finally:
        listener.close()


def submit(
    farm: LocalFarm, scene: Path, frames: str = f"1-{FRAMES}", *, allow_scripts: bool = False
) -> str:
    done = subprocess.run(
        [COMMAND, "submit", "--json", "--stack", farm.stack, "--endpoint", farm.endpoint, scene,
         "--frames", frames, *(["--allow-scripts"] if allow_scripts else [])],
        env=os.environ | farm.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])["job"]


def task_records(farm: LocalFarm, job: str) -> list[dict]:
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"jobs/{job}/tasks/").get("Contents", [])
    bodies = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed]
    return [json.loads(body) for body in bodies]


def wait_for_the_frames(farm: LocalFarm, job: str, count: int = FRAMES) -> list[dict]:
    limit = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < limit:
        records = task_records(farm, job)
        if any(record["state"] == "failed" for record in records):
            break
        if sum(record["state"] == "done" for record in records) == count:
            return records
        time.sleep(0.5)
    print(farm.log.read_text(errors="replace")[-3000:], file=sys.stderr)
    raise SystemExit(f"error: the frames did not arrive: {task_records(farm, job)}")


def wait_for_port(address: str) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        try:
            urllib.request.urlopen(f"http://{address}/", timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("error: the container does not answer")


def compare(farm: LocalFarm, job: str, expected: Path, where: str) -> None:
    """Each frame has the local one's name and pixels."""
    s3, bucket = farm.client("s3"), farm.outputs()["BucketName"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"jobs/{job}/frames/")["Contents"]
    names = [item["Key"].rsplit("/", 1)[1] for item in listed]
    if names != sorted(path.name for path in expected.iterdir()):
        raise SystemExit(f"error: {where}: frames are named {names}")
    got = FOLDER / f"{where}.png"
    for item, name in zip(listed, names, strict=True):
        s3.download_file(bucket, item["Key"], str(got))
        with Image.open(got) as one, Image.open(expected / name) as other:
            if one.mode != other.mode or one.tobytes() != other.tobytes():
                raise SystemExit(f"error: {where}: {name} is not the local frame: see {got}")
    print(f"{where}: {len(names)} frames are bit by bit those of a local render")


if __name__ == "__main__":
    main()
