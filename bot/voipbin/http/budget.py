"""Ration the requests to VoIPBIN, and say whose goes first.

All clients of one customer share 17 requests a second (https://api.voipbin.net/docs/restful_api.html), so the bot takes
a share and leaves the rest to the contact centre. What a person pressed goes before what fills a screen, which goes
before the many stops of a bulk, which go before the walk through the list.

Promises: never more than ``burst + rate x t`` turns in any t seconds, a look within a turn (``spend``) paid for by
those who come later; the most urgent waiting one is always next, equals in order of arrival; a waiter that is cancelled
costs nothing. After a 429 nobody goes for as long as VoIPBIN asked, and then everybody at half the rate for a while.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

from bot.voipbin.metrics import WAITED

RESERVED_FOR_PRESSES: Final = 2
"""Places in flight that screens and scans leave free, so that a slow VoIPBIN cannot keep a stop waiting."""

_CAREFUL_FOR: Final = 10.0
_NEARLY: Final = 1e-9


class Urgency(IntEnum):
    """Lower goes first."""

    PRESS = 0
    SCREEN = 1
    BULK = 2
    SCAN = 3


@dataclass(frozen=True, slots=True)
class Load:
    """How the budget is used."""

    rate: float
    """Requests a second."""
    waiting: int
    """Questions that wait for their turn."""
    refusals: int
    """Answers 429 since the start."""
    refused_ago: float | None
    """Seconds since the last of them."""


class CallLater(Protocol):
    """``loop.call_later``: call back in so many seconds."""

    def __call__(self, delay: float, callback: Callable[[], None], /) -> object: ...


class Bucket:
    """A token bucket that is told the time. Starts full."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._as_of = now
        self._careful_until = now

    def take(self, now: float) -> bool:
        """Take one turn, if there is one."""
        self._fill(now)
        if self._as_of > now or self._tokens < 1 - _NEARLY:
            return False
        self._tokens -= 1
        return True

    def spend(self, now: float) -> None:
        """Spend one question more, asked already: whoever comes later waits for it."""
        self._fill(now)
        self._tokens -= 1

    def wait(self, now: float) -> float:
        """Return the seconds until ``take`` may say yes."""
        self._fill(now)
        pause = max(self._as_of - now, 0.0)
        rate = self.rate / 2 if self._as_of < self._careful_until else self.rate
        return pause + max(1 - self._tokens, 0.0) / rate

    def refuse(self, now: float, seconds: float) -> None:
        """Note that VoIPBIN said 429: nobody for so many seconds, and nothing saved up meanwhile."""
        self._fill(now)
        self._tokens = min(self._tokens, 0.0)
        self._as_of = max(self._as_of, now + seconds)
        self._careful_until = self._as_of + _CAREFUL_FOR

    def _fill(self, now: float) -> None:
        if now <= self._as_of:
            return
        slow = max(min(now, self._careful_until) - self._as_of, 0.0)
        gained = (slow / 2 + (now - self._as_of - slow)) * self.rate
        self._tokens = min(self.burst, self._tokens + gained)
        self._as_of = now


class Budget:
    """Turns at asking VoIPBIN: ``async with budget.turn(Urgency.PRESS): …``."""

    def __init__(
        self,
        rate: float = 8.0,
        burst: float = 4.0,
        in_flight: int = 16,
        *,
        clock: Callable[[], float] | None = None,
        later: CallLater | None = None,
    ) -> None:
        """``clock`` and ``later`` are the running event loop's, unless a test brings its own time."""
        loop = asyncio.get_running_loop()
        self._clock: Callable[[], float] = clock or loop.time
        self._later: CallLater = later or loop.call_later
        self._bucket = Bucket(rate, burst, self._clock())
        self._room = in_flight
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._arrivals = 0
        self._alarm_set = False
        self._refusals = 0
        self._refused_at: float | None = None

    @asynccontextmanager
    async def turn(self, urgency: Urgency) -> AsyncIterator[None]:
        """Wait for a turn and hold a place in flight for as long as the block lasts."""
        go = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        came = self._clock()
        heapq.heappush(self._waiting, (urgency, self._arrivals, go))
        self._call_next()
        try:
            await go
        except asyncio.CancelledError:
            if go.done() and not go.cancelled():
                self._leave()
            raise
        WAITED.labels(urgency.name.lower()).observe(self._clock() - came)
        try:
            yield
        finally:
            self._leave()

    def spend(self) -> None:
        """Spend, within a turn, one question more, that does not wait. A stop is looked at and sent in one turn."""
        self._bucket.spend(self._clock())

    def spare(self) -> bool:
        """Tell whether one more question, of the least urgent kind, would go at once."""
        waiting = any(not go.done() for _, _, go in self._waiting)
        return not waiting and self._room > RESERVED_FOR_PRESSES and self._bucket.wait(self._clock()) <= 0

    def load(self) -> Load:
        ago = None if self._refused_at is None else self._clock() - self._refused_at
        waiting = sum(1 for _, _, go in self._waiting if not go.done())
        return Load(self._bucket.rate, waiting, self._refusals, ago)

    def slow_down(self, seconds: float) -> None:
        """Slow down after a 429."""
        self._refusals, self._refused_at = self._refusals + 1, self._clock()
        self._bucket.refuse(self._clock(), seconds)

    def _leave(self) -> None:
        self._room += 1
        self._call_next()

    def _call_next(self) -> None:
        while self._waiting:
            urgency, _, go = self._waiting[0]
            if go.done():  # its asker was cancelled
                heapq.heappop(self._waiting)
                continue
            if self._room <= (0 if urgency is Urgency.PRESS else RESERVED_FOR_PRESSES):
                return
            if not self._bucket.take(self._clock()):
                self._set_alarm()
                return
            heapq.heappop(self._waiting)
            self._room -= 1
            go.set_result(None)

    def _set_alarm(self) -> None:
        if not self._alarm_set:
            self._alarm_set = True
            self._later(self._bucket.wait(self._clock()), self._alarm)

    def _alarm(self) -> None:
        self._alarm_set = False
        self._call_next()
