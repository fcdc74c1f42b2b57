"""The proxy before the emulator that applies the rules."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from http_relay import connect, copy, copy_chunked, has_body, header, served, status_of

from . import functions, quotas, registry, s3, sign_in, stacks
from .request import Answer, Request
from .state import Front

# Bodies up to this size are looked at, larger ones pass by.
LOOKED_AT_BYTES = 1 << 20

Rule = Callable[[Front, Request], Answer | None]
Note = Callable[[Front, Request, bytes], None]

RULES: list[Rule] = [
    s3.checksum_of_an_upload_in_parts,
    s3.size_of_a_part,
    s3.conflict_of_conditional_writes,
    s3.slow_down,
    functions.function_that_sleeps,
    functions.size_of_an_invocation,
    functions.size_of_an_api_call,
    quotas.service_quotas,
    sign_in.aws_sign_in,
    sign_in.identity_center,
    registry.piece_that_is_dropped,
    registry.tag_that_is_there,
    stacks.deployment_that_fails,
    stacks.stack_that_was_rolled_back,
]
NOTES: list[Note] = [s3.note_upload, registry.note_image]


@contextmanager
def strict_front(
    upstream: str, admin: Callable[[str], Any], own: ssl.SSLContext, trusted: ssl.SSLContext
) -> Iterator[tuple[str, Front]]:
    """A front before a server with TLS; its address and its state.

    admin: makes a boto3 client of a service of that server. own: the front's certificate. trusted:
    whose certificate the server may show.
    """
    front = Front(admin)

    async def serve(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await Connection(front, upstream, trusted, client, to_client).serve()
        to_client.transport.abort()

    with served(serve, own) as port:
        yield f"https://127.0.0.1:{port}", front


class Connection:
    """A client's connection, and that to the server behind it."""

    def __init__(
        self,
        front: Front,
        upstream: str,
        trusted: ssl.SSLContext,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
    ) -> None:
        self._front = front
        self._upstream, self._trusted = upstream, trusted
        self._client, self._to_client = client, to_client
        self._server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def serve(self) -> None:
        """Answer one request after the other, until the client goes away."""
        try:
            while True:
                await self._exchange()
        finally:
            if self._server:
                self._server[1].transport.abort()

    async def _exchange(self) -> None:
        head = await self._client.readuntil(b"\r\n\r\n")
        request = await self._read(head)
        answer = await asyncio.to_thread(self._refuse, request)
        if answer:
            if request.body is None:
                await self._drop(request)
            self._to_client.write(answer.encode())
            await self._to_client.drain()
            return
        is_held = request.is_conditional_write
        if is_held:
            self._front.writing.add(request.path)
        try:
            limit = self._front.api_limit_seconds if functions.is_api(request) else None
            await asyncio.wait_for(self._forward(head, request), limit)
        except TimeoutError:
            self._to_client.write(functions.too_late().encode())
            await self._to_client.drain()
            raise ConnectionResetError from None
        finally:
            if is_held:
                self._front.writing.discard(request.path)

    def _refuse(self, request: Request) -> Answer | None:
        self._front.requests.append((time.monotonic(), request.method, request.target))
        for rule in RULES:
            if answer := rule(self._front, request):
                self._front.refused.append(rule.__name__)
                return answer
        return None

    async def _read(self, head: bytes) -> Request:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", 0))
        body = None
        if "100-continue" in headers.get("expect", ""):
            self._to_client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if length <= LOOKED_AT_BYTES and "transfer-encoding" not in headers:
            body = await self._client.readexactly(length)
        return Request(method, target, headers, length, body)

    async def _drop(self, request: Request) -> None:
        if request.is_chunked:
            await copy_chunked(self._client, None)
            return
        length = request.body_bytes
        while length:
            piece = await self._client.read(min(length, 1 << 16))
            if not piece:
                raise ConnectionResetError
            length -= len(piece)

    async def _forward(self, head: bytes, request: Request) -> None:
        if self._server is None:
            self._server = await connect(self._upstream, self._trusted)
        server, to_server = self._server
        lines = head.split(b"\r\n")
        # What was asked for here was answered here.
        kept = [line for line in lines if not line.lower().startswith(b"expect:")]
        if self._upstream.startswith("http:"):
            # What came here came over TLS; policies ask for that.
            kept.insert(1, b"x-forwarded-proto: https")
        to_server.write(b"\r\n".join(kept))
        if request.body is not None:
            to_server.write(request.body)
        elif request.is_chunked:
            await copy_chunked(self._client, to_server)
        else:
            await copy(self._client, to_server, request.body_bytes)
        await to_server.drain()
        answer = await server.readuntil(b"\r\n\r\n")
        if not has_body(request.method, status_of(answer)):
            self._to_client.write(answer)
        elif header(answer, b"transfer-encoding"):
            self._to_client.write(answer)
            await copy_chunked(server, self._to_client)
        else:
            length = int(header(answer, b"content-length") or 0)
            if length <= LOOKED_AT_BYTES:
                body = await server.readexactly(length)
                answer, body = self._looked_at(request, answer, body)
                self._to_client.write(answer + body)
            else:
                self._to_client.write(answer)
                await copy(server, self._to_client, length)
        await self._to_client.drain()

    def _looked_at(self, request: Request, head: bytes, body: bytes) -> tuple[bytes, bytes]:
        if status_of(head) >= 300:
            return head, body
        for note in NOTES:
            note(self._front, request, body)
        changed = functions.configuration(self._front, request, body)
        if changed is not body:
            lines = head.split(b"\r\n")
            kept = [line for line in lines if not line.lower().startswith(b"content-length:")]
            kept.insert(1, b"content-length: %d" % len(changed))
            head = b"\r\n".join(kept)
        return head, changed
