"""Run something until SIGINT or SIGTERM, also when that comes before it has started."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

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
