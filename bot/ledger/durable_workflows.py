"""Run each press as one DBOS workflow, recorded before Slack gets its ack.

DBOS (https://docs.dbos.dev/python/reference/contexts) keeps the workflow's input and every step's result in the
ledger's database. The workflow id is the press's, so the same press delivered twice runs once; a killed process goes on
at the step it was in when it starts again.

Decisions:

* ``application_version`` is pinned: DBOS would hash the code and then not recover presses of yesterday's build. Raise
  it when the steps of a stop change their order or their names.
* ``executor_id`` is fixed on SQLite (one process owns the file, and recovers at once at its start) and new for each
  process on PostgreSQL, where ``replicas`` decides whose work is to be taken over.
* The members of a bulk stop are workflows of their own, in a queue with two at a time (over all replicas: VoIPBIN
  itself wants no more), under an id made of the press and the member's number. The queue is looked at four times a
  second: a stop takes four requests, and the request budget allows about two stops a second. A recovered member is
  queued again.
* A workflow is recovered however often the process was killed in it: DBOS would give up after a hundred times, and the
  press would never be told of. Its deadline is what ends it.
* Values are JSON in the database, not pickles: readable by people, and nobody who can write a row can run code
  (``workflow_rows``).
* DBOS asks the database for news instead of listening for them: we send it none, and a listener would need a connection
  that stays the same one, which PgBouncer does not give in transaction mode.
* At shutdown running presses get some seconds to finish; what is left is cut off, not failed, and recovered later. A
  bulk stop begins no further member then.
"""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowHandleAsync
from dbos import Serializer as DBOSSerializer
from dbos._dbos import _get_dbos_instance
from dbos._error import DBOSWorkflowConflictIDError
from msgspec import convert, to_builtins
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bound_contextvars

from bot.activeflows.bulk.bulk_stop import MemberOutcome
from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.authorization import Fenced
from bot.activeflows.stopping.ports import Step
from bot.activeflows.stopping.stop import Press, PressKind
from bot.ledger import step_results, workflow_rows
from bot.ledger.database import WORKFLOW_LOCK, workflow_engine

# ---------------------------------------------------------------- steps
# Run the steps of a durable workflow on DBOS: each is done once, and its result remembered (``stopping.ports.Step``).
#
# What goes wrong in a step is never remembered as its result: a restart would find the same error for ever. While the
# ledger does not answer, a step is tried again, as a restart would. Whatever else goes wrong cuts the workflow off
# (``CutShort``): it stays as it is, and goes on at the next start.
#
# DBOS writes a result down in one transaction with the look whether the workflow is still this run's: whoever takes a
# press up takes it away first, so that a run which was thought dead remembers nothing any more, and is cut off
# (``Fenced``).
#
# Decision: the first run of a press, in the process that recorded it, does not ask DBOS for a result that nobody can
# have written. That look is a transaction and two threads' turns for each step, as much as the writing. And what may be
# done anew is written down with the first change that follows, in the ledger's own transaction: the ledger is the same
# database. A kill between the two finds neither (``tests/contract/test_dbos.py`` holds what this knows of DBOS).
#
# https://docs.dbos.dev/python/tutorials/step-tutorial

T = TypeVar("T")
_AGAIN: Final = 1.0
"""Seconds until a ledger that did not answer is asked again."""


BEGUN_HERE: Final[ContextVar[str]] = ContextVar("begun_here", default="")
"""The press that was recorded just now. DBOS runs it at once in a copy of this context, and every later run in another
one.
"""


class CutShort(asyncio.CancelledError):
    """A bug in the middle of a workflow. Cut off rather than failed: DBOS never carries on with what has failed."""

    def __init__(self, bug: Exception) -> None:
        super().__init__(type(bug).__name__)
        self.bug = bug


class DurableStep:
    """``waiting``: the workflows that a shutdown does not wait for; ``followed``: those whose end was told.

    ``first``: nobody has run this workflow before.
    """

    def __init__(
        self, waiting: set[asyncio.Task[Any]], followed: set[asyncio.Task[Any]], *, first: bool = False
    ) -> None:
        self._waiting, self._followed = waiting, followed
        self._results = step_results.Results() if first else None

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
        async def recorded() -> Any:
            return to_builtins(await _done(work), str_keys=True)

        try:
            if self._results is None:
                told = await DBOS.run_step_async({"name": name}, recorded)
            else:
                told = await self._results.of(name, recorded, repeatable=repeatable, ledger_first=ledger_first)
        except DBOSWorkflowConflictIDError:
            raise Fenced from None
        return convert(told, returns, str_keys=True)

    async def sleep(self, seconds: float) -> None:
        if self._results is not None:
            await self._results.write()
        await DBOS.sleep_async(seconds)

    async def idle(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 # a workflow is one
        self._waiting.add(task)
        self._followed.add(task)
        try:
            await self.sleep(seconds)
        finally:
            self._waiting.discard(task)


async def resumed(workflow_id: str) -> None:
    """Let a workflow that was cut short go on, as soon as the database answers.

    https://docs.dbos.dev/python/tutorials/workflow-management
    """
    while True:
        await asyncio.sleep(_AGAIN)
        try:
            await DBOS.resume_workflow_async(workflow_id)
        except SQLAlchemyError:
            continue
        return


async def _done(work: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await work()
        except LedgerUnavailable:
            await asyncio.sleep(_AGAIN)
        except Exception as bug:
            raise CutShort(bug) from bug


# ---------------------------------------------------------------- json rows
# Write what DBOS keeps as JSON: readable by people, and nobody who can write a row can run code.


class Json(DBOSSerializer):
    """Plain JSON; an exception keeps its type's name only, so that no text of it gets into the database."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=lambda value: {"unserializable": type(value).__name__})

    def deserialize(self, serialized_data: str) -> Any:
        return json.loads(serialized_data, object_hook=_revived)

    def name(self) -> str:
        return workflow_rows.FORMAT


def _revived(fields: dict[str, Any]) -> Any:
    return RuntimeError(fields["unserializable"]) if fields.keys() == {"unserializable"} else fields


# ---------------------------------------------------------------- press admission
# Decide whether a recorded press may begin: not when its presser was told that it could not be recorded.
#
# DBOS tries to record a workflow for as long as the database is locked or lost, and cannot be told to give up
# (https://docs.dbos.dev/python/reference/configuration). So whoever waits for the record gives up by itself; a record
# that is made all the same, later, must come to nothing. In the process that took the press that is known. A process
# that finds the record after a restart goes by when it was made.

_MOST: Final = 10_000
_RECORDED_LATER: Final = timedelta(milliseconds=WORKFLOW_LOCK)
"""How much later than DBOS says a record may have been made: on PostgreSQL it says when the transaction began, which
may have waited for a lock; on SQLite it says the second.
"""


class RecordTiming(StrEnum):
    """What is to become of a recorded press."""

    IN_TIME = "in time"
    GIVEN_UP = "given up"  # the presser was told so
    TOO_LATE = "too late"  # nobody who could have told the presser is left


class PendingPresses:
    """The presses that this process has in hand."""

    def __init__(self, *, within: timedelta, now: Callable[[], datetime]) -> None:
        """``within``: so long a record is waited for."""
        self.within, self._now = within, now
        self._in_hand: OrderedDict[str, bool] = OrderedDict()

    def take(self, press: Press) -> str | None:
        """Wait for the record of this press from now on; until when, or ``None`` when it was given up already."""
        if not self._in_hand.setdefault(press.id, True):
            return None
        while len(self._in_hand) > _MOST:
            self._in_hand.popitem(last=False)
        return (self._now() + self.within).isoformat()

    def give_up(self, press: Press) -> None:
        """Let its record come too late from now on."""
        self._in_hand[press.id] = False

    async def beginning(self, press: Press, record_by: str | None) -> RecordTiming:
        """Tell whether a press that is on record was recorded in time."""
        in_hand = self._in_hand.get(press.id)
        if in_hand is not None:
            return RecordTiming.IN_TIME if in_hand else RecordTiming.GIVEN_UP
        if record_by is None:
            return RecordTiming.IN_TIME
        status = await DBOS.get_workflow_status_async(press.id)
        if status is None or status.created_at is None:
            return RecordTiming.TOO_LATE
        recorded = datetime.fromtimestamp(status.created_at / 1000, UTC) + _RECORDED_LATER
        return RecordTiming.IN_TIME if recorded <= datetime.fromisoformat(record_by) else RecordTiming.TOO_LATE


# ---------------------------------------------------------------- durable workflows

log = structlog.get_logger(__name__)
VERSION: Final = "2"
_PARTS: Final = frozenset(part.name for part in fields(Press))
RECORD_WITHIN: Final = timedelta(seconds=1.5)
"""So long a press may take to be recorded: Slack waits three seconds for the ack."""
CarryOut: TypeAlias = Callable[[Press, Step], Awaitable[None]]
"""The whole life of a press, step by step."""
Broken: TypeAlias = Callable[[Press, Exception | None], Awaitable[None]]
"""Tells of a press that is stuck half-way: by a bug, or (``None``) because the database does not answer."""
Refuse: TypeAlias = Callable[[Press, bool], Awaitable[bool]]
"""Refuses a press that was recorded too late; whether its presser was told so already."""
CarryOutMember: TypeAlias = Callable[[Press, int, Step], Awaitable[MemberOutcome]]
"""The turn of one member of a bulk stop."""


@dataclass(frozen=True)
class Carrier:
    """What carries out the presses on the cards of one VoIPBIN account."""

    by_wish: Mapping[PressKind, CarryOut]
    carry_out_member: CarryOutMember
    refuse: Refuse
    stuck: Broken


_CARRY_OUT_PRESS, _CARRY_OUT_MEMBER = workflow_rows.WORKFLOWS
QUEUE: Final = "bulk_members"
AT_ONCE: Final = 2
_LOOK_EVERY: Final = 0.25
"""Seconds between two looks at the queue, and at whether a member is done."""
_ACKS_WITHIN: Final = 0.1
"""Seconds for which a recorded press makes way for others that are not recorded yet."""
_LISTENER_TURN: Final = 0.05
"""Seconds of one turn of DBOS's listener for messages between workflows, of which there are none here: its turns cost
little, and a shutdown waits for the end of one. DBOS's own is a second."""


def _log_as_the_bot_does() -> None:
    """Send what DBOS logs where everything goes, scrubbed. A logger with a handler is given no console of its own."""
    log = logging.getLogger("dbos")
    log.handlers[:] = [logging.NullHandler()]
    log.propagate = True


def _look_for_work_first() -> None:
    """Look for work with one question first. DBOS asks a queue three questions each time, built anew; mostly nothing
    waits there, which one question tells.
    """
    database = _get_dbos_instance()._sys_db  # noqa: SLF001
    scopes = database.dequeue_scopes

    def with_work(queue_name: str) -> list[str | None]:
        with database.engine.begin() as connection:
            waits = workflow_rows.queued(connection, queue_name)
        return scopes(queue_name) if waits else []

    database.dequeue_scopes = with_work  # type: ignore[method-assign] # for this process


class Durable:
    """Starts presses and recovers them. DBOS is one per process, so there is one of these at a time."""

    def __init__(
        self,
        database_url: str,
        *,
        executor_id: str,
        now: Callable[[], datetime],
        record_within: timedelta = RECORD_WITHIN,
    ) -> None:
        """``now``: what time it is for the database, by whose clock DBOS says when it recorded."""
        self._database_url, self.executor_id = database_url, executor_id
        self._presses = PendingPresses(within=record_within, now=now)
        self._starting: set[asyncio.Task[Any]] = set()
        self._engine = workflow_engine(database_url)
        self._running: set[asyncio.Task[Any]] = set()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._followed: set[asyncio.Task[Any]] = set()
        self._under_way: dict[str, tuple[Press, asyncio.Task[Any]]] = {}
        self._stalled: dict[str, Press] = {}
        self._unacked, self._all_acked = 0, asyncio.Event()
        self._closing = False
        self._workflow: Callable[[dict[str, Any], str | None], Coroutine[Any, Any, None]] | None = None
        self._member: Callable[[dict[str, Any], int], Coroutine[Any, Any, str]] | None = None

    async def launch(self, carriers: Mapping[str, Carrier]) -> None:
        """Register the workflows, create DBOS's tables, and recover what was cut off. Call it in the running loop.

        ``carriers``: by the name of the account that a press is on a card of.
        """
        _log_as_the_bot_does()
        workflow_rows.refuse()
        DBOS(
            config=DBOSConfig(
                name="flows-bot",
                system_database_url=self._database_url,
                application_version=VERSION,
                executor_id=self.executor_id,
                serializer=Json(),
                log_level="WARNING",
                notification_listener_polling_interval_sec=_LISTENER_TURN,
                system_database_engine=self._engine,
                use_listen_notify=False,
            )
        )

        @DBOS.workflow(name=_CARRY_OUT_PRESS, max_recovery_attempts=None)
        async def workflow(press: dict[str, Any], record_by: str | None = None) -> None:
            taken = _press(press)
            step = DurableStep(self._waiting, self._followed, first=BEGUN_HERE.get() == taken.id)
            with (
                self._at_work(taken),
                bound_contextvars(intent_id=taken.intent_id, **_whose(taken)),
            ):  # each line within says it
                try:
                    await self._acks_go_first()
                    judge = partial(self._presses.beginning, taken, record_by)
                    beginning = await step("begin", RecordTiming, judge, repeatable=True)
                    if beginning is RecordTiming.IN_TIME:
                        await carriers[taken.account].by_wish[taken.wish](taken, step)
                    else:
                        refuse = carriers[taken.account].refuse
                        await step("refuse", bool, partial(refuse, taken, beginning is RecordTiming.GIVEN_UP))
                except CutShort as cut:
                    await carriers[taken.account].stuck(taken, cut.bug)
                    raise
                except SQLAlchemyError as trouble:  # DBOS waits for some databases that are lost, and not for others
                    log.error("workflow_cut_short", trouble=type(trouble).__name__)
                    self._resume(taken)
                    raise CutShort(trouble) from trouble
                except workflow_rows.ForeignRow:
                    raise  # it ends as an error: a press whose steps somebody else wrote is never carried on
                except Exception as bug:
                    await carriers[taken.account].stuck(taken, bug)
                    raise CutShort(bug) from bug  # it stays as it is, and goes on at the next start

        @DBOS.workflow(name=_CARRY_OUT_MEMBER, max_recovery_attempts=None)
        async def member(press: dict[str, Any], number: int) -> str:
            taken = _press(press)
            with self._at_work(), bound_contextvars(bulk=taken.intent_id, **_whose(taken)):
                if self._closing:
                    raise asyncio.CancelledError
                try:
                    carry_out = carriers[taken.account].carry_out_member
                    became = await carry_out(taken, number, DurableStep(self._waiting, self._followed))
                except CutShort as cut:  # the bulk stop is not held up by it
                    log.error("member_cut_short", number=number, bug=type(cut.bug).__name__)
                    became = MemberOutcome.UNKNOWN
                return str(became)

        self._workflow, self._member = workflow, member
        DBOS.launch()
        _look_for_work_first()
        await DBOS.register_queue_async(
            QUEUE,
            global_concurrency=AT_ONCE,
            worker_concurrency=AT_ONCE,
            polling_interval_sec=_LOOK_EVERY,
            on_conflict="always_update",
        )

    async def start(self, press: Press) -> None:
        """Record the press so that it will be carried out, whatever happens.

        Raises ``LedgerUnavailable`` when that did not happen in time; then the press comes to nothing, even if DBOS
        records it later.
        """
        if self._workflow is None:
            raise LedgerUnavailable("the bot is not ready to record stops")
        record_by = self._presses.take(press)
        if record_by is None:
            raise LedgerUnavailable("the stop could not be recorded")
        recording = asyncio.create_task(self._record(press, record_by))
        self._starting.add(recording)
        recording.add_done_callback(self._starting.discard)
        self._unacked += 1
        self._all_acked.clear()
        try:
            async with asyncio.timeout(self._presses.within.total_seconds()):
                await asyncio.shield(recording)
        except Exception as trouble:  # noqa: BLE001 # whatever it was, the press is not recorded and must not be acked as if
            self._presses.give_up(press)
            log.error(
                "press_not_recorded", trouble=type(trouble).__name__
            )  # no traceback: it may hold the reply address
            raise LedgerUnavailable("the stop could not be recorded") from None
        finally:
            self._unacked -= 1
            if not self._unacked:
                self._all_acked.set()

    async def _acks_go_first(self) -> None:
        """Leave the process and the database for a moment to the presses that are not recorded yet: Slack waits for
        them.
        """
        if self._unacked:
            with suppress(TimeoutError):
                async with asyncio.timeout(_ACKS_WITHIN):
                    await self._all_acked.wait()

    async def _record(self, press: Press, record_by: str) -> None:
        assert self._workflow is not None  # noqa: S101 # for the type checker: whoever calls has looked
        BEGUN_HERE.set(press.id)  # for this task, and for what DBOS begins in it
        with SetWorkflowID(press.id):
            await DBOS.start_workflow_async(self._workflow, _row(press), record_by)

    async def put(self, press: Press, number: int) -> None:
        """Queue a member (``bulk.ports.Members``) from within the workflow of its press."""
        if self._member is None:
            raise LedgerUnavailable("the bot is not ready to record stops")
        with SetWorkflowID(_member_id(press, number)):
            await DBOS.enqueue_workflow_async(QUEUE, self._member, _row(press.without_reply_address()), number)

    async def done(self, press: Press, number: int) -> MemberOutcome:
        """Return what became of a queued member (``bulk.ports.Members``)."""
        if self._closing:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        if task is not None:
            self._waiting.add(task)
        try:
            handle: WorkflowHandleAsync[str] = await DBOS.retrieve_workflow_async(
                _member_id(press, number), existing_workflow=False
            )
            return MemberOutcome(await handle.get_result(polling_interval_sec=_LOOK_EVERY))
        finally:
            if task is not None:
                self._waiting.discard(task)

    async def forget(self, before: datetime) -> int:
        """Delete what is kept of presses that were over before then: inputs (with their reply addresses) and steps.

        What matters of them stands in the audit. The number deleted; a fraction of it stays for the next time when
        there are many.
        """
        over = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
        old = await DBOS.list_workflows_async(
            status=over, completed_before=before.isoformat(), limit=500, load_input=False, load_output=False
        )
        await DBOS.delete_workflows_async([one.workflow_id for one in old])
        return len(old)

    async def over_before(self, moment: datetime) -> datetime:
        """Return the latest time, up to that moment, before which only presses were recorded that are over."""
        unfinished = await DBOS.list_workflows_async(
            status=["PENDING", "ENQUEUED"], limit=1, load_input=False, load_output=False
        )
        times = [datetime.fromtimestamp(one.created_at / 1000, UTC) for one in unfinished if one.created_at]
        return min([moment, *times])

    async def take_over(self, executor_id: str) -> None:
        """Carry on with the presses of a process that is gone."""
        await asyncio.to_thread(DBOS._recover_pending_workflows, [executor_id])  # noqa: SLF001 # DBOS's documented recovery has no public name in the library

    def _resume(self, press: Press) -> None:
        """Go on with a press that was cut short, as soon as the database answers."""
        task = asyncio.create_task(resumed(press.id), context=Context())  # outside of the workflow it is about
        self._starting.add(task)
        if asyncio.current_task() not in self._followed:
            self._stalled[press.id] = press
        task.add_done_callback(self._starting.discard)
        task.add_done_callback(lambda _: self._stalled.pop(press.id, None))

    def under_way(self) -> tuple[Press, ...]:
        """Return the presses that are carried out by this process now; not those whose stop is over and only
        followed.
        """
        there = [press for press, task in self._under_way.values() if task not in self._followed]
        return (*self._stalled.values(), *there)

    async def close(self, *, within: float) -> None:
        """Let running presses finish for ``within`` seconds, cut off the rest (they stay pending), and end DBOS."""
        self._closing = True
        working = self._running - self._waiting
        if working:
            await asyncio.wait(working, timeout=within)
        if self._waiting:  # the queue may hand out a last member or two, which are cut off before they begin
            await asyncio.sleep(2 * _LOOK_EVERY)
        for task in self._running | self._starting:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as thread:
            await loop.run_in_executor(thread, self._end)
        loop.set_default_executor(ThreadPoolExecutor())  # DBOS had put its own there, and has closed it

    def _end(self) -> None:
        DBOS.destroy(destroy_registry=True)
        self._engine.dispose()

    @contextmanager
    def _at_work(self, press: Press | None = None) -> Iterator[None]:
        """Be known to ``close`` for as long as the block lasts; ``press``: and as one that is ``under_way``."""
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            task.add_done_callback(self._followed.discard)
        if press is not None and task is not None:
            self._under_way[press.id] = press, task
        try:
            yield
        finally:
            if press is not None:
                self._under_way.pop(press.id, None)


def _row(press: Press) -> dict[str, Any]:
    """Return the press as it is kept, under the names that it always had, beside the words of its reply address."""
    row = to_builtins(press)
    if not press.account:
        del row["account"]
    return {**row.pop("reply_address"), "action_ts": row.pop("click"), **row}


def _press(row: Mapping[str, Any]) -> Press:
    """Return the press of a row, also of an older build's: what is no part of it is its reply address."""
    known = {"click": row["action_ts"], **{name: row[name] for name in _PARTS if name in row}}
    address = {name: words for name, words in row.items() if name not in {*_PARTS, "action_ts"}}
    return convert({**known, "reply_address": address}, Press)


def _whose(press: Press) -> dict[str, str]:
    return {"account": press.account} if press.account else {}


def _member_id(press: Press, number: int) -> str:
    return f"{press.id}/{number}"
