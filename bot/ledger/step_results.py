"""Write down what the steps of a press's first run found, as DBOS does, or with the ledger's next change.

The ledger is the same database, so that a result can be part of its transaction. What may be done anew waits for that:
a kill between the two finds neither. ``tests/contract/test_dbos.py`` holds the rows against those of DBOS.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypedDict

from dbos._context import EnterDBOSStepCtx, snapshot_step_context
from dbos._dbos import _get_dbos_instance
from dbos._serialization import serialize_value
from dbos._sys_db import db_retry
from sqlalchemy import Connection, text

from bot.activeflows.stopping.authorization import Fenced
from bot.ledger.database import ALONG, when_kept

_KEEP: Final = (
    "INSERT INTO {}operation_outputs (workflow_uuid, function_id, function_name, output, serialization,"
    " started_at_epoch_ms, completed_at_epoch_ms, application_name, retention_timestamp)"
    " VALUES (:workflow_uuid, :function_id, :function_name, :output, :serialization,"
    " :started_at_epoch_ms, :completed_at_epoch_ms, :application_name, :completed_at_epoch_ms)"
    " ON CONFLICT (workflow_uuid, function_id) DO NOTHING"
)
_OWNER: Final = {  # and nobody takes the workflow over until the transaction is over
    "sqlite": text("UPDATE workflow_status SET owner_xid = owner_xid WHERE workflow_uuid = :id RETURNING owner_xid"),
    "postgresql": text("SELECT owner_xid FROM dbos.workflow_status WHERE workflow_uuid = :id FOR NO KEY UPDATE"),
}
_RESULT: Final = {"sqlite": text(_KEEP.format("")), "postgresql": text(_KEEP.format("dbos."))}


class StepResult(TypedDict):
    """What a step of a workflow gave, by DBOS's names."""

    workflow_uuid: str
    function_id: int
    function_name: str
    output: str | None
    serialization: str | None
    started_at_epoch_ms: int
    completed_at_epoch_ms: int
    application_name: str | None


def remember(connection: Connection, results: Sequence[StepResult], owner: str | None) -> bool:
    """Write down results of one workflow; what is there already stays. False: the workflow is another run's by now."""
    of, dialect = results[0]["workflow_uuid"], connection.dialect.name
    if connection.execute(_OWNER[dialect], {"id": of}).scalar() != owner:
        return False
    connection.execute(_RESULT[dialect], [dict(result) for result in results])
    return True


class Results:
    """The results of a first run: written down as DBOS does it, and those that may wait, with what comes next."""

    def __init__(self) -> None:
        self._dbos = _get_dbos_instance()
        self._owner: str | None = None
        self._waiting: list[StepResult] = []
        self._kept: set[int] = set()
        """Numbers of steps, added by the threads that wrote them down."""

    async def of(self, name: str, work: Callable[[], Awaitable[Any]], *, repeatable: bool, ledger_first: bool) -> Any:
        """Run a step as ``DBOS.run_step_async`` does one that nobody has done before. What ``work`` raises is not
        recorded.
        """
        if not ledger_first:
            await self.write()
        began, ctx = _milliseconds(), snapshot_step_context()
        assert ctx is not None and ctx.owner_xid is not None  # noqa: S101, PT018 # a workflow has both
        self._owner = ctx.owner_xid
        with EnterDBOSStepCtx({"name": name, "operationType": "step"}, ctx):
            along = ALONG.set(self._write if self._unwritten else None)
            try:
                told = await work()
            finally:
                ALONG.reset(along)
        output, serialization = serialize_value(told, None, self._dbos._serializer)  # noqa: SLF001 # of DBOS
        result: StepResult = {
            "workflow_uuid": ctx.workflow_id,
            "function_id": ctx.function_id,
            "function_name": name,
            "output": output,
            "serialization": serialization,
            "started_at_epoch_ms": began,
            "completed_at_epoch_ms": _milliseconds(),
            "application_name": self._dbos._sys_db.app_name,  # noqa: SLF001
        }
        self._waiting = [*self._unwritten, result]
        if not repeatable:
            await self.write()
        return told

    async def write(self) -> None:
        """Write down what waits, whatever comes next."""
        if self._unwritten:
            await asyncio.to_thread(db_retry(sys_db=self._dbos._sys_db)(self._write_alone))  # noqa: SLF001

    @property
    def _unwritten(self) -> list[StepResult]:
        return [result for result in self._waiting if result["function_id"] not in self._kept]

    def _write_alone(self) -> None:
        with self._dbos._sys_db.engine.begin() as connection:  # noqa: SLF001
            written = self._inserted(connection)
        self._kept.update(written)

    def _write(self, connection: Connection) -> None:
        """Write in a transaction of the ledger, which is the same database."""
        written = self._inserted(connection)
        when_kept(connection, lambda kept: self._kept.update(written if kept else ()))

    def _inserted(self, connection: Connection) -> list[int]:
        """Insert the results; returns the numbers of their steps."""
        unwritten = self._unwritten
        if unwritten and not remember(connection, unwritten, self._owner):
            raise Fenced
        return [result["function_id"] for result in unwritten]


def _milliseconds() -> int:
    return int(time.time() * 1000)
