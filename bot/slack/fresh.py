"""Answers remembered for a while, each asked for once at a time.

Decision: a question that is under way is shared even by somebody who wants a fresh answer; it is younger than the
time limit of a question. An answer that was under way when it was forgotten is given to those who wait for it, and
not remembered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """``ask(key)`` remembered for ``keep(value)`` seconds; older answers, up to ``stale`` seconds, stand in for it."""

    def __init__(
        self,
        ask: Callable[[K], Awaitable[V]],
        *,
        keep: Callable[[V], float],
        stale: float,
        clock: Callable[[], float],
        most: int = 10_000,
    ) -> None:
        self._ask = ask
        self._keep = keep
        self._stale = stale
        self._clock = clock
        self._most = most
        self._answers: dict[K, tuple[float, V]] = {}
        self._asking: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, *, fresh: bool, within: float, age: float = 0.0) -> V:
        """The answer; whatever ``ask`` raises, or ``TimeoutError``, when there is none to stand in.

        ``fresh``: none stands in, and it is no older than ``age`` seconds.
        """
        known = self._answers.get(key)
        if known is not None and self._clock() - known[0] < (age if fresh else self._keep(known[1])):
            return known[1]
        try:
            async with asyncio.timeout(within):
                return await asyncio.shield(self._asked(key))
        except Exception:
            if not fresh and known is not None and self._clock() - known[0] < self._stale and key in self._answers:
                return known[1]
            raise

    def forget(self, key: K) -> None:
        """It has changed."""
        self._answers.pop(key, None)
        self._asking.pop(key, None)

    def _asked(self, key: K) -> "asyncio.Task[V]":
        task = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask(key))
            self._asking[key] = task
            began = self._clock()
            task.add_done_callback(lambda done: self._remember(key, began, done))
        return task

    def _remember(self, key: K, began: float, task: "asyncio.Task[V]") -> None:
        failed = task.cancelled() or task.exception() is not None
        if self._asking.get(key) is not task:
            return
        del self._asking[key]
        if failed:
            return
        if len(self._answers) >= self._most:
            self._answers.pop(next(iter(self._answers)))
        self._answers[key] = (began, task.result())
