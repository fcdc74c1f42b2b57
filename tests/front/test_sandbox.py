"""The sandbox does to a function what Lambda does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

import pytest

SANDBOX = Path(__file__).resolve().parents[2] / "tools" / "strict_front" / "sandbox.py"

# A function that counts while it runs, and keeps a connection to its endpoint.
FUNCTION = """#!{python}
import http.client, json, os, socket, threading, time, urllib.parse
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
front = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
ticks = 0
def tick():
    global ticks
    while True:
        time.sleep(0.01)
        ticks += 1
threading.Thread(target=tick, daemon=True).start()
kept = socket.create_connection((front.hostname, front.port))
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    event = json.loads(answer.read())
    path = "/2018-06-01/runtime/invocation/" + answer.getheader("lambda-runtime-aws-request-id")
    try:
        kept.settimeout(0.5)
        alive = kept.recv(1) != b""
    except TimeoutError:
        alive = True
    except OSError:
        alive = False
    body = json.dumps({{"ticks": ticks, "connection": alive, "pad": "x" * event.get("pad", 0)}})
    api.request("POST", path + "/response", body)
    api.getresponse().read()
"""


@dataclass
class Emulator:
    """Stands for the runtime interface of Lambda."""

    events: Queue[dict] = field(default_factory=Queue)
    answers: Queue[tuple[str, dict]] = field(default_factory=Queue)

    def invoke(self, event: dict, limit_seconds: float = 10) -> tuple[str, dict]:
        self.events.put(event)
        return self.answers.get(timeout=limit_seconds)


@contextmanager
def sandbox(folder: Path) -> Iterator[Emulator]:
    """A function in its sandbox, under a runtime interface."""
    emulator = Emulator()

    class Interface(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(emulator.events.get()).encode()
            self.send_response(200)
            self.send_header("lambda-runtime-aws-request-id", "one")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            emulator.answers.put((self.path.rsplit("/", 1)[1], body))
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Interface)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    front = ThreadingHTTPServer(("127.0.0.1", 0), Interface)
    threading.Thread(target=front.serve_forever, daemon=True).start()
    for name, text in (
        ("bootstrap", f"#!{sys.executable} -I\n{SANDBOX.read_text()}"),
        ("function", FUNCTION.format(python=sys.executable)),
        (
            "sandbox.json",
            json.dumps(
                {"front": f"https://127.0.0.1:{front.server_port}", "wishes": f"{folder}/wishes"}
            ),
        ),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    process = subprocess.Popen(
        [folder / "bootstrap"],
        env=os.environ | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"},
    )
    try:
        yield emulator
    finally:
        process.terminate()
        process.wait(timeout=10)
        server.shutdown()
        front.shutdown()


def test_a_function_stands_still_between_invocations_and_its_connections_are_cut(
    tmp_path: Path,
) -> None:
    with sandbox(tmp_path) as emulator:
        emulator.invoke({})
        _, before = emulator.invoke({})
        time.sleep(2)
        _, after = emulator.invoke({})
    # Two seconds are two hundred ticks of a function that runs.
    assert after["ticks"] - before["ticks"] < 100
    assert not before["connection"]


def test_a_throttled_delivery_never_reaches_the_function(tmp_path: Path) -> None:
    with sandbox(tmp_path) as emulator:
        assert emulator.invoke({})[0] == "response"
        (tmp_path / "wishes").write_text(json.dumps({"throttled": 1.0}))
        # One that waits for an invocation already has not read the wish yet.
        kinds = [emulator.invoke({}) for _ in range(3)]
        assert kinds[-1] == (
            "error",
            {"errorType": "TooManyRequestsException", "errorMessage": "Rate Exceeded."},
        )
        (tmp_path / "wishes").write_text(json.dumps({"throttled": 0.0}))
        emulator.invoke({})
        assert emulator.invoke({})[0] == "response"


def test_an_answer_has_six_megabytes_at_most(tmp_path: Path) -> None:
    with sandbox(tmp_path) as emulator:
        kind, body = emulator.invoke({"pad": (6 << 20) + 1})
        assert (kind, body["errorType"]) == ("error", "Function.ResponseSizeTooLarge")
        assert emulator.invoke({"pad": 1000})[0] == "response"


@pytest.mark.parametrize("number", [15, 9])
def test_a_sandbox_that_is_ended_takes_its_function_along(tmp_path: Path, number: int) -> None:
    with sandbox(tmp_path) as emulator:
        emulator.invoke({})
        (own,) = processes(tmp_path / "bootstrap")
        (function,) = processes(tmp_path / "function")
        os.kill(own, number)
        limit = time.monotonic() + 10
        while Path(f"/proc/{function}").exists() and time.monotonic() < limit:
            time.sleep(0.05)
        assert not processes(tmp_path / "function")


def processes(script: Path) -> list[int]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if str(script).encode() in (process / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(process.name))
            except OSError:
                continue
    return found
