"""Bots in processes of their own, between the same simulators as the bot of the stories. Each is ended by its id."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from uuid import uuid4

import aiohttp
from pydantic import SecretStr

from tests.scenarios.conftest import Stage

_LAUNCHER = Path(__file__).with_name("killed_bot.py")
_STARTS_WITHIN = 30.0


class BotProcess:
    """One bot, configured by environment variables alone."""

    def __init__(self, process: Process, port: int, order: Path) -> None:
        self._process, self._order = process, order
        self.url = f"http://127.0.0.1:{port}"

    @property
    def dead(self) -> bool:
        return self._process.returncode is not None

    async def run(self, order: str = "go") -> None:
        """Let it go on from its imports, until it is ready for deliveries. ``again and again``: whenever it was killed."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n".encode())
        self._process.stdin.close()
        await self.until_ready()

    async def until_ready(self) -> None:
        async with asyncio.timeout(_STARTS_WITHIN), aiohttp.ClientSession() as session:
            while not await self._ready(session):
                assert not self.dead, f"the bot ended with {self._process.returncode} instead of getting ready"
                await asyncio.sleep(0.02)

    async def _ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def dies(self, when: str, which: int | str) -> None:
        """From now on its writes are counted; it dies `before` or `after` the n-th, or at `each` in turn."""
        written = self._order.with_suffix(".new")
        written.write_text(f"{when} {which}", encoding="utf-8")
        written.replace(self._order)  # there at once and whole

    @property
    def died_at(self) -> list[str]:
        """The writes at which it died, when it was to die at each."""
        met = self._order.with_suffix(".met")
        return met.read_text(encoding="utf-8").splitlines() if met.exists() else []

    async def kill(self, with_: signal.Signals = signal.SIGKILL) -> None:
        """At once, without a last word."""
        if not self.dead:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(with_)
        await self._process.wait()


class Processes:
    """Starts them, and sees to it that none is left."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._started: list[BotProcess] = []

    async def warm(self, **changes: object) -> BotProcess:
        """A process with everything imported, that waits for `run`. `changes` are settings by name."""
        port = _free_port()
        order = self._stage.policy.with_name(f"order-{uuid4().hex}")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(_LAUNCHER),
            env=self._environment(port, order, changes),
            cwd=self._stage.policy.parent,  # no .env of anybody's
            stdin=PIPE,
            stdout=DEVNULL,
        )
        self._started.append(BotProcess(process, port, order))
        return self._started[-1]

    async def start(self, **changes: object) -> BotProcess:
        """One that is ready; the simulated Slack delivers to it from now on."""
        bot = await self.warm(**changes)
        await self.run(bot)
        return bot

    async def run(self, bot: BotProcess, order: str = "go") -> None:
        await bot.run(order)
        self._stage.slack.request_url = f"{bot.url}/slack/events"

    async def end(self) -> None:
        for bot in self._started:
            await bot.kill()

    def _environment(self, port: int, order: Path, changes: dict[str, object]) -> dict[str, str]:
        given = self._stage.settings(flows_bot_port=port, **changes).model_dump(exclude_defaults=True)
        variables = {name.upper(): _plain(value) for name, value in given.items()}
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        return {**kept, **variables, "FLOWS_BOT_LOG_LEVEL": "ERROR", "KILLED_BY": str(order)}


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
