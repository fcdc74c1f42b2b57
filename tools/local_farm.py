"""A whole farm on this machine: MiniStack with this project's stack deployed on it.

MiniStack's S3, SQS, Lambda and CloudFormation answer with TLS on a free loopback port, with IAM
enforced; its Lambda runs the consumer as real processes behind a real event source mapping.
Everything of ours reaches it through the strict front, which refuses what AWS would.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import deployment
from botocore.config import Config
from strict_front.certificates import Certificates
from strict_front.front import strict_front

if TYPE_CHECKING:
    from strict_front.state import Front, Quotas

PROJECT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
START_LIMIT_SECONDS = 60
STOP_LIMIT_SECONDS = 3
# MiniStack's own: it may do everything. Nothing of ours has it.
ADMINISTRATOR = ("test", "test")


@dataclass
class LocalFarm:
    """A running MiniStack behind the strict front, with the stack on it."""

    endpoint: str
    """The front's address, with TLS."""
    stack: str
    folder: Path
    certificates: Certificates
    emulator: str
    """MiniStack's own address."""
    front: Front
    process_id: int = 0
    artist: tuple[str, str] = ("", "")
    """The access key of a user with the artist policy."""
    worker: tuple[str, str] = ("", "")
    """The access key of a user that may do what the consumer's role may."""
    _outputs: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """MiniStack's log, with what its functions print."""
        return self.folder / "ministack.log"

    @property
    def wishes(self) -> Path:
        """What tests ask of the functions' sandboxes."""
        return self.folder / "wishes.json"

    @property
    def authority(self) -> Path:
        """The certificate of the authority that every server here has its own of."""
        return self.certificates.authority

    def environment(self) -> dict[str, str]:
        """The variables by which an artist's AWS SDKs find this farm."""
        return self._environment(self.artist)

    def worker_environment(self) -> dict[str, str]:
        """Those of a worker that is not in Lambda."""
        outputs = self.outputs()
        return self._environment(self.worker) | {
            "BUCKET_NAME": outputs["BucketName"],
            "QUEUE_URL": outputs["QueueUrl"],
            "DEAD_LETTER_QUEUE_URL": outputs["DeadLetterQueueUrl"],
        }

    def _environment(self, key: tuple[str, str]) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.authority),
            "AWS_ACCESS_KEY_ID": key[0],
            "AWS_SECRET_ACCESS_KEY": key[1],
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of one service, of the administrator, at MiniStack itself."""
        return client(service, self.emulator, self.authority)

    def front_client(self, service: str, key: tuple[str, str] = ADMINISTRATOR) -> Any:
        """A boto3 client of one service, at the front, without tries of its own."""
        return client(service, self.endpoint, self.authority, key, attempts=1)

    def outputs(self) -> dict[str, str]:
        """The outputs of the stack."""
        if not self._outputs:
            answer = self.client("cloudformation").describe_stacks(StackName=self.stack)
            found = answer["Stacks"][0].get("Outputs", [])
            self._outputs = {one["OutputKey"]: one["OutputValue"] for one in found}
        return self._outputs

    def set_mapping(self, *, enabled: bool) -> None:
        """Let the function take tasks off the queue, or hold it back."""
        functions = self.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)

    def throttle(self, part: float) -> None:
        """Refuse that part of all deliveries, as Lambda does above its concurrency."""
        self.wishes.write_text(json.dumps({"throttled": part}))

    def workers(self) -> list[int]:
        """The process ids of the functions that MiniStack has started."""
        sandboxes = children(self.process_id)
        found = [child for sandbox in sandboxes for child in children(sandbox)]
        return [process for process in found if command_of(process).endswith(b"function\0")]


@contextmanager
def local_farm(
    blender: Path,
    binaries: Path,
    *,
    stack: str = "render-on-lambda",
    parameters: dict[str, str] | None = None,
    emulator: dict[str, str] | None = None,
    emulator_tls: bool = True,
    quotas: Quotas | None = None,
) -> Iterator[LocalFarm]:
    """Start MiniStack behind the front, deploy the stack, and end all of it again.

    blender: the Python with bpy, or the Blender, that the workers use.
    binaries: the folder with the compiled consumer and producer.
    parameters: of the template, over the small ones that suit one machine.
    emulator: variables of MiniStack's own, such as that of a Docker engine for images.
    emulator_tls: whether MiniStack has TLS too, behind the front's own. With it, it writes into the
    root of the containers that it starts, which are read-only as Lambda's are.
    quotas: what the account may have; that of an old one where None.
    """
    with bare_farm(
        stack=stack, emulator=emulator, emulator_tls=emulator_tls, quotas=quotas
    ) as farm:
        deployment.create_stack(farm, blender, parameters or {})
        deployment.add_functions(farm, binaries)
        deployment.allow_batches(farm)
        farm.artist = deployment.artist(farm, farm.outputs())
        farm.worker = deployment.worker(farm, farm.outputs())
        yield farm


@contextmanager
def bare_farm(
    *,
    stack: str = "render-on-lambda",
    emulator: dict[str, str] | None = None,
    emulator_tls: bool = True,
    quotas: Quotas | None = None,
) -> Iterator[LocalFarm]:
    """MiniStack behind the front, with nothing on it."""
    folder = Path(tempfile.mkdtemp(prefix="render-on-lambda-farm-"))
    certificates = Certificates.make(folder)
    address = f"{'https' if emulator_tls else 'http'}://127.0.0.1:{free_port()}"

    def admin(service: str) -> Any:
        return client(service, address, certificates.authority)

    with ExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        front_address, front = running.enter_context(
            strict_front(address, admin, certificates.own(), certificates.trusted())
        )
        if quotas:
            front.quotas = quotas
        farm = LocalFarm(front_address, stack, folder, certificates, address, front)
        with farm.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                env=emulator_environment(farm) | (emulator or {}),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C in the terminal reaches us, and we end it in order.
                start_new_session=True,
            )
        running.callback(end, process)
        farm.process_id = process.pid
        wait_until_it_answers(farm, process)
        yield farm


def emulator_environment(farm: LocalFarm) -> dict[str, str]:
    """MiniStack's environment: its own port, its own folder, loopback only. Its functions inherit
    it, with the front as their endpoint and keys of their own roles.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    temporary = farm.folder / "tmp"
    temporary.mkdir()
    port = farm.emulator.rsplit(":", 1)[1]
    return (
        kept
        | farm._environment(ADMINISTRATOR)
        | {
            "AUTH": "true",
            "USE_SSL": str(int(farm.emulator.startswith("https:"))),
            "MINISTACK_SSL_CERT": str(farm.certificates.server),
            "MINISTACK_SSL_KEY": str(farm.certificates.key),
            "LAMBDA_ACCOUNT_CONCURRENCY": str(farm.front.quotas.concurrency),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": port,
            "MINISTACK_HOST": "127.0.0.1",
            "TMPDIR": str(temporary),
            "S3_DATA_DIR": str(farm.folder / "s3"),
            "LAMBDA_EXECUTOR": "local",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # An artist's Docker engine has nothing to do with this.
            "DOCKER_HOST": "unix:///nonexistent",
        }
    )


def client(
    service: str,
    endpoint: str,
    authority: Path,
    key: tuple[str, str] = ADMINISTRATOR,
    attempts: int = 2,
) -> Any:
    """A boto3 client of one service."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
        verify=str(authority),
        config=Config(retries={"total_max_attempts": attempts}, s3={"addressing_style": "path"}),
    )


def wait_until_it_answers(farm: LocalFarm, process: subprocess.Popen[bytes]) -> None:
    """Return when MiniStack serves requests; a clear error where it does not come up."""
    limit = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < limit:
        if process.poll() is not None:
            break
        try:
            farm.client("s3").list_buckets()
            return
        except Exception:
            time.sleep(0.2)
    tail = farm.log.read_text(errors="replace")[-3000:]
    raise RuntimeError(f"MiniStack did not start; the end of its log:\n{tail}")


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(parent: int) -> list[int]:
    """The processes that a process has started (proc(5))."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                stat = (process / "stat").read_text().rsplit(")", 1)[1].split()
                if int(stat[1]) == parent:
                    found.append(int(process.name))
    return found


def command_of(process: int) -> bytes:
    """The words that a process was started with."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def end(process: subprocess.Popen[bytes]) -> None:
    """End MiniStack and, if it does not end its workers in time, the whole of its session."""
    sandboxes = children(process.pid)
    if process.poll() is None:
        process.terminate()
        try:
            # It waits half a minute for connections that are kept open.
            process.wait(timeout=STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for sandbox in sandboxes:
        # A sandbox ends its function, which is in a session of its own, with itself.
        with suppress(ProcessLookupError):
            os.kill(sandbox, signal.SIGTERM)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
