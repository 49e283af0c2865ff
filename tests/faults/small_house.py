"""The bot one level below Slack and DBOS: the real use cases, ledger, policy and VoIPBIN client, in virtual time.

A process of it can be killed between any two moments and started again; what outlives it is what outlives the real one:
the ledger, the workflows' remembered steps, VoIPBIN, and the cards in the channel.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx

from bot.activeflows.bulk.authorization import PressingBulk
from bot.activeflows.bulk.execution import Bulking
from bot.activeflows.bulk.final_check import LookingAround
from bot.activeflows.bulk.hang_up_results import HungUp
from bot.activeflows.bulk.preparation import BulkPreparation
from bot.activeflows.bulk.request import BulkRequests
from bot.activeflows.bulk.snapshot import BulkSnapshot
from bot.activeflows.errors import Failure
from bot.activeflows.queries.listing import Reading
from bot.activeflows.refusals import RefusalBound
from bot.activeflows.stopping.admission import Admitting
from bot.activeflows.stopping.aftermath import Aftermath
from bot.activeflows.stopping.authorization import Authorization
from bot.activeflows.stopping.follow_up import Follow
from bot.activeflows.stopping.gate import Gate
from bot.activeflows.stopping.machine import StopMachine
from bot.activeflows.stopping.ports import Step
from bot.activeflows.stopping.read_back import Readback
from bot.activeflows.stopping.reconfirmation import Renewal
from bot.activeflows.stopping.request import StopRequests
from bot.activeflows.stopping.stop import Press, Wish
from bot.activeflows.stopping.subject import ActiveflowSubject, CallSubject
from bot.activeflows.stopping.timeouts import Patience
from bot.activeflows.stopping.workflow import HangUpWorkflow, StopWorkflow
from bot.demo.voipbin.world import World
from bot.ledger.bulk_store import BulkStore
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore
from bot.voipbin import Patience as AskingPatience
from bot.voipbin import Urgency
from bot.voipbin.client import VoIPBINClient
from bot.voipbin.http.budget import Budget
from bot.voipbin.http.credential import AccessKey, AccessKeyCredential
from bot.voipbin.http.exchange import Exchange
from bot.voipbin.live.scan import Bounds
from tests.faults.channel import BulkCards, Cards, Channel, Process
from tests.faults.directory import Directory
from tests.faults.line import Line
from tests.faults.virtual_time import VirtualTimeLoop
from tests.faults.workflows import Workflows

T = TypeVar("T")


class MortalDatabase(Database):
    """The ledger as one process has it."""

    def __init__(self, url: str, process: Process) -> None:
        super().__init__(url)
        self._process = process

    async def within(self, work: Any, **how: Any) -> Any:
        self._process.must_live()
        return await super().within(work, **how)


class House:
    """Everything, and the hand that kills and starts the bot in it."""

    def __init__(self, folder: Path, people: Directory, channel: Channel, loop: VirtualTimeLoop) -> None:
        self.loop, self.people, self.channel = loop, people, channel
        self._leapt, self._began = timedelta(0), datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
        people.now = channel.now = self.now
        self.world = World(now=self.now)
        self.line = Line(self.world, self.now)
        self.workflows = Workflows(self.now)
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
        database = MortalDatabase(self.url, process)
        self._open.push_async_callback(database.close)
        if self.process is None and not self.deaths:
            await database.prepare()
        http = await self._open.enter_async_context(httpx.AsyncClient(transport=self.line))
        credential = AccessKeyCredential(AccessKey(self.world.access_key))
        self.budget = Budget(50)
        exchange = Exchange(http, "http://voipbin/v1.0", credential, self.budget, AskingPatience())
        voipbin = VoIPBINClient(exchange, now=self.now, clock=self.loop.time, bounds=Bounds())
        self._open.push_async_callback(voipbin.close)
        await _introduced(voipbin)
        self.started_at = self.now()
        self.book, patience, cards = StopStore(database, now=self.now), Patience(), Cards(self.channel, process)
        reading = Reading(voipbin, now=self.now)
        self.asking = StopRequests(voipbin, self.book, reading.resolve, RefusalBound(), patience=patience, now=self.now)
        self.cards, self.process = cards, process
        self.bulks, self.bulk_cards = BulkStore(database), BulkCards(self.channel, process)
        authorization = Authorization(self.people, self.people.policy)
        self._gate = Gate(self.book, authorization, clock=self.boot_time)
        admitting = Admitting(self.book, authorization, now=self.now)
        freezing = BulkSnapshot(voipbin.with_urgency(Urgency.BULK), self.now)
        self.asking_bulk = BulkRequests(self.bulks, BulkPreparation(freezing, now=self.now), now=self.now)
        bulking = self._bulking(voipbin.with_urgency(Urgency.BULK), freezing, authorization)
        aftermath = Aftermath(voipbin, patience, self.now)
        subject = ActiveflowSubject(voipbin, self._gate, patience, now=self.now)
        follow = Follow(self.book, subject, aftermath, patience, now=self.now)
        stopping = StopWorkflow(self.book, cards, admitting, self._lone(voipbin), aftermath, follow)
        self._wishes = {
            Wish.STOP: stopping.carry_out,
            Wish.HANG_UP: self._hang_up(voipbin, admitting).carry_out,
            Wish.BULK: bulking.carry_out,
        }
        self.workflows.recover(self._carry_out, bulking.carry_out_member)

    def boot_time(self) -> float:
        """Goes on while the machine sleeps."""
        return self._leapt.total_seconds() + self.loop.passed

    def _lone(self, voipbin: VoIPBINClient) -> StopMachine:
        """Put together as ``composition.workflows`` does, and so are the next two."""
        patience, now = Patience(), self.now
        subject = ActiveflowSubject(voipbin, self._gate, patience, now=now)
        renewal = Renewal(voipbin, self.book, policy=self.people.policy, patience=patience, now=now)
        return StopMachine(self.book, subject, renewal, patience=patience, now=now)

    def _hang_up(self, voipbin: VoIPBINClient, admitting: Admitting) -> HangUpWorkflow:
        patience = replace(Patience(), soon=Patience().after, looks=0, follow_for=0)
        subject = CallSubject(voipbin, self._gate, now=self.now)
        machine = StopMachine(self.book, subject, None, patience=patience, now=self.now)
        of_member = HungUp(self.bulks, self.bulk_cards).tell
        return HangUpWorkflow(self.book, self.cards, admitting, machine, subject, of_member=of_member, now=self.now)

    def _bulking(self, voipbin: VoIPBINClient, freezing: BulkSnapshot, authorization: Authorization) -> Bulking:
        patience, now = replace(Patience(), looks=0, follow_for=0), self.now
        subject = ActiveflowSubject(voipbin, self._gate, patience, now=now)
        readback, aftermath = Readback(voipbin, patience, now), Aftermath(voipbin, patience, now)
        return Bulking(
            bulks=self.bulks,
            ledger=self.book,
            cards=self.bulk_cards,
            pressing=PressingBulk(self.bulks, self.book, authorization, now=now),
            machine=StopMachine(self.book, subject, None, patience=patience, now=now),
            around=LookingAround(self.people, freezing, readback, aftermath),
            members=self.workflows,
            now=now,
        )

    async def _carry_out(self, press: Press, step: Step) -> None:
        await self._wishes[press.wish](press, step)

    def press(self, press: Press) -> None:
        """It is recorded; from now on it will be carried out."""

        async def recorded() -> None:
            self.workflows.start(press, self._carry_out)

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
