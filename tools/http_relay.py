"""The plumbing of the two proxies of the tests: HTTP/1.1 heads and bodies from side to side."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

CHUNK_BYTES = 1 << 16
HEAD_BYTES = 1 << 18

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def header(head: bytes, name: bytes) -> bytes | None:
    """The value of one header."""
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def status_of(head: bytes) -> int:
    """The status of an answer."""
    return int(head.split(b" ", 2)[1])


def has_body(method: str, status: int) -> bool:
    """Whether an answer has a body, whatever its headers say."""
    return method != "HEAD" and status not in (204, 304) and status >= 200


async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, length: int) -> None:
    """Copy that many bytes; ConnectionResetError where there are fewer."""
    while length:
        piece = await source.read(min(length, CHUNK_BYTES))
        if not piece:
            raise ConnectionResetError
        length -= len(piece)
        target.write(piece)
        await target.drain()


async def copy_chunked(source: asyncio.StreamReader, target: asyncio.StreamWriter | None) -> None:
    """Copy a chunked body as it is; read it to its end where there is no target."""
    if target is None:
        while count := int((await source.readuntil(b"\r\n")).split(b";")[0], 16):
            await source.readexactly(count + 2)
        while await source.readuntil(b"\r\n") != b"\r\n":
            pass
        return
    while True:
        size = await source.readuntil(b"\r\n")
        target.write(size)
        if count := int(size.split(b";")[0], 16):
            target.write(await source.readexactly(count + 2))
            await target.drain()
            continue
        # Trailers, which end with an empty line.
        while True:
            line = await source.readuntil(b"\r\n")
            target.write(line)
            if line == b"\r\n":
                return


async def connect(
    address: str, trusted: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a server, with TLS where its address says so."""
    parts = urlsplit(address)
    tls = trusted if parts.scheme == "https" else None
    return await asyncio.open_connection(parts.hostname, parts.port, limit=HEAD_BYTES, ssl=tls)


@contextmanager
def served(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve connections on a free loopback port, in a thread of its own; the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(
            serve, "127.0.0.1", 0, limit=HEAD_BYTES, backlog=1024, ssl=tls
        )

    server = asyncio.run_coroutine_threadsafe(start(), loop).result()

    async def stop() -> None:
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
