"""Run the steps of a durable workflow on DBOS: each is done once, and its result remembered (``stopping.ports.Step``).

What goes wrong in a step is never remembered as its result: a restart would find the same error for ever. While the
ledger does not answer, a step is tried again, as a restart would. Whatever else goes wrong cuts the workflow off
(``CutShort``): it stays as it is, and goes on at the next start.

DBOS writes a result down in one transaction with the look whether the workflow is still this run's: whoever takes a
press up takes it away first, so that a run which was thought dead remembers nothing any more, and is cut off
(``Fenced``).

Decision: the first run of a press, in the process that recorded it, does not ask DBOS for a result that nobody can have
written. That look is a transaction and two threads' turns for each step, as much as the writing
(``tests/contract/test_dbos.py`` holds what this knows of DBOS).

https://docs.dbos.dev/python/tutorials/step-tutorial
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import cache
from typing import Any, Final, TypeVar

from dbos import DBOS
from dbos import Serializer as DBOSSerializer
from dbos._context import EnterDBOSStepCtx, snapshot_step_context
from dbos._dbos import _get_dbos_instance
from dbos._error import DBOSWorkflowConflictIDError
from dbos._serialization import serialize_value
from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.gate import Fenced
from bot.ledger import workflow_rows

T = TypeVar("T")
_AGAIN: Final = 1.0
"""Seconds until a ledger that did not answer is asked again."""


_adapter: Final[Callable[[Any], TypeAdapter[Any]]] = cache(TypeAdapter)
"""What reads and writes a step's result: building it takes longer than the step."""
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
    """``waiting``: the workflows that a shutdown does not wait for. ``first``: nobody has run this workflow before."""

    def __init__(self, waiting: set[asyncio.Task[Any]], *, first: bool = False) -> None:
        self._waiting, self._first = waiting, first

    async def __call__(self, name: str, returns: type[T], work: Callable[[], Awaitable[T]], /) -> T:
        adapter: TypeAdapter[T] = _adapter(returns)

        async def recorded() -> Any:
            return adapter.dump_python(await _done(work), mode="json")

        try:
            told = await (_first_done(name, recorded) if self._first else DBOS.run_step_async({"name": name}, recorded))
        except DBOSWorkflowConflictIDError:
            raise Fenced from None
        return adapter.validate_python(told)

    async def sleep(self, seconds: float) -> None:
        await DBOS.sleep_async(seconds)

    async def idle(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 # a workflow is one
        self._waiting.add(task)
        try:
            await DBOS.sleep_async(seconds)
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


async def _first_done(name: str, work: Callable[[], Awaitable[Any]]) -> Any:
    """As ``DBOS.run_step_async`` does a step that nobody has done before. (What ``work`` raises is never recorded.)"""
    dbos, began, ctx = _get_dbos_instance(), int(time.time() * 1000), snapshot_step_context()
    assert ctx is not None  # noqa: S101 # a workflow has one
    with EnterDBOSStepCtx({"name": name, "operationType": "step"}, ctx):
        told = await work()
        output, serialization = serialize_value(told, None, dbos._serializer)  # noqa: SLF001 # of DBOS, as above
        await asyncio.to_thread(
            dbos._sys_db.record_operation_result,  # noqa: SLF001
            {
                "workflow_uuid": ctx.workflow_id,
                "function_id": ctx.function_id,
                "function_name": name,
                "output": output,
                "error": None,
                "serialization": serialization,
                "started_at_epoch_ms": began,
                "child_workflow_id": None,
            },
        )
    return told


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
