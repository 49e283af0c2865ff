"""Bots in processes of their own, between the same simulators as the bot of the stories. Each is ended by its id."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from pydantic import SecretStr

from tests.faults import killed_bot
from tests.forks import FORKS
from tests.ports import free_port
from tests.scenarios.conftest import Stage

_STARTS_WITHIN = 30.0


class BotProcess:
    """One bot, configured by environment variables alone."""

    def __init__(self, environment: dict[str, str], folder: Path, port: int, order: Path) -> None:
        self._environment, self._folder, self._order = environment, folder, order
        self._process: ForkServerProcess | None = None
        self.url = f"http://127.0.0.1:{port}"

    @property
    def dead(self) -> bool:
        return self._process is not None and not self._process.is_alive()

    async def run(self, order: str = "go") -> None:
        """Start it, until it is ready for deliveries. ``again and again``: whenever it was killed."""
        self._process = FORKS.Process(target=killed_bot.run, args=(self._environment, self._folder, order))
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # who is killed counts for nothing
            self._process.start()
        await self.until_ready()

    async def until_ready(self) -> None:
        async with asyncio.timeout(_STARTS_WITHIN), aiohttp.ClientSession() as session:
            while not await self._ready(session):
                assert not self.dead, "the bot ended instead of getting ready"
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

    @contextlib.asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """It does nothing while the block lasts, as on a paused machine."""
        assert self._process is not None
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    async def kill(self, with_: signal.Signals = signal.SIGKILL) -> None:
        """At once, without a last word."""
        if self._process is None:
            return
        if self._process.is_alive() and self._process.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, with_)
        await asyncio.to_thread(self._process.join)


class Processes:
    """Starts them, and sees to it that none is left."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._started: list[BotProcess] = []

    def ready(self, *, earlier: bool = False, **changes: object) -> BotProcess:
        """One that waits for `run`; `earlier`: of the build before this one. `changes` are settings by name."""
        port, folder = free_port(), self._stage.policy.parent
        order = folder / f"order-{uuid4().hex}"
        environment = self._environment(port, order, changes) | ({"EARLIER_BUILD": "1"} if earlier else {})
        self._started.append(BotProcess(environment, folder, port, order))
        return self._started[-1]

    async def start(self, **changes: object) -> BotProcess:
        """One that is ready; the simulated Slack delivers to it from now on."""
        bot = self.ready(**changes)  # type: ignore[arg-type] # settings only
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
        variables = dict(_variables(given))
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        return {**kept, **variables, "FLOWS_BOT_LOG_LEVEL": "ERROR", "KILLED_BY": str(order)}


def _variables(given: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        if isinstance(value, dict):
            yield from _variables(value, f"{before}{name.upper()}__")
        elif value is not None:
            yield f"{before}{name.upper()}", _plain(value)


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
