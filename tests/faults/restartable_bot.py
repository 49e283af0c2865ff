"""The bot one level below Slack and DBOS: the real use cases, ledger, policy and VoIPBIN client, in virtual time.

A process of it can be killed between any two moments and started again; what outlives it is what outlives the real one:
the ledger, the workflows' remembered steps, VoIPBIN, and the cards in the channel.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from bot.activeflows.errors import Failure, LedgerUnavailable
from bot.activeflows.records import RefusalBound
from bot.activeflows.stopping.request import StopRequests
from bot.activeflows.stopping.stop import Patience, Press
from bot.composition.workflows import StopWorkflows
from bot.demo.voipbin.world import World
from bot.ledger.bulk_store import BulkStore
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore
from bot.voipbin import RequestPauses
from bot.voipbin.client import VoIPBINClient
from bot.voipbin.http.budget import Budget
from bot.voipbin.http.credential import AccessKey, AccessKeyCredential
from bot.voipbin.http.exchange import Exchange
from bot.voipbin.live.scan import WalkBounds
from tests.faults.channel import BulkCards, Cards, Channel, Process
from tests.faults.directory import Directory
from tests.faults.line import Events, Line
from tests.faults.virtual_time import VirtualTimeLoop
from tests.faults.workflows import AT_WORK, Workflows

T = TypeVar("T")
LOCKED: Final = 3.0
"""Seconds after which a transaction that is not answered is given up."""


@dataclass
class Outage:
    """What becomes of the next transactions of presses: after so many good ones so many are not answered.

    ``kept``: the last of these was kept all the same. ``of``: only those of this press. ``hurt``: presses to which it
    has happened.
    """

    good: int = 0
    bad: int = 0
    kept: bool = False
    of: str = ""
    hurt: set[str] = field(default_factory=set)

    def over(self) -> None:
        self.good, self.bad, self.of = 0, 0, ""

    def strikes(self) -> bool:
        """Whether this transaction is not answered."""
        workflow = AT_WORK.get()
        if workflow is None or not self.bad or self.of not in {"", workflow.press.id}:
            return False
        if self.good:
            self.good -= 1
            return False
        self.bad -= 1
        self.hurt.add(workflow.press.id)
        return True


class MortalDatabase(Database):
    """The ledger as one process has it."""

    def __init__(self, url: str, process: Process, outage: Outage) -> None:
        super().__init__(url)
        self._process, self._outage = process, outage

    async def within(self, work: Any, **how: Any) -> Any:
        self._process.must_live()
        if not self._outage.strikes():
            return await super().within(work, **how)
        if self._outage.kept and not self._outage.bad:
            await super().within(work, **how)
        await asyncio.sleep(LOCKED)
        raise LedgerUnavailable("the ledger did not answer in time")


class RestartableBot:
    """Everything, and the hand that kills and starts the bot in it."""

    def __init__(self, folder: Path, people: Directory, channel: Channel, loop: VirtualTimeLoop) -> None:
        self.loop, self.people, self.channel = loop, people, channel
        self._leapt, self._began = timedelta(0), datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
        people.now = channel.now = self.now
        self.world = World(now=self.now)
        self.line, self.events = Line(self.world, self.now), Events(self.world)
        self.workflows = Workflows(self.now)
        self.outage = Outage()
        self.url = f"sqlite:///{folder / 'flows-bot.db'}"
        self.process: Process | None = None
        self._open = AsyncExitStack()
        self.deaths = 0
        self.started_at = self._began

    def now(self) -> datetime:
        return self._began + self._leapt + timedelta(seconds=self.loop.passed)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def passes(self, seconds: float) -> None:
        """Time passes, and whatever is under way goes on."""
        self.run(asyncio.sleep(seconds))

    def leaps(self, seconds: float) -> None:
        """The clock on the wall jumps ahead, as after the machine was asleep; nothing went on meanwhile."""
        self._leapt += timedelta(seconds=seconds)

    def start(self) -> None:
        self.run(self._start())

    async def _start(self) -> None:
        process = Process()
        database = MortalDatabase(self.url, process, self.outage)
        self._open.push_async_callback(database.close)
        if self.process is None and not self.deaths:
            await database.prepare()
        http = await self._open.enter_async_context(httpx.AsyncClient(transport=self.line))
        credential = AccessKeyCredential(AccessKey(self.world.access_key))
        self.budget = Budget(50)
        exchange = Exchange(http, "http://voipbin/v1.0", credential, self.budget, RequestPauses())
        stream: Any = self.events
        voipbin = VoIPBINClient(exchange, now=self.now, clock=self.loop.time, bounds=WalkBounds(), stream=stream)
        self._open.push_async_callback(voipbin.close)
        await _introduced(voipbin)
        self.live_index = await self._open.enter_async_context(voipbin.live_index().at_work())
        self.started_at = self.now()
        self.book, patience, cards = StopStore(database, now=self.now), Patience(), Cards(self.channel, process)
        self.asking = StopRequests(
            voipbin, self.book, RefusalBound(), policy=self.people.policy, patience=patience, now=self.now
        )
        self.cards, self.process = cards, process
        self.bulks, self.bulk_cards = BulkStore(database), BulkCards(self.channel, process)
        stops = StopWorkflows(
            voipbin,
            self.book,
            self.bulks,
            self.people,
            cards,
            self.bulk_cards,
            self.workflows,
            policy=self.people.policy,
            patience=patience,
            now=self.now,
            clock=self.boot_time,
        )
        self.asking_bulk, self._by_wish = stops.bulk_requests, stops.by_wish
        self.workflows.recover(stops.by_wish, stops.carry_out_member)

    def boot_time(self) -> float:
        """Goes on while the machine sleeps."""
        return self._leapt.total_seconds() + self.loop.passed

    def press(self, press: Press) -> None:
        """It is recorded; from now on it will be carried out."""

        async def recorded() -> None:
            self.workflows.start(press, self._by_wish)

        self.run(recorded())

    def kill(self) -> None:
        """Between two moments, without a last word."""
        if self.process is not None:
            self.process.alive, self.process = False, None
            self.deaths += 1
            self.run(self._end())

    async def _end(self) -> None:
        await self.workflows.die()
        await self._open.aclose()
        self._open = AsyncExitStack()

    def close(self) -> None:
        self.kill()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        with suppress(RuntimeError):
            self.loop.run_until_complete(asyncio.sleep(1))
        self.loop.close()


async def _introduced(voipbin: VoIPBINClient) -> None:
    while True:
        try:
            await voipbin.introduce()
        except Failure:
            await asyncio.sleep(5)
        else:
            return
