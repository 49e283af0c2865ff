"""Follow what runs: subscribe first, then read the list, then trust the events; and again whenever in doubt.

The event stream replays nothing and confirms nothing (https://api.voipbin.net/docs/websocket_overview.html), so the
list is read again after every subscription, every few minutes, and, while there is no stream, on a schedule and when
somebody asks. A re-reading reads what was created since the last one, and each row that is held; the past that was
never read is read behind it, newest first, and goes on where it was interrupted. Promises: it never ends by itself and
never raises; what it tells is marked as live only between a re-reading that was begun after the subscription and the
end of that stream. A stream that kept quiet about what the list shows, or about what anybody in the bot has read, is
left for a new one: a list never shows as running what a stop, or somebody's look, has read as ended.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

import structlog

from bot.activeflows.errors import Failure
from bot.activeflows.index import BEGINNING, Coverage, Index, IndexWriter, ListPart, Span
from bot.activeflows.model import Activeflow, Freshness, Picture
from bot.voipbin.http.answer import Unsuccessful
from bot.voipbin.live.scan import AHEAD, ReadPage, Windows
from bot.voipbin.live.stream import StreamLost
from bot.voipbin.metrics import EVENT_LAG, STREAMS, STREAMS_LOST
from bot.voipbin.wire.answers import Steps, Unreadable
from bot.voipbin.wire.pages import RunningPage, event

# ---------------------------------------------------------------- pace
# Table how often what runs is read again, and how soon the event stream is opened again.


@dataclass(frozen=True, slots=True)
class IndexPace:
    """Seconds."""

    repair_every: float = 300.0
    down_every: float = 60.0
    """Between two re-readings while there is no stream and nobody asks."""
    failed_again: float = 5.0
    patience: float = 25.0
    """How long somebody who asks waits for a re-reading."""
    connect_again: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0)
    told_within: float = 4.0
    """A change that was read comes as an event within so long, or the stream is not to be trusted."""
    lasting: float = 30.0
    """A stream that lived so long was a good one: the next is tried at once."""


# ---------------------------------------------------------------- live index

log = structlog.get_logger(__name__)

Subscribe: TypeAlias = Callable[[UUID], AbstractAsyncContextManager[AsyncIterator[bytes]]]

FIRST: Final = timedelta(minutes=65)
"""The past that is read before anything is answered: calls are cut after one hour."""
_MARGIN: Final = timedelta(minutes=1)
_LATE: Final = timedelta(minutes=10)
_SURELY_TOLD: Final = timedelta(seconds=15)
"""A change of so long ago would have come as an event, if any did."""
_BREATH: Final = 50
EARLY: Final = 0.6
"""Of the age that is asked for: from then on it is read again, while what is there still serves."""
_LATELY: Final = 500
"""Frames remembered, by 64 bits of each, to know them when they come again."""


class LiveIndex:
    """The index, and what keeps it true."""

    def __init__(
        self,
        read_page: ReadPage,
        subscribe: Subscribe,
        customer_id: Callable[[], UUID],
        *,
        spare: Callable[[], bool],
        now: Callable[[], datetime],
        pace: IndexPace | None = None,
    ) -> None:
        """``customer_id`` raises a ``Failure`` while it is not known."""
        self.index = Index()
        self._read_page = read_page
        self._subscribe = subscribe
        self._customer_id = customer_id
        self._spare = spare
        self._now = now
        self._pace = pace or IndexPace()
        self._coverage = Coverage()
        self._steps = Steps()
        self._lately: dict[int, None] = {}
        self._subscriptions = 0
        self._subscribed = False
        self._live = False
        self.since: datetime | None = None
        """Since when it is live or, while it is not, the stream is down (``None``: it is being opened)."""
        self._began: datetime | None = None
        self._good: tuple[datetime, float] | None = None
        self._reading_since: float | None = None
        self._failures = 0
        self._unreadable = 0
        self._missed = 0
        self._torn = False
        self._due = asyncio.Event()
        self._round_over = asyncio.Condition()
        self._distrusted = asyncio.Event()
        self.learned = IndexWriter(self.index, self._doubt, self._pace.told_within)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["LiveIndex"]:
        """Follow for as long as the block lasts."""
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep_right())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.learned.forget()

    @property
    def live(self) -> bool:
        """True while every change comes as an event, and all before was read."""
        return self._live

    @property
    def read_at(self) -> datetime | None:
        """As of when all that runs was last read, whatever was heard since."""
        return self._good[0] if self._good is not None else None

    async def running(self, *, max_age: float) -> Picture | None:
        """Return what runs, from memory; without a stream read again unless that was done in the last ``max_age``
        seconds.

        ``None`` when it could not be read: whoever asks VoIPBIN directly learns why. While people ask, it is read again
        before it is too old, so that they need not wait for that.
        """
        clock = asyncio.get_running_loop().time()
        since = clock - max_age
        if not self._fresh(clock - EARLY * max_age) and self._good is not None and not self._being_read(since):
            self._due.set()
        if not self._fresh(since):
            failures = self._failures
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.patience), self._round_over:
                    await self._round_over.wait_for(lambda: self._fresh(since) or self._failures > failures)
            if self._failures > failures and not self._fresh(since):
                return None
        return self._picture()

    def _fresh(self, since: float) -> bool:
        return self._live or (self._good is not None and self._good[1] >= since)

    def _being_read(self, since: float) -> bool:
        """Tell whether a reading is under way that began since then."""
        return self._reading_since is not None and self._reading_since >= since

    def _picture(self) -> Picture | None:
        read_at = self._good[0] if self._good is not None else self._began
        complete_since = None if read_at is None else self._coverage.complete_since(read_at)
        if read_at is None or complete_since == read_at:
            return None
        return Picture(
            activeflows=self.index.newest_first(),
            kinds=self.index.kinds(),
            as_of=self._now() if self._live else read_at,
            complete_since=complete_since,
            stopped_because="" if complete_since is None else "ties" if self._torn else "reading",
            unreadable=self._unreadable,
            freshness=Freshness(self._live, None if self._live else self.since, self._coverage.share(read_at)),
        )

    # ---------------------------------------------------------------- the stream

    async def _listen(self) -> None:
        tries = 0
        clock = asyncio.get_running_loop().time
        while True:
            began, why = clock(), ""
            try:
                async with self._subscribe(self._customer_id()) as frames:
                    self._subscriptions += 1
                    STREAMS.inc()
                    self._subscribed = True
                    self._due.set()
                    await self._hear(frames)
            except StreamLost as lost:
                why = str(lost)
            except Failure as failure:
                why = failure.what
            except Exception as bug:  # noqa: BLE001 — it never ends by itself
                why = type(bug).__name__
            self._lost(why)
            tries = 0 if clock() - began >= self._pace.lasting else tries + 1
            await asyncio.sleep(self._pace.connect_again[min(tries, len(self._pace.connect_again) - 1)])

    async def _hear(self, frames: AsyncIterator[bytes]) -> None:
        self._distrusted.clear()
        hearing = asyncio.create_task(self._take_all(frames))
        doubting = asyncio.create_task(self._distrusted.wait())
        try:
            await asyncio.wait({hearing, doubting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (hearing, doubting):
                task.cancel()
            lost = (await asyncio.gather(hearing, doubting, return_exceptions=True))[0]
        if isinstance(lost, StreamLost):
            raise lost
        if isinstance(lost, Exception):
            log.error("event_stream_failed", kind=type(lost).__name__)
            raise StreamLost("an event could not be taken in")
        raise StreamLost("the event stream was silent about what the list shows")

    async def _take_all(self, frames: AsyncIterator[bytes]) -> None:
        number, ours = 0, self._customer_id()
        async for frame in frames:
            self.hear(frame, ours)
            number += 1
            if number % _BREATH == 0:
                await asyncio.sleep(0)

    def hear(self, frame: bytes, ours: UUID) -> None:
        """Take in one frame of the stream; most come twice, one soon after the other."""
        same = hash(frame)
        if same in self._lately:
            return
        self._lately[same] = None
        if len(self._lately) > _LATELY:
            del self._lately[next(iter(self._lately))]
        try:
            told = event(frame, self._steps, self.learned)
        except Unreadable:
            return  # the next re-reading sees what it was about
        if told is not None and told.customer_id == ours:
            self.index.take(told)
            if told.updated_at is not None:
                EVENT_LAG.observe(max((self._now() - told.updated_at).total_seconds(), 0.0))

    def _doubt(self) -> None:
        log.warning("event_stream_silent", why="a change that was read did not come as an event")
        self._distrusted.set()

    def _lost(self, why: str) -> None:
        STREAMS_LOST.inc()
        self.learned.forget()
        if self._live or self.since is None:
            self.since = self._now()
            log.warning("event_stream_down", why=why)
            self._due.set()
        self._subscribed = self._live = False

    # ---------------------------------------------------------------- the list

    async def _keep_right(self) -> None:
        while True:
            self._due.clear()
            self._reading_since = asyncio.get_running_loop().time()
            try:
                await self._read_again()
            except Unsuccessful as unsuccessful:
                log.warning("list_not_read", why=unsuccessful.trouble.what, request_id=unsuccessful.trouble.request_id)
                wait = self._pace.failed_again
                self._failures += 1
            except Failure:  # the bot is not introduced yet, which is said elsewhere
                wait = self._pace.failed_again
                self._failures += 1
            except Exception as bug:  # noqa: BLE001 — whoever asks VoIPBIN directly is no worse off
                log.error("list_reading_failed", kind=type(bug).__name__)
                wait = self._pace.failed_again
                self._failures += 1
            else:
                wait = self._pace.repair_every if self._live else self._pace.down_every
            self._reading_since = None
            async with self._round_over:
                self._round_over.notify_all()
            older = asyncio.create_task(self._read_the_past())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._due.wait()
            older.cancel()
            await asyncio.gather(older, return_exceptions=True)

    async def _read_again(self) -> None:
        began, clock = self._now(), asyncio.get_running_loop().time()
        subscription, mark = (self._subscriptions if self._subscribed else -1), self.index.mark()
        was_live, self._missed, self._unreadable, self._began = self._live, 0, 0, began
        since = self._good[0] - _MARGIN if self._good is not None else began - FIRST
        windows = self._windows()
        await windows.read([Span(since, began + AHEAD), *self._coverage.holes(began - FIRST, since)])
        await windows.confirm(self.index.unheard_since(mark))
        self._good = (began, clock)
        if was_live and self._live and self._missed:
            log.warning("event_stream_missed", changes=self._missed)
            self._distrusted.set()
        elif self._subscribed and subscription == self._subscriptions and not self._live:
            log.info("following", running=len(self.index))
            self._live, self.since = True, self._now()
            self.learned.live_since = self.since

    async def _read_the_past(self) -> None:
        while self._good is not None and (holes := self._coverage.holes(BEGINNING, self._good[0])):
            try:
                await self._windows().read(holes)
            except Unsuccessful:
                await asyncio.sleep(self._pace.failed_again)
            else:
                self._torn = bool(self._coverage.holes(BEGINNING, self._good[0]))
                return

    def _windows(self) -> Windows:
        return Windows(self._read_page, self._took, mark=self.index.mark, spare=self._spare)

    def _took(self, page: RunningPage, span: Span, mark: int) -> None:
        now = self._now()
        read = ListPart(
            running=tuple(row for row in page.running if row.customer_id == self._customer_id()),
            over=tuple(id_ for id_, _ in page.over),
            over_lately=frozenset(id_ for id_, ended in page.over if ended is None or ended >= now - _LATE),
            since=span.since,
            until=span.until,
            whole=not page.unreadable,
        )
        ended = dict(page.over)
        for changed in self.index.settle(read, mark):
            at = (changed.updated_at or changed.created_at) if isinstance(changed, Activeflow) else ended.get(changed)
            self._missed += at is not None and self._began is not None and at < self._began - _SURELY_TOLD
        self._unreadable += page.unreadable
        top = self._began or now
        self._coverage.add(span.since, min(span.until, top))
