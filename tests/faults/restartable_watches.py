"""Watches in virtual time: the real following and ledger between a VoIPBIN and a Slack that do whatever a story wants.

A process of it can be killed at any moment and started again. What outlives it: the ledger, VoIPBIN, and the cards.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from bot.activeflows.anomalies import by_situation
from bot.activeflows.errors import Failure, NotFound, VoIPBINUnreachable
from bot.activeflows.index import Index
from bot.activeflows.model import FINISH_ID, Action, Activeflow, Call, Flow, Reference, Status
from bot.activeflows.operators import Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.watching.observer import WatchObserver
from bot.activeflows.watching.reconciler import WatchReconciler
from bot.activeflows.watching.request import WatchRequests
from bot.activeflows.watching.watch import Watch, WatchCardContent, WatchCardEdit, WatchPace, WatchSource
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore
from bot.ledger.watch_store import WatchStore
from tests.faults.virtual_time import VirtualTimeLoop

NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
PACE: Final = WatchPace()
STEPS: Final = ("play", "talk", "digits_receive", "queue_join", "sleep")
ALICE: Final = Operator(
    Person("U0ALICE", Standing.MEMBER),
    "C0INCIDENTS",
    Policy((Grant(1, frozenset({"U0ALICE"}), frozenset(Permission)),)),
)


@dataclass
class Truth:
    """VoIPBIN: what is, every version there was, and what it answers. ``silent``: so many answers are not given."""

    now: Callable[[], datetime]
    versions: dict[UUID, list[Activeflow]] = field(default_factory=dict)
    deleted: set[UUID] = field(default_factory=set)
    silent: int = 0
    stale: int = 0
    customer: Any = None

    def begins(self) -> UUID:
        id_ = UUID(int=len(self.versions) + 1)
        first = Activeflow(
            id_, None, None, Status.RUNNING, Reference("call"), Action(UUID(int=7), "play"), created_at=self.now()
        )
        self.versions[id_] = [first]
        return id_

    def moves(self, id_: UUID, step: int) -> None:
        last = self.versions[id_][-1]
        if last.running and id_ not in self.deleted:
            at = max(self.now(), (last.updated_at or NOON) + timedelta(microseconds=1))
            action = Action(UUID(int=100 + step), STEPS[step])
            executed = (*last.executed, last.current)
            self.versions[id_].append(replace(last, current=action, executed=executed, updated_at=at))

    def ends(self, id_: UUID, *, by_itself: bool) -> None:
        last = self.versions[id_][-1]
        if last.running:
            at = max(self.now(), (last.updated_at or NOON) + timedelta(microseconds=1))
            current = Action(FINISH_ID) if by_itself else last.current
            self.versions[id_].append(replace(last, status=Status.ENDED, current=current, updated_at=at))

    async def activeflow(self, id_: UUID) -> Activeflow:
        await asyncio.sleep(0.05)
        if self.silent:
            self.silent -= 1
            raise VoIPBINUnreachable("no answer in time")
        if id_ in self.deleted:
            raise NotFound(str(id_))
        if self.stale:
            self.stale -= 1
            return self.versions[id_][max(0, len(self.versions[id_]) - 2)]
        return self.versions[id_][-1]

    async def call(self, _: UUID) -> Call | None:
        return None

    async def flow(self, _: UUID) -> Flow | None:
        raise Failure("not asked for in these stories")

    async def queue_name(self, _: UUID) -> str | None:
        raise Failure("not asked for in these stories")

    def flow_remembered(self, _: UUID) -> tuple[Flow | None] | None:
        return None

    def queue_name_remembered(self, _: UUID) -> tuple[str | None] | None:
        return None


@dataclass
class Shown:
    """One edit as it came to be seen. ``process``: which one said it; ``sure``: it knows that it was seen."""

    at: float
    telling: WatchCardContent
    process: int = 0
    sure: bool = False


@dataclass
class Channel:
    """Slack: the cards, and what becomes of the next edits: "", "lost", "refused", "limited" or "gone"."""

    clock: Callable[[], float]
    shown: dict[str, list[Shown]] = field(default_factory=dict)
    tried: list[tuple[float, str, int]] = field(default_factory=list)
    process: int = 0
    next: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    closed_until: float = 0.0

    async def edit(self, telling: WatchCardContent) -> WatchCardEdit:
        id_, fate = telling.watch.id, self.next.pop(0) if self.next else ""
        assert self.clock() >= self.closed_until, "Slack asked to be left alone"
        self.tried.append((self.clock(), id_, self.process))
        if fate == "limited":
            self.closed_until = self.clock() + 7
            return WatchCardEdit(False, wait=7.0)
        if fate == "gone" or id_ in self.gone:
            self.gone.add(id_)
            return WatchCardEdit(False, gone=True)
        shown = Shown(self.clock(), telling, self.process)
        if fate != "refused":
            self.shown.setdefault(id_, []).append(shown)
        await asyncio.sleep(0.3)
        shown.sure = fate == ""
        return WatchCardEdit(shown.sure)


@dataclass
class Stream:
    """``watching.ports.ActiveflowEvents``."""

    index: Index
    live: bool = True


class RestartableWatches:
    """Everything, and the process that follows it."""

    def __init__(self, folder: Path, loop: VirtualTimeLoop) -> None:
        self.loop = loop
        self.voipbin, self.slack = Truth(self.now), Channel(loop.time)
        self.stream = Stream(Index())
        self.database = Database(f"sqlite:///{folder / 'ledger.db'}")
        self.records = StopStore(self.database, now=self.now)
        self.book = WatchStore(self.database, "sqlite")
        self.broken: list[Exception] = []
        self.watches: dict[str, Watch] = {}
        self.unwatched: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        loop.run_until_complete(self.database.prepare())
        self.starts()

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.loop.time())

    def passes(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def starts(self) -> None:
        async def start() -> None:
            voipbin = cast("VoIPBIN", self.voipbin)
            observer = WatchObserver(voipbin, self.stream, self.records, pace=PACE, now=self.now)
            keeping = WatchReconciler(
                observer, self.book, self.slack, pace=PACE, now=self.now, broken=self.broken.append
            )
            self.watching = WatchRequests(
                cast("VoIPBIN", self.voipbin),
                self.book,
                source=lambda: WatchSource.READING,
                stir=keeping.stir,
                now=self.now,
                warned=by_situation,
                pace=PACE,
            )
            self._task = asyncio.ensure_future(keeping.attend())

        self.loop.run_until_complete(start())

    def dies(self) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            self.loop.run_until_complete(self._task)
        self.stream = Stream(Index(), live=False)
        self.slack.process += 1
        self.slack.closed_until = 0.0  # what Slack asked of it died with it

    def watches_it(self, id_: UUID) -> None:
        async def begin() -> None:
            self.voipbin.customer = type("Ours", (), {"id": None})
            begun = await self.watching.begin(ALICE, id_)
            if isinstance(begun, WatchCardContent):
                self.watches[begun.watch.id] = begun.watch
                self.slack.shown[begun.watch.id] = [Shown(self.loop.time(), begun)]
                await asyncio.sleep(0.2)
                await self.watching.posted(begun.watch, "1.1")

        with suppress(Failure, NotFound):
            self.loop.run_until_complete(begin())

    def unwatches(self, watch_id: str) -> None:
        if self.loop.run_until_complete(self.watching.end(ALICE, watch_id)):
            self.unwatched.add(watch_id)

    def closes(self) -> None:
        self.dies()
        self.loop.run_until_complete(self.database.close())
        self.loop.close()
