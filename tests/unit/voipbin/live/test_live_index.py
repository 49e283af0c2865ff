"""Following goes on, whatever it meets, and does not call the past "still being read" when nobody reads it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bot.activeflows.model import START_ID, Action, Activeflow, Picture, Reference, Status
from bot.voipbin.http.answer import FailureKind, RequestFailure, Unsuccessful
from bot.voipbin.live.live_index import IndexPace, LiveIndex
from bot.voipbin.live.stream import StreamLost
from bot.voipbin.wire.pages import RunningPage

NOW, OURS = datetime(2026, 11, 22, 12, tzinfo=UTC), UUID(int=77)
QUICK = IndexPace(repair_every=3600, down_every=3600, failed_again=0.01, patience=5, connect_again=(0.01,), lasting=0)
GONE = Unsuccessful(RequestFailure(FailureKind.UNAVAILABLE, "gone"))
DAY = [NOW - number * timedelta(minutes=5) for number in range(288)]


class Town:
    """A list of activeflows that all run, and no event stream."""

    def __init__(self, times: list[datetime]) -> None:
        rows = [
            Activeflow(UUID(int=n + 1), OURS, None, Status.RUNNING, Reference(), Action(START_ID), created_at=at)
            for n, at in enumerate(times)
        ]
        self.rows = sorted(rows, key=lambda row: row.created_at or NOW, reverse=True)
        self.troubles: list[Exception] = []
        """What happens instead of an answer, when the past is asked for."""
        self.at_once: list[Exception] = []
        """The same, whatever is asked for."""
        self.no_stream: list[Exception] = []
        self.subscriptions = 0
        self.streams: list[asyncio.Event] = []
        """Streams that will be there, in turn, each until its event is set."""
        self.held: list[asyncio.Event] = []
        """Answers, in turn, that wait for their event."""
        self.asked = 0

    async def read(self, before: datetime, size: int) -> RunningPage:
        self.asked += 1
        await asyncio.sleep(0)
        if self.at_once:
            raise self.at_once.pop()
        if self.held:
            await self.held.pop(0).wait()
        if self.troubles and before < NOW - timedelta(hours=5):
            raise self.troubles.pop()
        page = [row for row in self.rows if row.created_at and row.created_at < before][:size]
        return RunningPage(tuple(page), (), len(page), page[-1].created_at if page else None, 0, bool(page))

    @asynccontextmanager
    async def subscribed(self, _: UUID) -> Any:
        self.subscriptions += 1
        if self.no_stream:
            raise self.no_stream.pop()
        if not self.streams:
            raise StreamLost("there is none")
        yield _silence(self.streams.pop(0))

    def live_index(self) -> LiveIndex:
        return LiveIndex(self.read, self.subscribed, lambda: OURS, spare=lambda: False, now=lambda: NOW, pace=QUICK)


async def _silence(cut: asyncio.Event) -> AsyncIterator[bytes]:
    await cut.wait()
    if cut.is_set():
        raise StreamLost("cut")
    yield b""


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 — nobody is told
            await asyncio.sleep(0.001)


def frame(number: int, customer: UUID = OURS) -> bytes:
    row = {"id": str(UUID(int=number + 1)), "customer_id": str(customer), "status": "running"}
    return json.dumps(row).encode()


async def picture_when(follower: LiveIndex, fits: Callable[[Picture], bool]) -> Picture:
    async with asyncio.timeout(30):
        while True:
            picture = await follower.running(max_age=3600)
            if picture is not None and fits(picture):
                return picture
            await asyncio.sleep(0.005)


async def test_a_past_that_could_not_be_read_is_read_a_little_later() -> None:
    town = Town(DAY)
    town.troubles = [GONE, GONE]
    async with town.live_index().at_work() as follower:
        picture = await picture_when(follower, lambda found: found.complete_since is None)
    assert len(picture.activeflows) == len(DAY)
    assert not town.troubles


async def test_a_moment_with_more_rows_than_a_page_is_said_and_not_called_still_being_read() -> None:
    crowd = NOW - timedelta(hours=20)
    town = Town([*DAY, *[crowd] * 150])
    async with town.live_index().at_work() as follower:
        picture = await picture_when(follower, lambda found: found.stopped_because == "ties")
    assert picture.complete_since == crowd + timedelta(microseconds=1)
    assert {row.created_at for row in picture.activeflows} == {*DAY, crowd}


@pytest.mark.parametrize("trouble", [RuntimeError("a bug"), GONE])
async def test_nothing_that_goes_wrong_while_reading_ends_it(trouble: Exception) -> None:
    town = Town(DAY[:10])
    town.at_once = [trouble]
    async with town.live_index().at_work() as follower:
        picture = await picture_when(follower, lambda found: found.complete_since is None)
    assert len(picture.activeflows) == 10


async def test_how_much_of_the_past_is_read_is_known_while_it_is_read() -> None:
    town = Town([NOW - number * timedelta(minutes=1) for number in range(5000)])
    async with town.live_index().at_work() as follower:
        shares: list[float | None] = []
        async with asyncio.timeout(30):
            while not shares or shares[-1] != 1:
                picture = await follower.running(max_age=3600)
                shares += [picture.freshness.read] if picture is not None and picture.freshness is not None else []
                await asyncio.sleep(0)
    known = [share for share in shares if share is not None]
    assert known == sorted(known)
    assert len({int(share * 100) for share in known}) > 20


async def test_nothing_that_goes_wrong_with_the_stream_ends_it() -> None:
    town = Town(DAY[:10])
    town.no_stream = [RuntimeError("a bug")]
    async with town.live_index().at_work() as follower:
        await picture_when(follower, lambda _: town.subscriptions > 2)
        assert not follower.live


async def test_a_reading_from_before_a_new_stream_makes_nothing_live() -> None:
    town = Town(DAY[:10])
    cut, never, first, second = (asyncio.Event() for _ in range(4))
    town.streams, town.held = [cut, never], [first, second]
    async with town.live_index().at_work() as follower:
        await until(lambda: town.subscriptions == 1 and town.asked == 1)
        cut.set()
        await until(lambda: town.subscriptions == 2)
        first.set()  # begun during the first stream, over during the second: what came between is unknown
        await until(lambda: town.asked == 2)
        assert not follower.live
        second.set()
        await until(lambda: follower.live)


def test_an_event_about_somebody_else_is_not_taken_in() -> None:
    follower = Town([]).live_index()
    follower.hear(frame(1, UUID(int=78)), OURS)
    follower.hear(frame(2), OURS)
    assert [row.id for row in follower.index.newest_first()] == [UUID(int=3)]


def test_frames_are_remembered_in_bounded_memory() -> None:
    follower = Town([]).live_index()
    for number in range(1200):
        follower.hear(frame(number), OURS)
    assert len(follower._lately) == 500
    assert len(follower.index) == 1200
