"""A real S3 server for the benchmarks: SeaweedFS on 127.0.0.1, on free ports."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "benchbench"}
_READY_SECONDS = 60


@contextmanager
def s3_server(weed: Path, folder: Path) -> Iterator[str]:
    """Starts the server with its data in a folder; gives its endpoint."""
    (folder / "data").mkdir(parents=True)
    keys = {
        "accessKey": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "secretKey": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "bench", "credentials": [keys], "actions": actions}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    names = ["master", "volume", "filer", "s3"]
    numbers = free_ports(2 * len(names))
    ports = dict(zip(names, numbers, strict=False))
    options: dict[str, object] = {f"{name}.port": port for name, port in ports.items()}
    options |= {
        f"{name}.port.grpc": port for name, port in zip(names, numbers[len(names) :], strict=True)
    }
    options |= {
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "dir": folder / "data",
        "master.volumeSizeLimitMB": 1024,
        "master.telemetry": "false",
        "master.electionTimeout": "1s",
        "volume.max": 500,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.config": folder / "s3.json",
    }
    command = [weed, "-logtostderr=true", "server", "-filer", "-s3"]
    command += [f"-{name}={value}" for name, value in options.items()]
    with (folder / "weed.log").open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"HOME": str(folder)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until_ready(server, ports["master"], ports["s3"], ports["volume"])
        yield f"http://127.0.0.1:{ports['s3']}"
    finally:
        # Asked to end, it takes 15 seconds; nobody needs its data.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until_ready(server: subprocess.Popen[bytes], master: int, s3: int, volume: int) -> None:
    """Waits until it answers and has somewhere to put data."""
    limit = time.monotonic() + _READY_SECONDS
    while time.monotonic() < limit and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{s3}/healthz", timeout=2).close()
            with urllib.request.urlopen(f"http://127.0.0.1:{master}/dir/status", timeout=2) as got:
                if f"127.0.0.1:{volume}".encode() in got.read():
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the S3 server did not start; see its weed.log")
