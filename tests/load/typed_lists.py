"""Type `/flows list` as often as people may, and see each answer come: one at a time, many, and two thousand at once.

    python -m tests.load.typed_lists [--burst 2000] [--seconds 5] [--without-events]

The bot is a process of its own, and so are the simulators; this one sends, and takes what is said to each response_url.
Times are milliseconds from when a command was due until its answer was here. ``cpu_ms``: the kernel's count for the
bot's process.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.load.one_line import percentile, tell
from tests.load.peers.__main__ import cpu_of, on_core
from tests.load.peers.deliveries import command, requests
from tests.load.peers.generator import line_to
from tests.load.town import Town, answering, bots_settings, started, town_up
from tests.ports import free_port

_TIMERS = 0.003
"""Seconds by which a timer of this process may be late."""
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Said:
    """What was said by when, as Slack's response_url takes it."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.words: dict[str, str] = {}
        self.notices = 0

    def take(self, name: str, body: bytes) -> None:
        """The first word on each command that is not "Still working"."""
        if b"Still working" in body:
            self.notices += 1
        elif name not in self.at:
            self.at[name] = time.perf_counter()
            self.words[name] = "busy" if b"overloaded" in body else "answered" if b"Support line" in body else "other"


class _Line(asyncio.Protocol):
    """A connection on which answers come."""

    def __init__(self, said: Said) -> None:
        self._said, self._came = said, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        while True:
            head, there, rest = self._came.partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            long = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
            if not there or len(rest) < long:
                return
            self._said.take(head.split(b" ")[1].decode().rpartition("/")[2], rest[:long])
            self._came = rest[long:]
            self._transport.write(_OK)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Said, str]]:
    """What is said, and the address that it is said to."""
    said = Said()
    server = await asyncio.get_running_loop().create_server(lambda: _Line(said), "127.0.0.1", 0)
    async with server:
        yield said, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/said/"


class Typing:
    """Sends commands, each with a response_url of its own, and waits for what is said to it."""

    def __init__(self, there: Town, said: Said, url: str, port: int, pid: int) -> None:
        self._there, self._said, self._url, self._port, self._pid = there, said, url, port, pid
        self._number = 0

    def _made(self, count: int) -> list[tuple[str, bytes]]:
        made = []
        for _ in range(count):
            self._number += 1
            there = self._there | {"said_url": f"{self._url}{self._number}"}
            made.append((str(self._number), requests(there, command(there), 1)[0]))
        return made

    async def _typed(self, requests: Sequence[tuple[str, bytes]], connections: int, every: float) -> dict[str, Any]:
        """All of them, over so many connections; ``every`` so many seconds one, if not as soon as one is free."""
        free: asyncio.Queue[Any] = asyncio.Queue()
        for _ in range(connections):
            free.put_nowait(await line_to(self._port))
        due, acks = dict[str, float](), list[float]()
        busy, began = cpu_of(self._pid), time.perf_counter()

        async def one(name: str, request: bytes) -> None:
            line = await free.get()
            due[name] = due.get(name) or time.perf_counter()
            sent = time.perf_counter()
            status, body = await line.answered(request)
            acks.append((time.perf_counter() - sent) * 1000)
            assert status == 200, status
            if body:
                self._said.take(name, body)
            free.put_nowait(line)

        async with asyncio.TaskGroup() as group:
            for number, (name, request) in enumerate(requests):
                if every:
                    due[name] = began + number * every
                    await asyncio.sleep(max(0.0, due[name] - time.perf_counter() - _TIMERS))
                    while time.perf_counter() < due[name]:  # noqa: ASYNC110 — a moment
                        await asyncio.sleep(0)
                group.create_task(one(name, request))
        until = time.perf_counter() + 15
        while any(name not in self._said.at for name, _ in requests) and time.perf_counter() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        took = [(self._said.at[name] - due[name]) * 1000 for name, _ in requests if name in self._said.at]
        last = max((self._said.at[name] for name, _ in requests if name in self._said.at), default=began)
        words = [self._said.words.get(name, "silent") for name, _ in requests]
        while not free.empty():
            free.get_nowait().close()
        told: dict[str, Any] = {"typed": len(requests), **{word: words.count(word) for word in sorted(set(words))}}
        told |= {"p50_ms": percentile(took, 0.5), "p99_ms": percentile(took, 0.99), "max_ms": max(took)}
        told |= {"ack_p50_ms": percentile(acks, 0.5), "latest_ack_ms": max(acks)}
        told |= {"a_second": len(took) / (last - began), "cpu_ms": (cpu_of(self._pid) - busy) / len(requests) * 1000}
        return {what: round(value, 2) for what, value in told.items()}

    async def paced(self, a_second: float, seconds: float) -> dict[str, Any]:
        return await self._typed(self._made(int(a_second * seconds)), 8, 1 / a_second)

    async def burst(self, count: int, connections: int) -> dict[str, Any]:
        return await self._typed(self._made(count), connections, 0)


async def measure(burst: int, seconds: float, *, without_events: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with town_up() as there, listening() as (said, url):
            port = free_port()
            more = {"VOIPBIN_EVENTS": "false"} if without_events else {}
            settings = bots_settings(there, Path(folder), port) | more
            with started(sys.executable, "-m", "bot", "run", **settings) as process:
                await answering(port)
                on_core(process.pid, 0)
                on_core(0, 1)
                typing = Typing(there, said, url, port, process.pid)
                await typing.paced(20, 1)  # which warms it up
                told: dict[str, Any] = {"typed_lists": burst, "events": not without_events}
                told["at_20"] = await typing.paced(20, seconds)
                told["at_50"] = await typing.paced(50, seconds)
                told["burst_200"] = await typing.burst(200, 64)
                await asyncio.sleep(1)
                told[f"burst_{burst}"] = await typing.burst(burst, 64)
                told["notices"] = said.notices
    return told


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--burst", type=int, default=2000)
    given.add_argument("--seconds", type=float, default=5)
    given.add_argument("--without-events", action="store_true")
    asked = given.parse_args()
    tell(measure(asked.burst, asked.seconds, without_events=asked.without_events))
