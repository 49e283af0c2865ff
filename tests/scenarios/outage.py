"""A database that can be locked or lost, and comes back: between a bot and a real one."""

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sqlalchemy import make_url


@contextmanager
def locked(sqlite_url: str) -> Iterator[None]:
    """While the block lasts somebody else writes into the file."""
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), timeout=15, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


class Relay:
    """The way to a PostgreSQL server, with a loop of its own: at its start the bot waits for the database in its loop.

    ``url`` leads through it.
    """

    def __init__(self, url: str, folder: str) -> None:
        parsed = make_url(url)
        port, host = parsed.port or 5432, parsed.query.get("host") or ""
        self._there = f"{host if isinstance(host, str) else host[0]}/.s.PGSQL.{port}"
        self._here = Path(folder, f".s.PGSQL.{port}")
        self.url = parsed.set(query={**parsed.query, "host": folder}).render_as_string(hide_password=False)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._passing = Event()
        self._passing.set()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever)
        self._thread.start()

    async def up(self) -> None:
        await self._run(self._up())

    async def down(self) -> None:
        """Every connection breaks, and no other is to be had."""
        await self._run(self._down())

    def silent(self) -> None:
        """Connections stay, and nothing comes through any more."""
        self._passing.clear()

    def speaks_again(self) -> None:
        """What was held up comes through."""
        self._passing.set()

    async def end(self) -> None:
        await self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _up(self) -> None:
        self._server = await asyncio.start_unix_server(self._connect, self._here)

    async def _down(self) -> None:
        if self._server is not None:
            self._server.close()
        self._here.unlink(missing_ok=True)
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_unix_connection(self._there)
        except OSError:  # the server itself is away
            writer.transport.abort()
            return
        both = {writer, up_writer}
        self._writers |= both
        with suppress(ConnectionError):
            await asyncio.gather(self._pass(reader, up_writer), self._pass(up_reader, writer))
        self._writers -= both

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while some := await reader.read(65536):
                while not self._passing.is_set():  # noqa: ASYNC110 — set by another thread
                    await asyncio.sleep(0.01)
                writer.write(some)
                await writer.drain()
        finally:
            writer.transport.abort()


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[Relay]:
    """A relay that is up, to be taken down and up again."""
    with tempfile.TemporaryDirectory(prefix="relay-") as folder:
        relay = Relay(url, folder)
        await relay.up()
        try:
            yield relay
        finally:
            await relay.end()
