"""What Lambda does to a function's process, around one that the emulator has started.

The emulator runs this as the function's `bootstrap`. It starts the real one beside it, as the
leader of a process group, hands it invocations, and between them stops the whole group (SIGSTOP)
and cuts its connections, as Lambda freezes an environment. Some deliveries are refused before the
function sees them, as Lambda refuses what it throttles.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

A file beside it, `sandbox.json`, says where the front is and what a test wants:
`front` (its address), `wishes` (a file with `throttled`, the part of deliveries that are refused).
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
MOST_ANSWER_BYTES = 6 << 20
VERSION = "/2018-06-01/runtime"
PR_SET_PDEATHSIG = 1
THROTTLED = {"errorType": "TooManyRequestsException", "errorMessage": "Rate Exceeded."}
TOO_LARGE = {
    "errorType": "Function.ResponseSizeTooLarge",
    "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
}


class Tunnel:
    """A way to the front whose connections can be cut."""

    def __init__(self, front: str) -> None:
        parts = urlsplit(front)
        self._front = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.address = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection off, as a frozen environment loses its own."""
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            with suppress(OSError):
                # A reset, not an orderly end.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(self._front)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=ends, daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(1 << 16):
                target.sendall(piece)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source, target}


class Sandbox:
    """The function's process group, and the emulator's runtime interface above it."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._wishes = Path(settings["wishes"])
        self._tunnel = Tunnel(settings["front"])
        self._above = os.environ["AWS_LAMBDA_RUNTIME_API"]
        self._random = random.Random(os.getpid())
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, runtime_api: str) -> subprocess.Popen[bytes]:
        """Start the function; it ends when this process does."""
        library = ctypes.CDLL(None)

        def end_with_parent() -> None:
            library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

        self._process = subprocess.Popen(
            [str(HERE / "function")],
            env=os.environ
            | {
                "AWS_LAMBDA_RUNTIME_API": runtime_api,
                "AWS_ENDPOINT_URL": self._tunnel.address,
            },
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        return self._process

    def next(self) -> tuple[dict[str, str], bytes]:
        """Freeze; the next invocation, with the function thawed for it."""
        self._signal(signal.SIGSTOP)
        while True:
            status, headers, body = self.above("GET", "/invocation/next")
            if status != 200:
                self.end()
                sys.exit(1)
            if self._random.random() >= self._throttled():
                break
            request = headers["lambda-runtime-aws-request-id"]
            self.above("POST", f"/invocation/{request}/error", json.dumps(THROTTLED).encode())
        self._tunnel.cut()
        self._signal(signal.SIGCONT)
        return headers, body

    def above(
        self, method: str, path: str, body: bytes | None = None, kind: str | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask the emulator."""
        connection = http.client.HTTPConnection(self._above)
        headers = {"Lambda-Runtime-Function-Error-Type": kind} if kind else {}
        connection.request(method, VERSION + path, body, headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()

    def end(self) -> None:
        """End the function and all it has started."""
        self._signal(signal.SIGKILL)

    def _throttled(self) -> float:
        try:
            return float(json.loads(self._wishes.read_text()).get("throttled", 0.0))
        except (OSError, ValueError):
            return 0.0

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


def handler(sandbox: Sandbox) -> type[BaseHTTPRequestHandler]:
    """The runtime interface as the function sees it."""

    class RuntimeInterface(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers, body = sandbox.next()
            kept = {name: value for name, value in headers.items() if name.startswith("lambda-")}
            self._answer(200, body, kept)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            path = self.path.removeprefix(VERSION)
            if path.endswith("/response") and len(body) > MOST_ANSWER_BYTES:
                error = path.removesuffix("/response") + "/error"
                sandbox.above("POST", error, json.dumps(TOO_LARGE).encode())
                self._answer(413, b"{}", {})
                return
            kind = self.headers.get("Lambda-Runtime-Function-Error-Type")
            status, _, answer = sandbox.above("POST", path, body, kind)
            self._answer(status, answer, {})

        def log_message(self, format: str, *args: object) -> None:
            """Nothing of this is the function's own log."""

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in (headers | {"content-length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return RuntimeInterface


def main() -> int:
    """Run the function until it or the emulator ends."""
    settings = json.loads((HERE / "sandbox.json").read_text())
    sandbox = Sandbox(settings)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(sandbox))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    process = sandbox.start(f"127.0.0.1:{server.server_port}")
    try:
        return process.wait()
    finally:
        sandbox.end()


if __name__ == "__main__":
    # Nobody waits for the threads that wait for the emulator.
    os._exit(main())
