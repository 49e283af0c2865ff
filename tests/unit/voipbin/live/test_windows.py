"""Reading in several places at once loses nothing, ends, and asks for little more than reading in one."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.activeflows.index import BEGINNING, Coverage, Span
from bot.activeflows.model import START_ID, Action, Activeflow, Reference, Status
from bot.voipbin.http.answer import FailureKind, RequestFailure, Unsuccessful
from bot.voipbin.live.scan import Windows
from bot.voipbin.wire.pages import RunningPage

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


class Listing:
    """VoIPBIN's list: newest first, "created before" is strict, ties in no order; every odd row has ended."""

    def __init__(self, times: Iterable[datetime], *, seed: int = 0, cap: int = 1000) -> None:
        self.cap = cap
        self.rows = [(at, UUID(int=number + 1)) for number, at in enumerate(times)]
        self.dice = random.Random(seed)  # noqa: S311 — shuffles, guards nothing
        self.asked = 0
        self.at_once = self.most_at_once = 0
        self.newcomers: list[datetime] = []
        self.fails_at: int | None = None
        self.seen: set[UUID] = set()
        self.coverage = Coverage()

    async def read(self, before: datetime, size: int) -> RunningPage:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if self.asked == self.fails_at:
            raise Unsuccessful(RequestFailure(FailureKind.UNAVAILABLE, "gone"))
        for _ in range(self.dice.randrange(4)):
            await asyncio.sleep(0)
        if self.newcomers:
            self.rows.append((self.newcomers.pop(), UUID(int=10_000 + self.asked)))
        self.at_once -= 1
        older = [row for row in self.rows if row[0] < before]
        older.sort(key=lambda row: (row[0], self.dice.random()), reverse=True)
        page = older[: min(size, self.cap)]
        return RunningPage(
            running=tuple(_activeflow(at, id_) for at, id_ in page if id_.int % 2 == 0),
            over=tuple((id_, at) for at, id_ in page if id_.int % 2),
            size=len(page),
            last=page[-1][0] if page else None,
            unreadable=0,
            more=bool(page),
        )

    def took(self, page: RunningPage, span: Span, mark: int) -> None:
        assert mark == 7
        self.seen |= {row.id for row in page.running} | {id_ for id_, _ in page.over}
        self.coverage.add(*span)

    def windows(self, page_size: int, readers: int = 14, *, spare: bool = True) -> Windows:
        return Windows(self.read, self.took, mark=lambda: 7, spare=lambda: spare, page_size=page_size, readers=readers)


def _activeflow(at: datetime, id_: UUID) -> Activeflow:
    return Activeflow(id_, None, None, Status.RUNNING, Reference(), Action(START_ID), created_at=at)


FELT = st.builds(lambda hours, ticks: 30 + hours * 3_600_000_000 + ticks, st.integers(1, 16), st.integers(-1, 1))
"""Ages of what stands where the beginning of the list is felt for."""


@settings(max_examples=150)
@given(
    ages=st.lists(st.integers(0, 60) | st.integers(0, 10**9) | st.integers(0, 10**12) | FELT, max_size=80),
    page_size=st.integers(2, 30),
    readers=st.integers(1, 14),
    newcomers=st.lists(st.integers(1, 1000), max_size=5),
    seed=st.integers(0, 99),
    cap=st.integers(2, 40),
)
async def test_what_was_there_is_read_whatever_the_page_its_cap_the_ties_and_the_newcomers(
    ages: list[int], page_size: int, readers: int, newcomers: list[int], seed: int, cap: int
) -> None:
    listing = Listing([NOW - age * TICK for age in ages], seed=seed, cap=cap)
    listing.newcomers = [NOW + later * TICK for later in newcomers]
    old = {id_: at for at, id_ in listing.rows}
    await listing.windows(page_size, readers).read(
        [Span(NOW - 30 * TICK, NOW + HOUR), Span(BEGINNING, NOW - 30 * TICK)]
    )
    unread = {at for hole in listing.coverage.holes(BEGINNING, NOW + HOUR) for at in ticks(hole)}
    crowded = Counter(at for at, _ in listing.rows)
    assert all(crowded[at] > 1 for at in unread)  # as many as there were on any page until then
    assert all(old[id_] in unread for id_ in old if id_ not in listing.seen)


def ticks(hole: Span) -> list[datetime]:
    return [hole.since + number * TICK for number in range((hole.until - hole.since) // TICK)]


@settings(max_examples=100)
@given(st.lists(st.integers(0, 500), max_size=60), st.lists(st.integers(0, 500), max_size=20), st.integers(2, 20))
async def test_every_moment_that_is_to_be_confirmed_is_read(ages: list[int], moments: list[int], size: int) -> None:
    listing = Listing([NOW - age * TICK for age in ages])
    asked = sorted({NOW - moment * TICK for moment in moments}, reverse=True)
    await listing.windows(size).confirm(asked)
    counted = Counter(at for at, _ in listing.rows)
    crowded = {at for at, count in counted.items() if count >= size or (count > 1 and at == min(counted))}
    assert not [at for at in asked if listing.coverage.holes(at, at + TICK) and at not in crowded]
    assert listing.asked <= len(asked)


async def test_many_read_at_once_and_ask_for_little_more() -> None:
    listing = Listing([NOW - number * timedelta(minutes=3) for number in range(5000)])
    await listing.windows(100).read([Span(BEGINNING, NOW + HOUR)])
    assert len(listing.seen) == 5000
    assert listing.coverage.complete_since(NOW) is None
    assert listing.most_at_once >= 10
    assert listing.asked <= 50 * 1.5 + 14  # each reader may come to where the list ends, and make sure of it


async def test_without_a_free_turn_one_reads_and_one_feels_for_the_beginning() -> None:
    listing = Listing([NOW - number * timedelta(minutes=3) for number in range(1000)])
    await listing.windows(100, spare=False).read([Span(BEGINNING, NOW + HOUR)])
    assert listing.most_at_once == 2
    assert listing.asked <= 11 + 10 + 2
    await listing.windows(100, spare=False).read([Span(NOW - 24 * HOUR, NOW + HOUR)])
    assert listing.most_at_once == 2


async def test_a_page_that_cannot_be_read_ends_it_and_keeps_what_was_read() -> None:
    listing = Listing([NOW - number * timedelta(minutes=3) for number in range(5000)])
    listing.fails_at = 20
    with pytest.raises(Unsuccessful):
        await listing.windows(100).read([Span(BEGINNING, NOW + HOUR)])
    assert listing.seen
    assert listing.coverage.complete_since(NOW) is not None


@pytest.mark.parametrize("days", [0.02, 0.1, 1, 7, 400])
async def test_where_the_list_begins_is_felt_with_few_pages(days: float) -> None:
    listing = Listing([NOW - number * timedelta(days=days) / 3000 for number in range(3000)])
    await listing.windows(100)._feel(NOW)
    share = listing.coverage.share(NOW)
    assert share is not None
    beginning = listing.coverage.holes(BEGINNING, NOW)[-1].since
    assert NOW - timedelta(days=days) * 1.2 - HOUR <= beginning
    assert listing.asked <= 18
