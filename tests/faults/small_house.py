"""The bot one level below Slack and DBOS: the real use cases, ledger, policy and VoIPBIN client, in virtual time.

A process of it can be killed between any two moments and started again; what outlives it is what outlives the real one:
the ledger, the workflows' remembered steps, VoIPBIN, and the cards in the channel.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from bot.activeflows.errors import Failure, IdentityUnknown
from bot.activeflows.operators import Grant, Operator, Permission, Person, Policy, Rules, Standing
from bot.activeflows.reading.listing import Reading
from bot.activeflows.stopping.asking import Asking
from bot.activeflows.stopping.carrying_out import Stopping
from bot.activeflows.stopping.hanging_up import HangingUp
from bot.activeflows.stopping.patience import Patience
from bot.activeflows.stopping.ports import Step
from bot.activeflows.stopping.pressing import Pressing
from bot.activeflows.stopping.stops import Declined, Intent, Phase, Press, Wish
from bot.demo.voipbin.world import World
from bot.ledger.book import Book
from bot.ledger.database import Database
from bot.slack.blocks.stop_card import stop_card
from bot.voipbin import Patience as AskingPatience
from bot.voipbin.budget import Budget
from bot.voipbin.client import VoIPBINClient
from bot.voipbin.credential import AccessKey, AccessKeyCredential
from bot.voipbin.exchange import Exchange
from bot.voipbin.scan import Bounds
from tests.faults.line import Line
from tests.faults.virtual_time import VirtualTimeLoop
from tests.faults.workflows import Workflows

T = TypeVar("T")
CHANNEL: Final = "C0INCIDENTS"
ONCALL: Final = "S0ONCALL"
_SLACK: Final = 0.01
"""Seconds that Slack takes for an answer."""


@dataclass(frozen=True)
class Answer:
    """What Slack and the policy said of somebody at one moment, by the test's own plain rules."""

    user: str
    at: datetime
    may_stop: bool
    may_approve: bool
    two_person: bool


@dataclass
class Directory:
    """Who is who, and who may what: changed by a story, asked by the bot. ``silent``: so many answers are not given."""

    now: Any
    stoppers: set[str]
    approvers: set[str]
    oncall: set[str]
    guests: set[str] = field(default_factory=set)
    two_person: bool = False
    silent: int = 0
    answers: list[Answer] = field(default_factory=list)

    def may_stop(self, user: str) -> bool:
        return user in self.stoppers or (user in self.oncall and user not in self.guests)

    def policy(self) -> Policy:
        stop = frozenset({Permission.VIEW, Permission.STOP})
        grants = (
            Grant(1, frozenset({ONCALL, *self.stoppers}), stop, frozenset({CHANNEL})),
            Grant(2, frozenset(self.approvers), frozenset({Permission.APPROVE})),
            Grant(3, frozenset({"members"}), frozenset({Permission.VIEW})),
        )
        two_person = frozenset({"stop", "bulk"} if self.two_person else {"bulk"})
        return Policy(grants, Rules(two_person=two_person))  # type: ignore[arg-type] # the two literals

    async def fresh(self, user_id: str, channel: str, *, team: str = "") -> Operator:  # noqa: ARG002 # the port's
        await asyncio.sleep(_SLACK)
        if self.silent:
            self.silent -= 1
            raise IdentityUnknown("Slack did not answer")
        may_stop, may_approve = self.may_stop(user_id), user_id in self.approvers
        self.answers.append(Answer(user_id, self.now(), may_stop, may_approve, self.two_person))
        return self.operator(user_id, channel)

    def operator(self, user_id: str, channel: str = CHANNEL) -> Operator:
        standing = Standing.GUEST if user_id in self.guests else Standing.MEMBER
        groups = frozenset({ONCALL} if user_id in self.oncall and standing is Standing.MEMBER else ())
        return Operator(Person(user_id, standing, groups), channel, self.policy())


@dataclass(frozen=True)
class Telling:
    """What everybody in the channel read from one moment on, on one card."""

    at: datetime
    card: str
    intent: Intent
    phase: Phase
    words: str
    press: Press | None


@dataclass
class Channel:
    """The cards as everybody sees them. ``deaf``: so many changes of a card fail, and are told to the presser alone."""

    now: Any
    deaf: int = 0
    tellings: list[Telling] = field(default_factory=list)
    missed: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    """Ids of the presses that somebody heard about."""
    listens: Callable[[Telling], None] = lambda _: None

    def last(self, card: str) -> Telling | None:
        return next((telling for telling in reversed(self.tellings) if telling.card == card), None)


class Cards:
    """``stopping.ports.Cards`` of one process."""

    def __init__(self, channel: Channel, process: "Process") -> None:
        self._channel, self._process = channel, process

    async def show(self, intent: Intent, phase: Phase, press: Press | None) -> bool:
        await asyncio.sleep(_SLACK)
        self._process.must_live()
        if press is not None:
            self._channel.heard.add(press.id)
        card = intent.message_ts
        if self._channel.deaf:
            self._channel.deaf -= 1
            self._channel.missed.add(card)
        else:
            words = stop_card(intent, phase, "/flows").text
            telling = Telling(self._channel.now(), card, intent, phase, words, press)
            self._channel.tellings.append(telling)
            self._channel.listens(telling)
        return True

    async def decline(self, press: Press, declined: Declined) -> bool:  # noqa: ARG002 # the port's
        await asyncio.sleep(_SLACK)
        self._process.must_live()
        self._channel.heard.add(press.id)
        return True


class Process:
    """Alive until it is killed; then whatever of it still wants to write or speak, cannot."""

    alive = True

    def must_live(self) -> None:
        if not self.alive:
            raise asyncio.CancelledError


class MortalDatabase(Database):
    """The ledger as one process has it."""

    def __init__(self, url: str, process: Process) -> None:
        super().__init__(url)
        self._process = process

    async def within(self, work: Any) -> Any:
        self._process.must_live()
        return await super().within(work)


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
        exchange = Exchange(http, "http://voipbin/v1.0", credential, Budget(50), AskingPatience(), now=self.now)
        voipbin = VoIPBINClient(exchange, now=self.now, clock=self.loop.time, bounds=Bounds())
        self._open.push_async_callback(voipbin.close)
        await _introduced(voipbin)
        self.book, patience, cards = Book(database, now=self.now), Patience(), Cards(self.channel, process)
        pressing = Pressing(voipbin, self.book, self.people, policy=self.people.policy, patience=patience, now=self.now)
        stopping = Stopping(voipbin, self.book, cards, pressing, patience=patience, now=self.now)
        hanging_up = HangingUp(voipbin, self.book, cards, pressing, patience=patience, now=self.now)
        reading = Reading(voipbin, now=self.now)
        self.asking = Asking(voipbin, self.book, reading.resolve, patience=patience, now=self.now)
        self.cards, self.process = cards, process
        self._wishes = {Wish.STOP: stopping.carry_out, Wish.HANG_UP: hanging_up.carry_out}
        self.workflows.recover(self._carry_out)

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
