"""Walk one of VoIPBIN's lists, newest first, and say how complete that is; of activeflows, into a ``Picture``.

A list (https://api.voipbin.net/docs/activeflow_overview.html) has no filter, keeps ended rows, gives at most 100 a
page, and continues with "created before", strictly and without a tie-break: rows of the same microsecond as a page's
last one are lost by its own token. So the next page is asked for from one microsecond later and known ids are dropped.
``wire.pages`` says where it ends.

Promises: it ends; nothing that existed when it began, was created at or after ``complete_since`` and is readable is
missing; each id is there once, in its latest version. Only the first page's failure is an error: later ones shorten
the picture and say so. Calls are cut after one hour, so the last hour is read whatever number of pages it takes; only
time, failure, or the end of the list stop there.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from bot.activeflows.index import BEGINNING, Span
from bot.activeflows.model import Activeflow, Picture
from bot.voipbin.http.answer import FailureKind, RequestFailure, Unsuccessful
from bot.voipbin.wire.answers import TICK, Page
from bot.voipbin.wire.pages import LargestPage, RunningPage, is_last


class ListRow(Protocol):
    """What the walk needs to know of a row."""

    @property
    def id(self) -> UUID: ...

    @property
    def created_at(self) -> datetime | None: ...


R = TypeVar("R", bound=ListRow)

AHEAD: Final = timedelta(hours=1)
"""How far in the future the walk begins: clocks differ, and a row stamped after its first token would be unseen."""


@dataclass(frozen=True, slots=True)
class WalkBounds:
    """How far a walk goes."""

    page_size: int = 100
    max_pages: int = 20
    whole: timedelta = timedelta(hours=1)
    """The past that is read beyond ``max_pages``, too."""
    seconds: float = 25.0
    """After so long it ends where it is."""


@dataclass(frozen=True, slots=True)
class WalkResult(Generic[R]):
    """How a walk went; the fields are those of a ``Picture``."""

    rows: tuple[R, ...]
    as_of: datetime
    complete_since: datetime | None
    stopped_because: str
    unreadable: int


@dataclass(slots=True)
class _ScanProgress(Generic[R]):
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
    fullest: LargestPage = field(default_factory=LargestPage)

    def take(self, page: Page[R], page_size: int) -> str | None:
        """Take a page in and step back. Gives why there is no further page ("" for the end of the list), or
        ``None``.
        """
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
    read_page: Callable[[datetime, int], Awaitable[Page[Activeflow]]],
    *,
    now: Callable[[], datetime],
    bounds: WalkBounds,
) -> Picture:
    """Return the list of activeflows. Raises ``Unsuccessful`` when not even one page could be read."""
    seen = await walked(read_page, now=now, bounds=bounds)
    return Picture(seen.rows, seen.as_of, seen.complete_since, seen.stopped_because, seen.unreadable)


async def walked(
    read_page: Callable[[datetime, int], Awaitable[Page[R]]], *, now: Callable[[], datetime], bounds: WalkBounds
) -> WalkResult[R]:
    """Read backwards to the end of the list or to a bound. Raises ``Unsuccessful`` when not even one page could be.

    ``read_page``: the rows created before an instant, at most so many.
    """
    as_of = now()
    going: _ScanProgress[R] = _ScanProgress(before=as_of + AHEAD, reached=as_of + AHEAD)
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
            because = "busy" if unsuccessful.trouble.kind is FailureKind.THROTTLED else "failed"
        else:
            because = going.take(page, bounds.page_size)
            if because is None and going.pages >= bounds.max_pages and going.reached <= as_of - bounds.whole:
                because = "pages"
            if because is None and loop.time() >= deadline:
                because = "time"
    return WalkResult(
        rows=tuple(going.found.values()),
        as_of=as_of,
        complete_since=going.torn_at or (going.reached if because else None),
        stopped_because=because or ("ties" if going.torn_at else ""),
        unreadable=going.unreadable,
    )


def _last(page: Page[R]) -> datetime | None:
    """Return the creation of a page's last row, by its rows, or by VoIPBIN's own cursor where rows do not say."""
    times = [row.created_at for row in page.rows if row.created_at is not None]
    oldest = min(times, default=None)
    return oldest if times and len(times) == page.size else page.last or oldest


# ---------------------------------------------------------------- windows
# Read VoIPBIN's list in several places at once: disjoint spans of creation times, each read backwards.
#
# The list continues with "created before", so that it can be read from any moment backwards
# (https://api.voipbin.net/docs/common_overview.html). A reader that has nothing left takes the older half of what
# somebody else still has to read. Where the list begins nobody knows: one feels for it with strides that double, so
# that soon it is known how much is left. How many read at once is the budget's to say: one more joins whenever a turn
# is free.
#
# Promises: when ``read`` returns, every readable row created in the spans has been handed over, whatever the size of a
# page, the ties at its border and the rows that came meanwhile. The one exception is a microsecond with more rows than
# a page has: it is stepped over and not called read. A page that cannot be read ends it all: ``Unsuccessful``.

ReadPage: TypeAlias = Callable[[datetime, int], Awaitable[RunningPage]]
"""The rows created before this instant, at most so many. Raises ``Unsuccessful``."""
Took: TypeAlias = Callable[[RunningPage, Span, int], None]
"""Told of every page: its rows, the span in which they are all there are, and the mark from before it was asked for."""

PAGE_SIZE: Final = 100
MOST_READERS: Final = 14
_CONFIRMING: Final = 4
_FIRST_STRIDE: Final = timedelta(hours=1)
_LONGEST_PAST: Final = timedelta(days=3660)


@dataclass(slots=True)
class _Window:
    """What one reader has still to read."""

    since: datetime
    """Moves up when its older part is given away."""
    until: datetime
    """The cursor: moves back."""
    stride: timedelta | None = None
    """How far back its last page reached."""

    @property
    def pages_left(self) -> float:
        """About how many; 0 when that is not known."""
        return 0.0 if self.stride is None else (self.until - self.since) / max(self.stride, TICK)


class Windows:
    """Readers of the list, sharing out spans among themselves. For one reading; built anew for the next."""

    def __init__(
        self,
        read_page: ReadPage,
        took: Took,
        *,
        mark: Callable[[], int],
        spare: Callable[[], bool],
        page_size: int = PAGE_SIZE,
        readers: int = MOST_READERS,
    ) -> None:
        self._read_page = read_page
        self._took = took
        self._mark = mark
        self._spare = spare
        self._page_size = page_size
        self._most_readers = readers
        self._todo: deque[_Window] = deque()
        self._walking: list[_Window] = []
        self._readers = 0
        self._all_read = False
        self._fullest = LargestPage()

    async def read(self, spans: Sequence[Span]) -> None:
        """Read these spans, the first ones first. The last may begin at ``BEGINNING``, and ends with the list."""
        self._todo = deque(_Window(*span) for span in spans)
        trouble: RequestFailure | None = None
        try:
            async with asyncio.TaskGroup() as group:
                self._join(group)
                if spans and spans[-1].since == BEGINNING:
                    group.create_task(self._feel(spans[-1].until))
        except* Unsuccessful as failed:
            trouble = _first(failed)
        if trouble is not None:
            raise Unsuccessful(trouble)

    async def confirm(self, moments: Sequence[datetime]) -> None:
        """Read the rows that were created at these moments, newest first, with as few pages as possible."""
        share = max(-(-len(moments) // _CONFIRMING), 1)
        trouble: RequestFailure | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for first in range(0, len(moments), share):
                    group.create_task(self._confirm(moments[first : first + share]))
        except* Unsuccessful as failed:
            trouble = _first(failed)
        if trouble is not None:
            raise Unsuccessful(trouble)

    async def _feel(self, top: datetime) -> None:
        """Find about where the list begins, further and further back, then closer, to an eighth of its length.

        Only for as long as somebody still reads.
        """
        near, far = timedelta(0), _FIRST_STRIDE
        while far < _LONGEST_PAST and not self._all_read and await self._goes_on(top - far):
            near, far = far, far * 2
        while far - near > max(far / 8, _FIRST_STRIDE) and not self._all_read:
            middle = (near + far) / 2
            if await self._goes_on(top - middle):
                near = middle
            else:
                far = middle

    async def _goes_on(self, until: datetime) -> bool:
        """Read a page out of turn, in the middle of somebody's share, of which only the newer part is left to them."""
        reached = await self._page(until)
        for window in (*self._todo, *self._walking):
            if window.since < until < window.until:
                if window.since < reached:
                    self._todo.append(_Window(window.since, reached))
                window.since = until
                break
        return reached > BEGINNING

    async def _confirm(self, moments: Sequence[datetime]) -> None:
        left = deque(moments)
        while left:
            reached = await self._page(left[0] + TICK)
            left.popleft()
            while left and left[0] >= reached:
                left.popleft()

    def _join(self, group: asyncio.TaskGroup) -> None:
        self._readers += 1
        group.create_task(self._reader(group))

    async def _reader(self, group: asyncio.TaskGroup) -> None:
        try:
            while (window := self._next()) is not None:
                self._walking.append(window)
                try:
                    await self._walk(window, group)
                finally:
                    self._walking.remove(window)
        finally:
            self._readers -= 1
            self._all_read = not self._readers

    async def _walk(self, window: _Window, group: asyncio.TaskGroup) -> None:
        while window.since < window.until:
            if self._readers < self._most_readers and self._spare() and self._divisible():
                self._join(group)
            until = window.until
            reached = await self._page(until)
            window.stride = until - max(reached, window.since)
            window.until = min(reached, window.until)
            for other in (*self._todo, *self._walking):  # what the page told of their share as well
                if reached < other.until <= until and other is not window:
                    other.until = max(reached, other.since)

    async def _page(self, until: datetime) -> datetime:
        """Read one page and hand it over. Gives how far back it reached."""
        mark = self._mark()
        page = await self._read_page(until, self._page_size)
        cut = self._fullest.cut(page, asked=self._page_size)
        if is_last(page, asked=self._page_size, before=until):
            reached = BEGINNING
        elif page.last is None:
            raise Unsuccessful(RequestFailure(FailureKind.UNREADABLE, "VoIPBIN's list has rows without a time"))
        elif page.last + TICK < until:
            reached = page.last + TICK
        else:  # all of one microsecond
            reached = min(page.last, until - TICK)
            if cut:  # the rest of it cannot be asked for
                self._took(page, Span(until, until), mark)
                return reached
        self._took(page, Span(reached, until), mark)
        return reached

    def _next(self) -> _Window | None:
        while self._todo:
            window = self._todo.popleft()
            if window.since < window.until:
                return window
        known = [window for window in self._walking if window.since > BEGINNING]
        busiest = max(known, key=lambda window: window.pages_left, default=None)
        if busiest is None or busiest.pages_left < 2:
            return None
        return self._given(busiest, busiest.since + (busiest.until - busiest.since) / 2)

    def _given(self, window: _Window, middle: datetime) -> _Window:
        older = _Window(window.since, middle, window.stride)
        window.since = middle
        return older

    def _divisible(self) -> bool:
        return bool(self._todo) or any(w.since > BEGINNING and w.pages_left >= 2 for w in self._walking)


def _first(failed: BaseExceptionGroup[Unsuccessful]) -> RequestFailure:
    one: BaseException = failed
    while isinstance(one, BaseExceptionGroup):
        one = one.exceptions[0]
    return (
        one.trouble
        if isinstance(one, Unsuccessful)
        else RequestFailure(FailureKind.UNCLASSIFIED, "reading the list failed")
    )
