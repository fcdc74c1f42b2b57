"""The socket to the consumer."""

import json
import os
import select
import socket
import struct
import threading

from .memory import memory_bytes

SOCKET_DESCRIPTOR = 3


class Connection:
    """The socket to the consumer."""

    def __init__(self) -> None:
        self._socket = socket.socket(fileno=SOCKET_DESCRIPTOR)
        self._sending = threading.Lock()
        # A script that starts a process must not hand it this socket.
        os.set_inheritable(SOCKET_DESCRIPTOR, False)
        threading.Thread(target=self._leave_with_parent, daemon=True).start()

    def receive(self):
        """The next request, or None when the consumer has gone away."""
        header = self._read(4)
        body = self._read(struct.unpack(">I", header)[0]) if header else None
        return json.loads(body) if body else None

    def send(self, message) -> None:
        body = json.dumps(message).encode()
        with self._sending:
            self._socket.sendall(struct.pack(">I", len(body)) + body)

    def _read(self, size):
        chunks = []
        while size:
            chunk = self._socket.recv(size)
            if not chunk:
                return None
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)

    def _leave_with_parent(self) -> None:
        """Ends this process when the consumer is killed, also in the middle of a render."""
        hang_up = select.poll()
        hang_up.register(SOCKET_DESCRIPTOR, select.POLLHUP | select.POLLRDHUP)
        hang_up.poll()
        os._exit(0)


def progress(part: float | None) -> dict:
    return {"type": "progress", "part": part, "memory_bytes": memory_bytes()}
