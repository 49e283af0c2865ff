"""Send requests that are made already, and time the answers: so many under way, or each at its own time.

`paced` does not wait for answers: a request whose time has come goes out over a connection that is free, or a new one,
and is timed from when it was due, so that a server that stalls pays for all that came meanwhile.
"""

import asyncio
import time
from collections.abc import Sequence


class _Line(asyncio.Protocol):
    """One connection, one request under way at most."""

    def __init__(self) -> None:
        self._answered: asyncio.Future[tuple[bytes, bytes]] | None = None
        self._came = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, there, body = self._came.partition(b"\r\n\r\n")
        if there and len(body) >= _length(head) and self._answered is not None and not self._answered.done():
            self._came = b""
            self._answered.set_result((head, body))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 — of the protocol
        if self._answered is not None and not self._answered.done():
            self._answered.set_result((self._came or b"lost", b""))

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def told(self, request: bytes) -> int:
        """The status of the answer; 0: there was none."""
        return (await self.answered(request))[0]

    async def answered(self, request: bytes) -> tuple[int, bytes]:
        """The status, and the body."""
        assert self._transport is not None
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        head, body = await self._answered
        status = head[9:12]
        return int(status) if status.isdigit() else 0, body

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _length(head: bytes) -> int:
    """(Node says nothing and sends in chunks only where there is a body; here there is none.)"""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


async def line_to(port: int) -> _Line:
    """A new connection."""
    _, line = await asyncio.get_running_loop().create_connection(_Line, "127.0.0.1", port)
    return line


async def saturated(
    port: int, requests: Sequence[bytes], at_once: int, *, refused: bool = False
) -> tuple[list[float], float]:
    """So many under way all the time. Milliseconds of each, and answers a second.

    ``refused``: over a new connection each, which the server may cut off before it has read everything.
    """
    left, took = iter(requests), list[float]()

    async def one() -> None:
        line = await line_to(port)
        for request in left:
            if refused or not line.is_open:
                line.close()
                line = await line_to(port)
            began = time.perf_counter()
            status = await line.told(request)
            took.append((time.perf_counter() - began) * 1000)
            assert status in {401, 0} if refused else status == 200, status
        line.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    return took, len(took) / (time.perf_counter() - began)


async def paced(port: int, requests: Sequence[bytes], a_second: float) -> list[float]:
    """One after the other at their times, whatever became of the last. Milliseconds from when each was due."""
    free: list[_Line] = []
    took: list[float] = []

    async def one(request: bytes, due: float) -> None:
        line = free.pop() if free else await line_to(port)
        status = await line.told(request)
        took.append((time.perf_counter() - due) * 1000)
        assert status == 200, status
        free.append(line)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            due = began + number / a_second
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            group.create_task(one(request, due))
    for line in free:
        line.close()
    return took


async def burst(port: int, requests: Sequence[bytes], connections: int) -> float:
    """All at once over so many new connections: milliseconds from the beginning until the last is answered."""
    began, left = time.perf_counter(), iter(requests)

    async def one() -> None:
        line = await line_to(port)
        for request in left:
            status = await line.told(request)
            assert status == 200, status
        line.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return (time.perf_counter() - began) * 1000
