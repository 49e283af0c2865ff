"""Ask the same question once at a time: who asks while it is being asked shares the answer.

Promises: a caller that gives up does not take the answer from the others; a failure reaches all who wait and is not
kept; leaving no task behind is one ``await land()``.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Flights(Generic[K, V]):
    """Questions under way, by what they ask about."""

    def __init__(self) -> None:
        self._under_way: dict[K, asyncio.Task[V]] = {}

    async def share(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The answer of the question under way for this key, else of a new one."""
        return await asyncio.shield(self.begin(key, ask))

    def begin(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> "asyncio.Task[V]":
        """The same, for whoever does not wait for it."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(ask())
            self._under_way[key] = task
            task.add_done_callback(lambda landed: self._landed(key, landed))
        return task

    def _landed(self, key: K, task: asyncio.Task[V]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # looked at, or asyncio would write it down when all who waited have given up

    async def land(self) -> None:
        """Cancel what is under way and wait until it is over."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
