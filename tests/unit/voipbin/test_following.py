"""Following goes on, whatever it meets, and does not call the past "still being read" when nobody reads it."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bot.activeflows.model import START_ID, Action, Activeflow, Picture, Reference, Status
from bot.voipbin.errors import Kind, Trouble, Unsuccessful
from bot.voipbin.following import Following, Pace
from bot.voipbin.running import RunningPage
from bot.voipbin.stream import StreamLost

NOW, OURS = datetime(2026, 11, 22, 12, tzinfo=UTC), UUID(int=77)
QUICK = Pace(repair_every=3600, down_every=3600, failed_again=0.01, patience=5, connect_again=(0.01,), lasting=0)
GONE = Unsuccessful(Trouble(Kind.UNAVAILABLE, "gone"))
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

    async def read(self, before: datetime, size: int) -> RunningPage:
        if self.at_once:
            raise self.at_once.pop()
        if self.troubles and before < NOW - timedelta(hours=5):
            raise self.troubles.pop()
        page = [row for row in self.rows if row.created_at and row.created_at < before][:size]
        return RunningPage(tuple(page), (), len(page), page[-1].created_at if page else None, 0)

    @asynccontextmanager
    async def subscribed(self, _: UUID) -> Any:
        self.subscriptions += 1
        if self.no_stream:
            raise self.no_stream.pop()
        raise StreamLost("there is none")
        yield

    def following(self) -> Following:
        return Following(self.read, self.subscribed, lambda: OURS, spare=lambda: False, now=lambda: NOW, pace=QUICK)


async def picture_when(follower: Following, fits: Callable[[Picture], bool]) -> Picture:
    async with asyncio.timeout(5):
        while True:
            picture = await follower.running(max_age=3600)
            if picture is not None and fits(picture):
                return picture
            await asyncio.sleep(0.005)


async def test_a_past_that_could_not_be_read_is_read_a_little_later() -> None:
    town = Town(DAY)
    town.troubles = [GONE, GONE]
    async with town.following().at_work() as follower:
        picture = await picture_when(follower, lambda found: found.complete_since is None)
    assert len(picture.activeflows) == len(DAY)
    assert not town.troubles


async def test_a_moment_with_more_rows_than_a_page_is_said_and_not_called_still_being_read() -> None:
    crowd = NOW - timedelta(hours=20)
    town = Town([*DAY, *[crowd] * 150])
    async with town.following().at_work() as follower:
        picture = await picture_when(follower, lambda found: found.stopped_because == "ties")
    assert picture.complete_since == crowd + timedelta(microseconds=1)
    assert {row.created_at for row in picture.activeflows} == {*DAY, crowd}


@pytest.mark.parametrize("trouble", [RuntimeError("a bug"), GONE])
async def test_nothing_that_goes_wrong_while_reading_ends_it(trouble: Exception) -> None:
    town = Town(DAY[:10])
    town.at_once = [trouble]
    async with town.following().at_work() as follower:
        picture = await picture_when(follower, lambda found: found.complete_since is None)
    assert len(picture.activeflows) == 10


async def test_nothing_that_goes_wrong_with_the_stream_ends_it() -> None:
    town = Town(DAY[:10])
    town.no_stream = [RuntimeError("a bug")]
    async with town.following().at_work() as follower:
        await picture_when(follower, lambda _: town.subscriptions > 2)
        assert not follower.live
