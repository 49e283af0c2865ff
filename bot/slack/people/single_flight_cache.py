"""Remember answers of Slack's for a while, each asked for once at a time and within an allowance.

Decisions:

* A question that is under way is shared even by somebody who wants a new answer; it is younger than the time limit of a
  question. An answer that was under way when it was said to have changed is given to those who wait, and is not
  remembered.
* Who wants a new answer gets one while the allowance has plenty of turns. The fewer are left, the older an answer may
  be before it is asked for again, up to a bound: so turns go to the oldest answers, and everybody has one.
* Slack allows a method so many calls a minute for the whole app, whoever made the app ask. A bucket of turns stays
  below that in every minute (https://docs.slack.dev/apis/web-api/rate-limits): ``burst`` at once, ``a_minute`` after
  that. The last ones are a ``reserve``, for questions about those who are probably permitted.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from slack_sdk.errors import SlackApiError

from bot.slack.messaging.web_client import error_word, retry_after

K = TypeVar("K")
V = TypeVar("V")
_CHANGED = -math.inf


class Allowance:
    """Turns at one method. In any minute at most ``burst + a_minute`` of them are given."""

    def __init__(self, *, burst: int, a_minute: float, reserve: int, clock: Callable[[], float]) -> None:
        self._burst, self._a_second, self._reserve, self._clock = float(burst), a_minute / 60, reserve, clock
        self._left, self._at = float(burst), clock()
        self._shut_until = 0.0

    def scarcity(self) -> float:
        """Return how scarce turns are: 0 while at least half is left, 1 when nothing is."""
        return max(0.0, 1.0 - self._now() / (self._burst / 2))

    def take(self, *, reserve: bool) -> bool:
        """Take a turn; ``reserve``: one of the last, too."""
        if self.wait(reserve=reserve) > 0:
            return False
        self._left -= 1
        return True

    def wait(self, *, reserve: bool) -> float:
        """Return the seconds until there is a turn."""
        needed = 1.0 if reserve else self._reserve + 1.0
        missing = needed - self._now()
        if self._shut_until > self._clock():
            return max(self._shut_until - self._clock(), missing / self._a_second)
        return missing / self._a_second if missing > 1e-9 else 0.0

    def shut(self, seconds: float) -> None:
        """Note that Slack says that it is too much: nothing is left, and no turn is given for so long."""
        self._now()
        self._left = 0.0
        self._shut_until = max(self._shut_until, self._clock() + seconds)

    def _now(self) -> float:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._a_second)
        self._at = now
        return 0.0 if now < self._shut_until else self._left


@dataclass(frozen=True, slots=True)
class Ages:
    """How old an answer may be, in seconds: without asking anew, where there is no turn to ask, and where Slack is
    silent.
    """

    asked: float
    unturned: float = 0.0
    unanswered: float = 0.0


class NoTurn(Exception):
    """Slack's limit leaves no question in time."""


class SingleFlightCache(Generic[K, V]):
    """What ``ask(key)`` answered."""

    def __init__(
        self,
        ask: Callable[[K], Awaitable[V]],
        allowance: Allowance,
        *,
        within: float,
        clock: Callable[[], float],
        most: int = 10_000,
    ) -> None:
        self._ask, self._allowance, self._within, self._clock, self._most = ask, allowance, within, clock, most
        self._answers: dict[K, tuple[float, V]] = {}
        self._asking: dict[K, asyncio.Task[V]] = {}

    def last(self, key: K) -> V | None:
        """Return the last answer, however old; for guessing who needs what."""
        known = self._answers.get(key)
        return None if known is None else known[1]

    def true(self, key: K) -> V | None:
        """Return the last answer, unless it is known to be true no more."""
        known = self._answers.get(key)
        return None if known is None or known[0] == _CHANGED else known[1]

    def values(self) -> Iterable[V]:
        """Return all last answers."""
        return (value for _, value in self._answers.values())

    async def get(self, key: K, ages: Ages, *, reserve: bool) -> V:
        """Return the answer; ``reserve``: it may cost one of the last turns.

        Raises whatever ``ask`` raises, ``NoTurn`` or ``TimeoutError``, when there is none that is young enough.
        """
        scarcity = self._allowance.scarcity()
        young = ages.asked + max(0.0, ages.unturned - ages.asked) * scarcity
        if (known := self._younger(key, young)) is not None:
            return known[0]
        try:
            await self._turn(key, ages.unturned, reserve=reserve)
            if (known := self._younger(key, young)) is not None:
                return known[0]
            async with asyncio.timeout(self._within):
                return await asyncio.shield(self._asked(key))
        except Exception as trouble:
            limited = isinstance(trouble, NoTurn) or _shuts(self._allowance, trouble)
            if (known := self._younger(key, ages.unturned if limited else ages.unanswered)) is not None:
                return known[0]
            raise

    async def _turn(self, key: K, enough: float, *, reserve: bool) -> None:
        """Wait for a turn to ask, unless somebody asks already, or what is known is young enough then."""
        try:
            async with asyncio.timeout(self._within):
                while key not in self._asking and not self._allowance.take(reserve=reserve):
                    if self._younger(key, enough) is not None:
                        raise NoTurn
                    await asyncio.sleep(max(0.01, self._allowance.wait(reserve=reserve)))
        except TimeoutError:
            raise NoTurn from None

    def changed(self, key: K) -> None:
        """Note that the last answer is not true any more."""
        known = self._answers.get(key)
        if known is not None:
            self._answers[key] = (_CHANGED, known[1])
        self._asking.pop(key, None)

    def _younger(self, key: K, seconds: float) -> tuple[V] | None:
        """Return the last answer, if it is younger than that."""
        known = self._answers.get(key)
        return (known[1],) if known is not None and self._clock() - known[0] < seconds else None

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
        if len(self._answers) >= self._most and key not in self._answers:
            self._answers.pop(next(iter(self._answers)))
        self._answers[key] = (began, task.result())


def _shuts(allowance: Allowance, trouble: Exception) -> bool:
    """Tell whether Slack's limit is the reason; then nothing more is asked for as long as Slack says."""
    if not isinstance(trouble, SlackApiError) or error_word(trouble) not in {"ratelimited", "rate_limited"}:
        return False
    allowance.shut(retry_after(trouble) or 1.0)
    return True
