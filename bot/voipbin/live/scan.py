"""Walk one of VoIPBIN's lists, newest first, and say how complete that is; of activeflows, into a ``Picture``.

A list (https://api.voipbin.net/docs/activeflow_overview.html) has no filter, keeps ended rows, gives at most 100 a
page, and continues with "created before", strictly and without a tie-break: rows of the same microsecond as a page's
last one are lost by its own token. So the next page is asked for from one microsecond later and known ids are dropped.
``wire.page_end`` says where it ends.

Promises: it ends; nothing that existed when it began, was created at or after ``complete_since`` and is readable is
missing; each id is there once, in its latest version. Only the first page's failure is an error: later ones shorten
the picture and say so. Calls are cut after one hour, so the last hour is read whatever number of pages it takes; only
time, failure, or the end of the list stop there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from bot.activeflows.model import Activeflow, Picture
from bot.voipbin.http.answer_errors import Kind, Unsuccessful
from bot.voipbin.wire.answers import Page
from bot.voipbin.wire.decoding import TICK
from bot.voipbin.wire.page_end import Fullest, is_last


class Created(Protocol):
    """What the walk needs to know of a row."""

    @property
    def id(self) -> UUID: ...

    @property
    def created_at(self) -> datetime | None: ...


R = TypeVar("R", bound=Created)

AHEAD: Final = timedelta(hours=1)
"""How far in the future the walk begins: clocks differ, and a row stamped after its first token would be unseen."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a walk goes."""

    page_size: int = 100
    max_pages: int = 20
    whole: timedelta = timedelta(hours=1)
    """The past that is read beyond ``max_pages``, too."""
    seconds: float = 25.0
    """After so long it ends where it is."""


@dataclass(frozen=True, slots=True)
class Walked(Generic[R]):
    """How a walk went; the fields are those of a ``Picture``."""

    rows: tuple[R, ...]
    as_of: datetime
    complete_since: datetime | None
    stopped_because: str
    unreadable: int


@dataclass(slots=True)
class _Walk(Generic[R]):
    """Where the walk is."""

    before: datetime
    """The cursor: it moves back at every step, so the walk ends."""
    reached: datetime
    """Everything created at or after this instant has been read."""
    found: dict[UUID, R] = field(default_factory=dict)
    pages: int = 0
    unreadable: int = 0
    torn_at: datetime | None = None
    """Further back it is not known to be complete: one microsecond held as many rows as a page, or more."""
    fullest: Fullest = field(default_factory=Fullest)

    def take(self, page: Page[R], page_size: int) -> str | None:
        """Take a page in and step back. Gives why there is no further page ("" for the end of the list), or ``None``."""
        self.pages += 1
        self.unreadable += page.unreadable
        for row in page.rows:
            self.found[row.id] = row
        cut = self.fullest.cut(page, asked=page_size)
        if is_last(page, asked=page_size, before=self.before):
            return ""
        last = _last(page)
        if last is None:
            return "failed"
        self.reached = min(self.reached, last + TICK)
        if last + TICK < self.before:
            self.before = last + TICK
            return None
        # All of it was of one microsecond: step over that, knowing whether some of it may be unseen.
        if cut:
            self.torn_at = self.torn_at or self.reached
        self.before = min(last, self.before - TICK)
        if not cut:
            self.reached = min(self.reached, self.before)
        return None


async def walk(
    read_page: Callable[[datetime, int], Awaitable[Page[Activeflow]]], *, now: Callable[[], datetime], bounds: Bounds
) -> Picture:
    """The list of activeflows. Raises ``Unsuccessful`` when not even one page could be read."""
    seen = await walked(read_page, now=now, bounds=bounds)
    return Picture(seen.rows, seen.as_of, seen.complete_since, seen.stopped_because, seen.unreadable)


async def walked(
    read_page: Callable[[datetime, int], Awaitable[Page[R]]], *, now: Callable[[], datetime], bounds: Bounds
) -> Walked[R]:
    """Read backwards to the end of the list or to a bound. Raises ``Unsuccessful`` when not even one page could be.

    ``read_page``: the rows created before an instant, at most so many.
    """
    as_of = now()
    going: _Walk[R] = _Walk(before=as_of + AHEAD, reached=as_of + AHEAD)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + bounds.seconds
    because: str | None = None
    while because is None:
        try:
            async with asyncio.timeout_at(deadline if going.pages else None):
                page = await read_page(going.before, bounds.page_size)
        except TimeoutError:
            because = "time"
        except Unsuccessful as unsuccessful:
            if not going.pages:
                raise
            because = "busy" if unsuccessful.trouble.kind is Kind.THROTTLED else "failed"
        else:
            because = going.take(page, bounds.page_size)
            if because is None and going.pages >= bounds.max_pages and going.reached <= as_of - bounds.whole:
                because = "pages"
            if because is None and loop.time() >= deadline:
                because = "time"
    return Walked(
        rows=tuple(going.found.values()),
        as_of=as_of,
        complete_since=going.torn_at or (going.reached if because else None),
        stopped_because=because or ("ties" if going.torn_at else ""),
        unreadable=going.unreadable,
    )


def _last(page: Page[R]) -> datetime | None:
    """The creation of a page's last row, by its rows, or by VoIPBIN's own cursor where rows do not say."""
    times = [row.created_at for row in page.rows if row.created_at is not None]
    oldest = min(times, default=None)
    return oldest if times and len(times) == page.size else page.last or oldest
