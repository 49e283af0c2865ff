"""Time in the simulated VoIPBIN: a clock that tests can drive, and the things that will happen later.

Decision: nothing happens by itself. `tick` lets everything happen that was due, in order, each at its own instant; the
API ticks before it works on a request, and the demo ticks a few times a second.
"""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

_MICROSECOND = timedelta(microseconds=1)


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


class StandingClock:
    """A `now` that stands still until told otherwise; a World built with it lives in the time a test gives it."""

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at or utc_now()

    def __call__(self) -> datetime:
        return self._at

    def passes(self, seconds: float) -> None:
        """Let time pass; what became due happens in the world's next `tick`."""
        self._at += timedelta(seconds=seconds)


class Clock:
    """`now` says what time it is; `instant` stamps, `after` plans."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self._acting: datetime | None = None
        self._last_stamp: datetime | None = None
        self._order = count()
        self._planned: list[tuple[datetime, int, Callable[[], None]]] = []

    def time(self) -> datetime:
        """The instant at which the present happening happens: while ticking, when it was due; else now."""
        return self._acting or self.now()

    def instant(self) -> datetime:
        """A stamp for a record: strictly later than every stamp before it, even when the clock stands still."""
        stamp = self.time()
        if self._last_stamp is not None and stamp <= self._last_stamp:
            stamp = self._last_stamp + _MICROSECOND
        self._last_stamp = stamp
        return stamp

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Plan `act` for `seconds` from the present happening; it happens in a later (or the running) `tick`."""
        due = self.time() + timedelta(seconds=seconds)
        heapq.heappush(self._planned, (due, next(self._order), act))

    def tick(self) -> None:
        """Let everything happen that was due up to now, and what follows from it up to now."""
        if self._acting is not None:
            return  # a happening reads the world through something that ticks: it is already ticking
        until = self.now()
        try:
            while self._planned and self._planned[0][0] <= until:
                self._acting, _, act = heapq.heappop(self._planned)
                act()
        finally:
            self._acting = None
