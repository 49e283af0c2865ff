"""Run work in the background for exactly as long as something else runs, whatever befalls it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeVar

import structlog

from bot.activeflows.errors import LedgerUnavailable

log = structlog.get_logger(__name__)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run ``work`` while the block lasts, then cancels it and waits until it has ended."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def forever(work: Callable[[], Awaitable[None]], *, every: float) -> None:
    """Run ``work`` until cancelled, again ``every`` seconds after it has ended, whatever became of it."""
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


# ---------------------------------------------------------------- signals
# Run something until SIGINT or SIGTERM, also when that comes before it has started.

T = TypeVar("T")


async def until_told(everything: AbstractAsyncContextManager[T], started: Callable[[T], object] | None = None) -> None:
    """Enter ``everything``, call ``started`` with it, and leave it in order when told to.

    A start under way is given up at once: it may be waiting for somebody who does not answer. Whatever is told after
    the first time changes nothing, so that an impatient Ctrl-C does not break the end.
    """
    loop, starting = asyncio.get_running_loop(), asyncio.current_task()
    told = asyncio.Event()

    def tell() -> None:
        if starting is not None and not told.is_set():
            starting.cancel()
        told.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, tell)
    try:
        async with everything as it:
            starting = None
            if started is not None:
                started(it)
            await told.wait()
    except asyncio.CancelledError:
        if not told.is_set():
            raise
