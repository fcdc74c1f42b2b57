"""A whole farm on this machine: MiniStack with this project's stack deployed on it.

MiniStack's S3, SQS, Lambda and CloudFormation answer on one free loopback port; its Lambda runs the
consumer as real processes behind a real event source mapping.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
CODE_BUCKET = "render-on-lambda-code"
START_LIMIT_SECONDS = 60


@dataclass(frozen=True)
class LocalFarm:
    """A running MiniStack with the stack on it."""

    endpoint: str
    stack: str
    access_key: str
    secret_key: str
    log: Path
    process_id: int

    def environment(self) -> dict[str, str]:
        """The variables by which the AWS SDKs find this farm."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of one service."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}),
        )

    def outputs(self) -> dict[str, str]:
        """The outputs of the stack."""
        answer = self.client("cloudformation").describe_stacks(StackName=self.stack)
        found = answer["Stacks"][0].get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in found}

    def workers(self) -> list[int]:
        """The process ids of the consumers that MiniStack has started."""
        found = []
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            try:
                parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
                command = (process / "cmdline").read_bytes()
            except (OSError, IndexError, ValueError):
                continue
            if parent == self.process_id and command.endswith(b"bootstrap\0"):
                found.append(int(process.name))
        return found


@contextmanager
def local_farm(
    blender: Path,
    binaries: Path,
    *,
    stack: str = "render-on-lambda",
    parameters: dict[str, str] | None = None,
    strict: bool = False,
    emulator: dict[str, str] | None = None,
) -> Iterator[LocalFarm]:
    """Start MiniStack, deploy the stack, and end both again.

    blender: the Python with bpy, or the Blender, that the workers use.
    binaries: the folder with the compiled consumer and producer.
    parameters: of the template, over the small ones that suit one machine.
    strict: whether signatures and IAM policies are checked, also those of the functions.
    emulator: variables of MiniStack's own, such as that of a Docker engine for images.
    """
    folder = Path(tempfile.mkdtemp(prefix="render-on-lambda-farm-"))
    port = free_port()
    farm = LocalFarm(
        endpoint=f"http://127.0.0.1:{port}",
        stack=stack,
        access_key="test",
        secret_key="test",
        log=folder / "ministack.log",
        process_id=0,
    )
    with farm.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=emulator_environment(farm, port, folder)
            | {"AUTH": str(strict).lower()}
            | (emulator or {}),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A session of its own: Ctrl-C in the terminal reaches us, and we end it in order.
            start_new_session=True,
        )
    try:
        farm = replace(farm, process_id=process.pid)
        wait_until_it_answers(farm, process)
        deploy(farm, blender, binaries, parameters or {})
        yield farm
    finally:
        end(process)
        shutil.rmtree(folder, ignore_errors=True)


def emulator_environment(farm: LocalFarm, port: int, folder: Path) -> dict[str, str]:
    """MiniStack's environment: its own port, its own folder, loopback only."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    temporary = folder / "tmp"
    temporary.mkdir()
    return (
        kept
        | farm.environment()
        | {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "TMPDIR": str(temporary),
            "S3_DATA_DIR": str(folder / "s3"),
            "LAMBDA_EXECUTOR": "local",
            "SFTP_ENABLED": "0",
            # An artist's Docker engine has nothing to do with this.
            "DOCKER_HOST": "unix:///nonexistent",
        }
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


def deploy(farm: LocalFarm, blender: Path, binaries: Path, parameters: dict[str, str]) -> None:
    """Upload the functions' zips and create the stack from infra/template.yaml."""
    s3 = farm.client("s3")
    s3.create_bucket(Bucket=CODE_BUCKET)
    for name in ("consumer", "producer"):
        archive = function_zip(binaries / f"render-on-lambda-{name}")
        s3.put_object(Bucket=CODE_BUCKET, Key=f"{name}.zip", Body=archive)
    values = {
        "CodeBucket": CODE_BUCKET,
        "Blender": str(blender),
        "ConsumerMemory": "2048",
        "ConsumerTimeout": "600",
        "MaximumConcurrency": str(max(2, (os.cpu_count() or 2))),
    } | parameters
    cloudformation = farm.client("cloudformation")
    cloudformation.create_stack(
        StackName=farm.stack,
        TemplateBody=(PROJECT / "infra" / "template.yaml").read_text(),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": text} for key, text in values.items()],
    )
    limit = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < limit:
        stack = cloudformation.describe_stacks(StackName=farm.stack)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            set_concurrency(farm, int(values["MaximumConcurrency"]))
            return
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
        time.sleep(0.2)
    events = cloudformation.describe_stack_events(StackName=farm.stack)["StackEvents"]
    reasons = [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in events
        if event.get("ResourceStatusReason")
    ]
    raise RuntimeError("the stack could not be created:\n" + "\n".join(reasons))


def set_concurrency(farm: LocalFarm, count: int) -> None:
    """Say the mapping's concurrency again, as a number.

    CloudFormation turns the text of a parameter into a number; MiniStack 1.5 keeps the text and
    then cannot compare it.
    """
    functions = farm.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": count}
        )


def function_zip(binary: Path) -> bytes:
    """A zip with a binary as the `bootstrap` of a provided.al2023 function."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo("bootstrap", (2026, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, binary.read_bytes())
    return buffer.getvalue()


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end(process: subprocess.Popen[bytes]) -> None:
    """End MiniStack and, if it does not end its workers in time, the whole of its session."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def unique(prefix: str) -> str:
    """A name that nothing else has."""
    return f"{prefix}-{secrets.token_hex(4)}"
