"""A proxy before an HTTP server of this machine that makes trouble on demand.

It forwards HTTP/1.1 requests and can, by a rule that looks at each request, be slow, wait, refuse,
break off, answer in the server's place, or never answer. For tests and benchmarks.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from http_relay import (
    CHUNK_BYTES,
    connect,
    copy,
    copy_chunked,
    has_body,
    header,
    served,
    status_of,
)


@dataclass(frozen=True)
class Request:
    """A request as it arrives."""

    method: str
    path: str
    body_bytes: int


@dataclass(frozen=True)
class Answer:
    """An answer in the server's place."""

    status: int
    body: bytes = b""

    def encode(self) -> bytes:
        head = (
            f"HTTP/1.1 {self.status} Fault\r\ncontent-length: {len(self.body)}\r\n"
            "content-type: application/xml\r\n\r\n"
        )
        return head.encode() + self.body


SLOW_DOWN = Answer(503, b"<Error><Code>SlowDown</Code><Message>Please slow down.</Message></Error>")
EXPIRED = Answer(
    400,
    b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
)
STALL = "stall"
"""Takes the request and never answers."""
BREAK = "break"
"""Closes the connection in the middle of the server's answer."""
CORRUPT = "corrupt"
"""Changes one byte of the body that the server answers with."""

Fault = Answer | str | None


@dataclass
class FaultProxy:
    """A running proxy; its fields may be set at any time."""

    upstream: str
    trusted: ssl.SSLContext | None = None
    """Whose certificate the server may show, where it has TLS."""
    endpoint: str = ""
    rule: Callable[[Request], Fault] = lambda _request: None
    """What happens to a request; None forwards it."""
    holds: Callable[[Request], bool] = lambda _request: False
    """Whether a request has to wait; asked again and again until it has not."""
    is_down: bool = False
    """Whether connections are closed as if there were no network."""
    delay_seconds: float = 0.0
    """Added to each request: the round trip of a distant server."""
    requests: list[Request] = field(default_factory=list)
    """Those that were forwarded."""

    def put_bytes(self) -> int:
        """The bytes of all bodies that were forwarded."""
        return sum(request.body_bytes for request in list(self.requests))

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while not self.is_down:
                head = await client.readuntil(b"\r\n\r\n")
                method, path = head.split(b" ", 2)[:2]
                length = int(header(head, b"content-length") or 0)
                request = Request(method.decode(), path.decode(), length)
                fault = self.rule(request)
                if isinstance(fault, Answer):
                    await client.readexactly(length)
                    to_client.write(fault.encode())
                    continue
                if server is None:
                    server = await connect(self.upstream, self.trusted)
                await asyncio.sleep(self.delay_seconds)
                while self.holds(request):
                    await asyncio.sleep(0.02)
                await self._forward(head, length, client, server[1])
                if self.is_down:
                    break
                self.requests.append(request)
                if fault == STALL:
                    await asyncio.sleep(3600)
                await self._answer(request, fault, server[0], to_client)
        for writer in (to_client, server[1] if server else None):
            if writer:
                writer.transport.abort()

    async def _forward(
        self,
        head: bytes,
        length: int,
        client: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        to_server.write(head)
        while length:
            piece = await client.read(min(length, CHUNK_BYTES))
            if not piece or self.is_down:
                raise ConnectionResetError
            length -= len(piece)
            to_server.write(piece)
            await to_server.drain()

    async def _answer(
        self,
        request: Request,
        fault: Fault,
        server: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
    ) -> None:
        head = await server.readuntil(b"\r\n\r\n")
        to_client.write(head)
        if not has_body(request.method, status_of(head)):
            return
        if header(head, b"transfer-encoding"):
            await copy_chunked(server, to_client)
            return
        length = int(header(head, b"content-length") or 0)
        if fault == CORRUPT and length:
            first = await server.readexactly(1)
            to_client.write(bytes([first[0] ^ 1]))
            length -= 1
        if fault == BREAK:
            await copy(server, to_client, length // 2)
            raise ConnectionResetError
        while length:
            piece = min(length, CHUNK_BYTES)
            if self.is_down:
                raise ConnectionResetError
            await copy(server, to_client, piece)
            length -= piece


@contextmanager
def fault_proxy(upstream: str, certificate: Path | None = None) -> Iterator[FaultProxy]:
    """A proxy on a free loopback port, in a thread of its own.

    certificate: of the authority that the server's is of, where it has TLS.
    """
    trusted = ssl.create_default_context(cafile=certificate) if certificate else None
    proxy = FaultProxy(upstream, trusted)
    with served(proxy.serve) as port:
        proxy.endpoint = f"http://127.0.0.1:{port}"
        yield proxy
