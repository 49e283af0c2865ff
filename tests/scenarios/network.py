"""A company's network in small: a CONNECT proxy, and simulators behind certificates of one's own."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import trustme


@dataclass
class ConnectProxy:
    """Connects to the hosts it knows, and to no other. https://www.rfc-editor.org/rfc/rfc9110#name-connect"""

    ports: Mapping[str, int]
    """Where on loopback each host is."""
    url: str = ""
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["ConnectProxy"]:
        async with listening(self._served) as port:
            self.url = f"http://127.0.0.1:{port}"
            yield self

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, where, _ = head.split(" ", 2)
        host = where.rpartition(":")[0]
        self.heads.append(head)
        self.asked.append(host)
        if method != "CONNECT" or host not in self.ports:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await joined(reader, writer, self.ports[host])


@asynccontextmanager
async def behind_tls(url: str, certificate: trustme.LeafCert) -> AsyncIterator[int]:
    """The port on loopback at which ``url`` is reached with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    there = urlsplit(url).port
    assert there is not None

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await joined(reader, writer, there)

    async with listening(served, context) as port:
        yield port


Served = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(served: Served, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback whose connections are cut at the end."""
    tasks: set[asyncio.Task[None]] = set()

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await served(reader, writer)
        finally:
            tasks.discard(task)
            await gone(writer)

    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(handled, "127.0.0.1", 0, ssl=context)
        stack.callback(server.close)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            while tasks:  # also those whose connection came meanwhile
                for task in tuple(tasks):
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Pass on what comes from either side until one of them ends."""
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    ways = [
        asyncio.ensure_future(_passed(reader, there_writer)),
        asyncio.ensure_future(_passed(there_reader, writer)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        there_writer.transport.abort()  # before anything is awaited, where it could be cancelled once more
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def gone(writer: asyncio.StreamWriter) -> None:
    """Cut it off at once."""
    writer.transport.abort()
    await asyncio.sleep(0)


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
