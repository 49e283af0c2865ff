"""The durable workflow in miniature: steps that are carried out once, remembered, and replayed after a death.

It keeps what the bot relies on in DBOS (https://docs.dbos.dev/python/tutorials/workflow-tutorial): the same press is
started once; a step's result is remembered as JSON a moment after the work was done, so that a death in between repeats
the work; a pause does not begin anew; a step that raises ends its workflow.

The members of a bulk stop are workflows of their own, begun one after the other as they were queued, two at a time;
what was begun and not finished when the process died is queued again, in its old place.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Final, TypeVar, cast

from pydantic import TypeAdapter
from sqlalchemy import Connection

from bot.activeflows.bulk.bulk_stop import MemberOutcome
from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.ports import Step
from bot.activeflows.stopping.stop import Press, PressKind
from bot.ledger.database import ALONG, when_kept
from bot.ledger.durable_workflows import AT_ONCE, CarryOut, CarryOutMember
from tests.faults.virtual_time import WRITE

T = TypeVar("T")
_LOOK_EVERY: Final = 0.25
_AGAIN: Final = 1.0


@dataclass
class Workflow:
    """One press, or one member of a press on a bulk card, and what is remembered of it."""

    press: Press
    number: int | None = None
    begun: datetime | None = None
    over: datetime | None = None
    became: MemberOutcome | None = None
    remembered: list[tuple[str, str]] = field(default_factory=list)
    runs: int = 0
    done: bool = False
    broken: str = ""

    @property
    def id(self) -> str:
        return self.press.id if self.number is None else f"{self.press.id}/{self.number}"


AT_WORK: Final[ContextVar[Workflow | None]] = ContextVar("AT_WORK", default=None)


@cache
def _adapter(type_: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("Any", type_))


class Gate:
    """Where a story stops a process dead: at the n-th of the moments around the writing down of a step's result."""

    def __init__(self) -> None:
        self.left: int | None = None

    async def passed(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                await asyncio.get_running_loop().create_future()  # until it is killed


class RememberingStep:
    """``stopping.ports.Step``. ``first``: nobody has run this workflow before."""

    def __init__(self, workflow: Workflow, now: Callable[[], datetime], gate: "Gate", *, first: bool) -> None:
        self._remembered, self._now, self._gate, self._place = workflow.remembered, now, gate, 0
        self._first, self._waiting = first, list[tuple[str, str]]()

    async def __call__(
        self,
        name: str,
        returns: type[T],
        work: Callable[[], Awaitable[T]],
        /,
        *,
        repeatable: bool = False,
        ledger_first: bool = False,
    ) -> T:
        adapter = _adapter(cast("Hashable", returns))
        told = self._again(name)
        if told is None:
            if not ledger_first:
                await self._write()
            along = ALONG.set(self._beside if self._waiting else None)
            try:
                told = json.dumps(adapter.dump_python(await _done(work), mode="json"))
            finally:
                ALONG.reset(along)
            await self._gate.passed()  # done, and not remembered yet
            self._waiting.append((name, told))
            if not (self._first and repeatable):
                await self._write()
                await self._gate.passed()
        found: T = adapter.validate_python(json.loads(told))
        return found

    async def _write(self) -> None:
        """What waits is remembered from now on."""
        if self._waiting:
            await asyncio.sleep(WRITE)
            self._keep()

    def _beside(self, connection: Connection) -> None:
        """As the bot does: with a transaction of the ledger, or not at all."""
        when_kept(connection, lambda kept: self._keep() if kept else None)

    def _keep(self) -> None:
        self._remembered.extend(self._waiting)
        self._waiting.clear()

    async def sleep(self, seconds: float) -> None:
        told = self._again("sleep")
        if told is None:
            await self._write()
            told = (self._now() + timedelta(seconds=seconds)).isoformat()
            self._remembered.append(("sleep", told))
        await asyncio.sleep(max(0.0, (datetime.fromisoformat(told) - self._now()).total_seconds()))

    async def idle(self, seconds: float) -> None:
        await self.sleep(seconds)

    def _again(self, name: str) -> str | None:
        self._place += 1
        if self._place > len(self._remembered):
            return None
        known, told = self._remembered[self._place - 1]
        assert known == name, f"replayed as {name}, remembered as {known}"
        return told


async def _done(work: Callable[[], Awaitable[T]]) -> T:
    """As ``ledger.durable_workflows`` does: while the ledger does not answer, a step is tried again."""
    while True:
        try:
            return await work()
        except LedgerUnavailable:
            await asyncio.sleep(_AGAIN)


class Workflows:
    """All that were ever started. They outlive the processes that carry them out. ``bulk.ports.Members``, too."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.gate = Gate()
        self.all: dict[str, Workflow] = {}
        self.members: dict[str, Workflow] = {}
        """In the order in which they were queued."""
        self._running: set[asyncio.Task[None]] = set()

    @property
    def unfinished(self) -> list[Workflow]:
        return [workflow for workflow in self.all.values() if not workflow.done]

    def start(self, press: Press, by_wish: Mapping[PressKind, CarryOut]) -> None:
        """The same press again changes nothing."""
        if press.id not in self.all:
            self.all[press.id] = Workflow(press)
            self._run(self.all[press.id], partial(by_wish[press.wish], press))

    def recover(self, by_wish: Mapping[PressKind, CarryOut], carry_out_member: CarryOutMember) -> None:
        """A process begins to work: first on what was cut off."""
        self._lanes, self._carry_out_member = asyncio.Semaphore(AT_ONCE), carry_out_member
        for workflow in self.unfinished:
            self._run(workflow, partial(by_wish[workflow.press.wish], workflow.press))
        for member in self.members.values():
            if not member.done:
                self._run(member, partial(self._in_turn, member))

    async def put(self, press: Press, number: int) -> None:
        member = Workflow(press, number)
        if member.id not in self.members:
            self.members[member.id] = member
            self._run(member, partial(self._in_turn, member))

    async def done(self, press: Press, number: int) -> MemberOutcome:
        member = self.members[f"{press.id}/{number}"]
        while not member.done:  # noqa: ASYNC110 # as DBOS does
            await asyncio.sleep(_LOOK_EVERY)
        if member.became is None:
            raise RuntimeError(member.broken)
        return member.became

    async def die(self) -> None:
        """Everybody at work is gone, in the middle of it."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _in_turn(self, member: Workflow, step: Step) -> None:
        async with self._lanes:
            member.begun = member.begun or self._now()
            member.became = await self._carry_out_member(member.press, member.number or 0, step)

    def _run(self, workflow: Workflow, carry_out: Callable[[Step], Awaitable[None]]) -> None:
        async def run() -> None:
            AT_WORK.set(workflow)
            try:
                first = workflow.number is None and workflow.runs == 0
                workflow.runs += 1
                await carry_out(RememberingStep(workflow, self._now, self.gate, first=first))
            except Exception as trouble:  # noqa: BLE001 # DBOS writes down that it failed, and that is its end
                workflow.broken = repr(trouble)
            workflow.done, workflow.over = True, self._now()

        task = asyncio.get_running_loop().create_task(run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
