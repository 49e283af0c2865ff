"""The ledger of watches on real databases: one card each, one ending each, one who follows."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from bot.activeflows.watching.watch import (
    LEASE,
    MOST,
    MOST_HERE,
    EndingKind,
    Observation,
    TrailEntry,
    Watch,
    WatchEnding,
    WatchLimit,
)
from bot.ledger.database import Database
from bot.ledger.watch_store import WatchStore

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
KNOWN = Observation(
    (NOW, 3), "digits", TrailEntry(NOW, "waiting for keypad input"), 3, NOW, (TrailEntry(NOW, "playing"),), ("slow",)
)
ENDING = WatchEnding(EndingKind.STOPPED, NOW, "ended while playing", "U0ALICE")


@pytest.fixture
def book(database: Database) -> WatchStore:
    return WatchStore(database, "first")


def a_watch(activeflow_id: UUID | None = None, *, channel: str = "C0INC", since: datetime = NOW) -> Watch:
    until = since + timedelta(hours=24)
    id_ = activeflow_id or uuid4()
    return Watch(uuid4().hex, id_, uuid4(), "Support line", "call", NOW, channel, "U0ALICE", since, until)


async def opened(book: WatchStore, watch: Watch) -> Watch:
    assert await book.begin(watch, KNOWN) is None
    await book.posted(watch.id, "1.2")
    return replace(watch, message_ts="1.2")


async def test_a_watch_comes_back_as_it_was_written(book: WatchStore) -> None:
    watch = await opened(book, a_watch())
    assert await book.hold()
    later = replace(KNOWN, steps=4)
    assert await book.keep(watch.id, later)
    kept = await book.watch(watch.id)
    assert kept is not None
    assert (kept.watch, kept.known, kept.ending) == (watch, later, None)
    assert await book.watches() == await book.watches("C0INC") == (kept,)
    assert await book.watches("C0OTHER") == ()


async def test_of_many_who_ask_at_one_moment_one_gets_the_card(book: WatchStore) -> None:
    id_ = uuid4()
    asked = [a_watch(id_) for _ in range(8)]
    answers = await asyncio.gather(*(book.begin(watch, KNOWN) for watch in asked))
    won = [watch for watch, answer in zip(asked, answers, strict=True) if answer is None]
    assert len(won) == 1
    assert all(isinstance(answer, Watch) and answer.id == won[0].id for answer in answers if answer is not None)


async def test_there_are_so_many_and_no_more(book: WatchStore) -> None:
    for _ in range(MOST_HERE):
        await opened(book, a_watch())
    assert await book.begin(a_watch(), KNOWN) == WatchLimit(here=True)
    for number in range(MOST - MOST_HERE):
        await opened(book, a_watch(channel=f"C{number}"))
    assert await book.begin(a_watch(channel="C0LAST"), KNOWN) == WatchLimit(here=False)


async def test_a_place_whose_card_never_came_is_free_again(book: WatchStore) -> None:
    cut_off = a_watch()
    assert await book.begin(cut_off, KNOWN) is None
    assert await book.watches() == ()
    assert await book.begin(a_watch(cut_off.activeflow_id, since=NOW + timedelta(minutes=3)), KNOWN) is None
    await book.not_posted(cut_off.id)
    assert await book.watch(cut_off.id) is None


async def test_the_first_ending_stands(book: WatchStore) -> None:
    watch = await opened(book, a_watch())
    unwatched = WatchEnding(EndingKind.UNWATCHED, NOW, by="U0BOB")
    ends = await asyncio.gather(book.close(watch.id, ENDING), book.close(watch.id, unwatched))
    assert ends[0] == ends[1]
    assert ends[0] in {ENDING, unwatched}
    assert await book.hold()
    assert await book.over(watch.id, NOW)
    assert await book.close(watch.id, ENDING) is None
    assert not await book.over(watch.id, NOW)
    assert await book.watches() == ()
    assert await book.begin(a_watch(watch.activeflow_id), KNOWN) is None


async def test_one_that_is_ended_before_its_card_is_known_to_stand_is_still_told(book: WatchStore) -> None:
    watch = a_watch()
    assert await book.begin(watch, KNOWN) is None
    assert await book.close(watch.id, ENDING) == ENDING
    await book.posted(watch.id, "1.2")
    (kept,) = await book.watches()
    assert (kept.watch.message_ts, kept.ending) == ("1.2", ENDING)


async def test_what_is_over_is_forgotten_after_a_day(book: WatchStore) -> None:
    watch = await opened(book, a_watch())
    await book.close(watch.id, ENDING)
    assert await book.hold()
    await book.over(watch.id, NOW)
    await opened(book, a_watch())
    assert await book.forget(NOW) == 0
    assert await book.forget(NOW + timedelta(seconds=1)) == 1
    assert len(await book.watches()) == 1


async def test_of_two_replicas_one_follows_and_the_other_takes_over_when_it_is_gone(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    await database.prepare()
    first, second = WatchStore(database, "first"), WatchStore(database, "second")
    watch = await opened(first, a_watch())
    assert sorted(await asyncio.gather(first.hold(), second.hold())) == [False, True]
    holder, other = (first, second) if await first.hold() else (second, first)
    assert await holder.keep(watch.id, KNOWN)
    assert not await other.keep(watch.id, KNOWN)
    async with asyncio.timeout(30):
        await database.within(lambda connection: connection.execute(text("UPDATE leases SET lapses_at = 0")))
        assert await other.hold()  # it said nothing for too long
        assert not await holder.hold()
        assert not await holder.keep(watch.id, KNOWN)
        await other.close(watch.id, ENDING)
        assert not await holder.over(watch.id, NOW)
        await other.release()
        assert await holder.hold()
    await database.close()


async def test_a_lease_from_before_the_clock_was_set_back_lapses_no_later_than_any(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    await database.prepare()
    gone, other = WatchStore(database, "gone"), WatchStore(database, "other")
    assert await gone.hold()
    for moved in (3600, -LEASE - 1):  # an hour back, and a quarter of a minute passes
        moving = text("UPDATE leases SET lapses_at = lapses_at + :moved").bindparams(moved=moved)
        await database.within(partial(Connection.execute, statement=moving))
        assert await other.hold() is (moved < 0)
    await database.close()
