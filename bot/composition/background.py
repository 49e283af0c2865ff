"""Run work in the background for exactly as long as something else runs, whatever befalls it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

from bot.activeflows.errors import LedgerUnavailable

log = structlog.get_logger(__name__)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Runs ``work`` while the block lasts, then cancels it and waits until it has ended."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def forever(work: Callable[[], Awaitable[None]], *, every: float) -> None:
    """Until cancelled: ``work``, and again ``every`` seconds after it has ended, whatever became of it."""
    while True:
        await tried(work)
        await asyncio.sleep(every)


async def tried(work: Callable[[], Awaitable[None]]) -> None:
    """Do it once. What goes wrong is logged, by its type only, and raised no further."""
    try:
        await work()
    except LedgerUnavailable:
        pass  # said by the database's own log
    except Exception as trouble:  # noqa: BLE001 - what is done beside the stops must neither stop nor be silent
        log.error("upkeep_failed", work=work.__qualname__, trouble=type(trouble).__name__)
