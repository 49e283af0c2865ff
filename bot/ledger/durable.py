"""Stops that survive the process: each press is one DBOS workflow, recorded before Slack gets its ack.

DBOS (https://docs.dbos.dev/python/reference/contexts) keeps the workflow's input and every step's result in the ledger's
database. The workflow id is the press's, so the same press delivered twice runs once; a killed process goes on at the
step it was in when it starts again.

Decisions:

* ``application_version`` is pinned: DBOS would hash the code and then not recover presses of yesterday's build. Raise it
  when the steps of a stop change their order or their names.
* ``executor_id`` is fixed on SQLite (one process owns the file, and recovers at once at its start) and new for each
  process on PostgreSQL, where ``replicas`` decides whose work is to be taken over.
* Values are JSON in the database, not pickles: readable by people, and nobody who can write a row can run code.
* At shutdown running presses get some seconds to finish; what is left is cut off, not failed, and recovered later.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeAlias, TypeVar

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos import Serializer as DBOSSerializer
from pydantic import TypeAdapter

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.ports import Step
from bot.activeflows.stops import Press

T = TypeVar("T")
log = structlog.get_logger(__name__)
VERSION: Final = "1"
_PRESS: Final = TypeAdapter(Press)
CarryOut: TypeAlias = Callable[[Press, Step], Awaitable[None]]
"""The whole life of a press, step by step."""


class Json(DBOSSerializer):
    """Plain JSON; an exception keeps its type's name only, so that no text of it gets into the database."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=lambda value: {"unserializable": type(value).__name__})

    def deserialize(self, serialized_data: str) -> Any:
        return json.loads(serialized_data, object_hook=_revived)

    def name(self) -> str:
        return "flows_bot_json"


def _revived(fields: dict[str, Any]) -> Any:
    return RuntimeError(fields["unserializable"]) if fields.keys() == {"unserializable"} else fields


class DurableStep:
    """``ports.Step`` on DBOS."""

    async def __call__(self, name: str, returns: type[T], work: Callable[[], Awaitable[T]], /) -> T:
        adapter = TypeAdapter(returns)

        async def recorded() -> Any:
            return adapter.dump_python(await work(), mode="json")

        return adapter.validate_python(await DBOS.run_step_async({"name": name}, recorded))

    async def sleep(self, seconds: float) -> None:
        await DBOS.sleep_async(seconds)


class Durable:
    """Starts presses and recovers them. DBOS is one per process, so there is one of these at a time."""

    def __init__(self, database_url: str, *, executor_id: str) -> None:
        self._database_url, self._executor_id = database_url, executor_id
        self._running: set[asyncio.Task[Any]] = set()
        self._workflow: Callable[[dict[str, Any]], Coroutine[Any, Any, None]] | None = None

    def launch(self, carry_out: CarryOut) -> None:
        """Register the workflow, create DBOS's tables, and recover what was cut off. Call it in the running loop."""
        DBOS(
            config=DBOSConfig(
                name="flows-bot",
                system_database_url=self._database_url,
                application_version=VERSION,
                executor_id=self._executor_id,
                serializer=Json(),
                log_level="WARNING",
            )
        )

        @DBOS.workflow(name="carry_out_press")
        async def workflow(press: dict[str, Any]) -> None:
            await self._guarded(carry_out, _PRESS.validate_python(press))

        self._workflow = workflow
        DBOS.launch()

    async def start(self, press: Press) -> None:
        """Record the press so that it will be carried out, whatever happens. Raises ``LedgerUnavailable``."""
        if self._workflow is None:
            raise LedgerUnavailable("the bot is not ready to record stops")
        try:
            with SetWorkflowID(press.id):
                await DBOS.start_workflow_async(self._workflow, _PRESS.dump_python(press, mode="json"))
        except Exception as trouble:  # noqa: BLE001 # whatever it was, the press is not recorded and must not be acked as if
            log.error(
                "press_not_recorded", trouble=type(trouble).__name__
            )  # no traceback: it may hold the response_url
            raise LedgerUnavailable("the stop could not be recorded") from None

    async def take_over(self, executor_id: str) -> None:
        """Carry on with the presses of a process that is gone."""
        await asyncio.to_thread(DBOS._recover_pending_workflows, [executor_id])  # noqa: SLF001 # DBOS's documented recovery has no public name in the library

    async def close(self, *, within: float) -> None:
        """Let running presses finish for ``within`` seconds, cut off the rest (they stay pending), and end DBOS."""
        if self._running:
            await asyncio.wait(self._running, timeout=within)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as thread:
            await loop.run_in_executor(thread, lambda: DBOS.destroy(destroy_registry=True))
        loop.set_default_executor(ThreadPoolExecutor())  # DBOS had put its own there, and has closed it

    async def _guarded(self, carry_out: CarryOut, press: Press) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        await carry_out(press, DurableStep())
