"""A TCP proxy between the bot and VoIPBIN that does to the bytes what a bad network does.

It knows nothing of HTTP but how a request begins: a mishap waits for the next request whose first bytes hold its
words, and befalls that request and its answer. Everything else passes as it is.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends RST, not FIN
_CHUNK: Final = 65536


@dataclass(frozen=True)
class Mishap:
    """What befalls one request. Byte counts are of this request and its answer; seconds are real."""

    request_bytes: int | None = None
    """Forward only so many, then the connection breaks."""
    answer_bytes: int | None = None
    """Let only so many come back, then the connection breaks."""
    reset: bool = False
    """It breaks with a TCP reset instead of an orderly end."""
    request_late: float = 0.0
    answer_late: float = 0.0
    byte_by_byte: float = 0.0
    """Seconds between the bytes of the answer."""
    request_lost: bool = False
    """It is swallowed; the connection stays open and silent."""
    answer_lost: bool = False
    instead: bytes = b""
    """What somebody in between answers, without asking VoIPBIN."""


@dataclass
class _Waiting:
    words: bytes
    mishap: Mishap
    times: int


class Proxy:
    """``port`` is where it listens; ``met`` counts the mishaps that befell somebody."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = host, port
        self._script: list[_Waiting] = []
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0
        self.met = 0

    def on(self, words: bytes, *mishaps: Mishap, times: int = 1) -> None:
        """Let these befall the next requests that begin with these words in their first line, one each."""
        self._script += [_Waiting(words, mishap, times) for mishap in mishaps]

    def clear(self) -> None:
        self._script.clear()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        try:
            while request := await reader.read(_CHUNK):
                mishap = self._next(request) or Mishap()
                if not await _befalls(mishap, request, up_writer, writer):
                    return
                if not await _comes_back(mishap, up_reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            for each in (writer, up_writer):
                each.transport.abort() if each.transport.is_closing() else each.close()

    def _next(self, request: bytes) -> Mishap | None:
        line = request.partition(b"\r\n")[0]
        for waiting in self._script:
            if waiting.times > 0 and waiting.words in line:
                waiting.times -= 1
                self.met += 1
                return waiting.mishap
        return None

    async def end(self) -> None:
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


async def _befalls(
    mishap: Mishap, request: bytes, up_writer: asyncio.StreamWriter, writer: asyncio.StreamWriter
) -> bool:
    """Pass the request on, or not; whether an answer is to be waited for."""
    await asyncio.sleep(mishap.request_late)
    if mishap.instead:
        writer.write(mishap.instead)
        return False
    if mishap.request_lost:
        await asyncio.get_running_loop().create_future()
    up_writer.write(request[: mishap.request_bytes])
    await up_writer.drain()
    if mishap.request_bytes is not None:
        _breaks(writer, reset=mishap.reset)
        return False
    return True


async def _comes_back(mishap: Mishap, up_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Pass the answer back, or not; whether the connection is still good."""
    answer = await _whole_answer(up_reader)
    await asyncio.sleep(mishap.answer_late)
    if mishap.answer_lost:
        await asyncio.get_running_loop().create_future()
    answer = answer[: mishap.answer_bytes]
    if mishap.byte_by_byte:
        for place in range(len(answer)):
            writer.write(answer[place : place + 1])
            await writer.drain()
            await asyncio.sleep(mishap.byte_by_byte)
    else:
        writer.write(answer)
    await writer.drain()
    if mishap.answer_bytes is not None:
        _breaks(writer, reset=mishap.reset)
    return mishap.answer_bytes is None


async def _whole_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.split(b":")[1]))
    return head


def _breaks(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if reset:
        peer: socket.socket = writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()
    else:
        writer.close()


@asynccontextmanager
async def proxying(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy to there, for as long as the block lasts."""
    proxy = Proxy(host, port)
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.port = int(server.sockets[0].getsockname()[1])
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
        with suppress(ConnectionError):
            await server.wait_closed()
