"""Run the steps of a durable workflow on DBOS: each is done once, and its result remembered (``stopping.ports.Step``).

What goes wrong in a step is never remembered as its result: a restart would find the same error for ever. While the
ledger does not answer, a step is tried again, as a restart would. Whatever else goes wrong cuts the workflow off
(``CutShort``): it stays as it is, and goes on at the next start.

https://docs.dbos.dev/python/tutorials/step-tutorial
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Final, TypeVar

from dbos import DBOS
from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError

from bot.activeflows.errors import LedgerUnavailable

T = TypeVar("T")
_AGAIN: Final = 1.0
"""Seconds until a ledger that did not answer is asked again."""


_adapter: Final[Callable[[Any], TypeAdapter[Any]]] = cache(TypeAdapter)
"""What reads and writes a step's result: building it takes longer than the step."""


class CutShort(asyncio.CancelledError):
    """A bug in the middle of a workflow. Cut off rather than failed: DBOS never carries on with what has failed."""

    def __init__(self, bug: Exception) -> None:
        super().__init__(type(bug).__name__)
        self.bug = bug


class DurableStep:
    """``waiting``: the workflows that a shutdown does not wait for."""

    def __init__(self, waiting: set[asyncio.Task[Any]]) -> None:
        self._waiting = waiting

    async def __call__(self, name: str, returns: type[T], work: Callable[[], Awaitable[T]], /) -> T:
        adapter: TypeAdapter[T] = _adapter(returns)

        async def recorded() -> Any:
            return adapter.dump_python(await _done(work), mode="json")

        return adapter.validate_python(await DBOS.run_step_async({"name": name}, recorded))

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


async def _done(work: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await work()
        except LedgerUnavailable:
            await asyncio.sleep(_AGAIN)
        except Exception as bug:
            raise CutShort(bug) from bug
