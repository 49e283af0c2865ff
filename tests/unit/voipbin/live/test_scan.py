"""The walk through the list loses nothing, doubles nothing, ends, and says how far it can be trusted."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import START_ID, Action, Activeflow, Picture, Reference, Status
from bot.voipbin.http.answer import FailureKind, RequestFailure, Unsuccessful
from bot.voipbin.live.scan import WalkBounds, walk
from bot.voipbin.wire.answers import Page

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def row(number: int, created_at: datetime | None, status: Status = Status.RUNNING) -> Activeflow:
    return Activeflow(
        id=UUID(int=number + 1000),
        customer_id=None,
        flow_id=None,
        status=status,
        reference=Reference(),
        current=Action(START_ID),
        created_at=created_at,
    )


class Listing:
    """The list as VoIPBIN keeps it: newest first, "created before" is strict, ties have no order of their own.

    ``cap``: so many rows at most are on a page, whatever was asked for.
    """

    def __init__(self, rows: list[Activeflow], cap: Callable[[], int] = lambda: 100) -> None:
        self.rows, self.cap = rows, cap
        self.asked: list[datetime] = []
        self.before_each: Callable[[int], Awaitable[None] | None] = lambda _: None

    async def read(self, before: datetime, size: int) -> Page[Activeflow]:
        waiting = self.before_each(len(self.asked))
        if waiting is not None:
            await waiting
        self.asked.append(before)
        older = [r for r in self.rows if r.created_at is not None and r.created_at < before]
        older.sort(key=lambda r: (r.created_at, hash((r.id, len(self.asked)))), reverse=True)
        page = older[: min(size, self.cap())]
        return Page(tuple(page), len(page), page[-1].created_at if page else None, bool(page))


def certainly_whole(picture: Picture, rows: list[Activeflow]) -> None:
    since = picture.complete_since
    seen = [r.id for r in picture.activeflows]
    assert len(seen) == len(set(seen))
    missing = [r for r in rows if r.id not in set(seen)]
    assert not [r for r in missing if since is None or (r.created_at is not None and r.created_at >= since)]


# Microseconds before NOW, close together, so that many fall on the same one and on the border of a page.
AGES = st.lists(st.integers(0, 40), max_size=60)


@given(ages=AGES, page_size=st.integers(1, 100), ended=st.sets(st.integers(0, 59)))
async def test_nothing_is_lost_and_nothing_doubled_at_any_page_size(
    ages: list[int], page_size: int, ended: set[int]
) -> None:
    rows = [
        row(number, NOW - age * TICK, Status.ENDED if number in ended else Status.RUNNING)
        for number, age in enumerate(ages)
    ]
    listing = Listing(rows)
    picture = await walk(listing.read, now=lambda: NOW, bounds=WalkBounds(page_size=page_size, max_pages=10_000))
    certainly_whole(picture, rows)
    assert len(listing.asked) <= 2 * len(rows) + 2
    assert listing.asked == sorted(set(listing.asked), reverse=True)
    most_of_one_microsecond = max((ages.count(age) for age in ages), default=0)
    if most_of_one_microsecond < page_size and (len(set(ages)) != 1 or len(ages) == 1):  # else a cap may hide others
        assert picture.complete_since is None
        assert picture.stopped_because == ""
        assert {r.id for r in picture.activeflows} == {r.id for r in rows}


@given(ages=AGES, page_size=st.integers(2, 100), cap=st.integers(1, 60))
async def test_pages_shorter_than_asked_for_lose_nothing(ages: list[int], page_size: int, cap: int) -> None:
    rows = [row(number, NOW - age * TICK) for number, age in enumerate(ages)]
    listing = Listing(rows, lambda: cap)
    picture = await walk(listing.read, now=lambda: NOW, bounds=WalkBounds(page_size=page_size, max_pages=10_000))
    most_of_one_microsecond = max((ages.count(age) for age in ages), default=0)
    if cap > 1:
        certainly_whole(picture, rows)
    if most_of_one_microsecond < min(cap, page_size) and (len(set(ages)) != 1 or len(ages) == 1):
        assert picture.complete_since is None
        assert {r.id for r in picture.activeflows} == {r.id for r in rows}
    assert listing.asked == sorted(set(listing.asked), reverse=True)


@given(ages=st.sets(st.integers(0, 1000), max_size=60), caps=st.lists(st.integers(0, 9), min_size=1, max_size=9))
async def test_pages_of_any_length_lose_nothing(ages: set[int], caps: list[int]) -> None:
    rows = [row(number, NOW - age * TICK) for number, age in enumerate(ages)]
    listing = Listing(rows)

    async def read(before: datetime, size: int) -> Page[Activeflow]:
        page = await listing.read(before, size)
        newest = page.rows[0].created_at + TICK if page.rows and page.rows[0].created_at else before
        empty = newest < before  # an empty page leads on to what comes next, and skips nothing
        kept = page.rows[: max(caps[len(listing.asked) % len(caps)], 0 if empty else 1)]
        leads = kept[-1].created_at if kept else newest if page.rows else None
        return Page(kept, len(kept), leads, bool(page.rows))

    picture = await walk(read, now=lambda: NOW + TICK, bounds=WalkBounds(max_pages=10_000))
    assert {r.id for r in picture.activeflows} == {r.id for r in rows} or any(cap < 2 for cap in caps)
    certainly_whole(picture, rows)


async def test_a_short_page_is_not_the_end_and_the_end_costs_two_pages_at_most() -> None:
    rows = [row(number, NOW - timedelta(seconds=number)) for number in range(180)]
    capped, whole = Listing(rows, lambda: 50), Listing(rows)
    for listing, pages in ((capped, 4 + 2), (whole, 2 + 2)):
        picture = await walk(listing.read, now=lambda: NOW, bounds=WalkBounds())
        assert (len(picture.activeflows), picture.complete_since) == (180, None)
        assert len(listing.asked) == pages


@given(ages=AGES, page_size=st.integers(1, 100), max_pages=st.integers(1, 8), hours=st.floats(0.01, 3))
async def test_a_walk_that_stops_early_says_so_and_is_whole_up_to_there(
    ages: list[int], page_size: int, max_pages: int, hours: float
) -> None:
    step = timedelta(hours=hours)
    rows = [row(number, NOW - age * step) for number, age in enumerate(ages)]
    listing = Listing(rows)
    picture = await walk(listing.read, now=lambda: NOW, bounds=WalkBounds(page_size=page_size, max_pages=max_pages))
    certainly_whole(picture, rows)
    if picture.complete_since is not None:
        assert picture.stopped_because in {"pages", "ties"}
        assert picture.stopped_because == "ties" or len(listing.asked) >= max_pages
    if picture.stopped_because == "pages" and max(map(ages.count, ages)) < page_size:
        assert picture.complete_since is not None
        assert picture.complete_since <= NOW - timedelta(hours=1)


@given(ages=AGES, page_size=st.integers(2, 20), newcomers=st.lists(st.integers(0, 5), max_size=10))
async def test_rows_that_arrive_during_the_walk_disturb_nothing(
    ages: list[int], page_size: int, newcomers: list[int]
) -> None:
    rows = [row(number, NOW - age * TICK) for number, age in enumerate(ages)]
    listing = Listing(list(rows))

    def arrive(page: int) -> None:
        for _ in range(newcomers[page] if page < len(newcomers) else 0):
            listing.rows.append(row(len(listing.rows), NOW + timedelta(seconds=page)))

    listing.before_each = arrive
    picture = await walk(listing.read, now=lambda: NOW, bounds=WalkBounds(page_size=page_size, max_pages=10_000))
    certainly_whole(picture, rows)


async def test_more_rows_of_one_microsecond_than_a_page_holds_end_the_certainty_not_the_walk() -> None:
    crowd = [row(number, NOW) for number in range(7)]
    old = [row(100 + number, NOW - timedelta(hours=number + 2)) for number in range(3)]
    picture = await walk(Listing(crowd + old).read, now=lambda: NOW, bounds=WalkBounds(page_size=5))
    assert picture.stopped_because == "ties"
    assert picture.complete_since == NOW + TICK
    assert {r.id for r in old} <= {r.id for r in picture.activeflows}


async def test_the_last_hour_is_read_beyond_the_number_of_pages() -> None:
    rows = [row(number, NOW - timedelta(minutes=number)) for number in range(180)]
    listing = Listing(rows)
    picture = await walk(listing.read, now=lambda: NOW, bounds=WalkBounds(page_size=5, max_pages=3))
    assert picture.stopped_because == "pages"
    assert picture.complete_since is not None
    assert timedelta(hours=1) <= NOW - picture.complete_since < timedelta(hours=1, minutes=10)


async def test_an_empty_list_is_complete() -> None:
    picture = await walk(Listing([]).read, now=lambda: NOW, bounds=WalkBounds())
    assert picture == Picture((), NOW, None)


async def test_a_row_stamped_by_a_clock_ahead_of_ours_is_seen() -> None:
    picture = await walk(Listing([row(1, NOW + timedelta(minutes=20))]).read, now=lambda: NOW, bounds=WalkBounds())
    assert len(picture.activeflows) == 1


async def test_of_a_row_read_twice_the_later_version_counts() -> None:
    rows = [row(number, NOW - number * TICK) for number in range(4)]
    listing = Listing(rows)

    def end_the_second(page: int) -> None:
        if page == 1:
            listing.rows[1] = replace(listing.rows[1], status=Status.ENDED)

    listing.before_each = end_the_second
    picture = await walk(listing.read, now=lambda: NOW, bounds=WalkBounds(page_size=2))
    assert [r.status for r in picture.activeflows] == [Status.RUNNING, Status.ENDED, Status.RUNNING, Status.RUNNING]


@pytest.mark.parametrize(
    ("kind", "because"),
    [(FailureKind.THROTTLED, "busy"), (FailureKind.UNAVAILABLE, "failed"), (FailureKind.LOST, "failed")],
)
async def test_a_failure_in_the_middle_leaves_what_was_read(kind: FailureKind, because: str) -> None:
    rows = [row(number, NOW - timedelta(minutes=number)) for number in range(9)]
    listing = Listing(rows)

    def fail(page: int) -> None:
        if page == 2:
            raise Unsuccessful(RequestFailure(kind, "no"))

    listing.before_each = fail
    picture = await walk(listing.read, now=lambda: NOW, bounds=WalkBounds(page_size=3))
    assert picture.stopped_because == because
    certainly_whole(picture, rows)
    assert len(picture.activeflows) == 5  # three, and two more beside the one read twice


async def test_a_failure_at_the_first_page_is_an_error() -> None:
    listing = Listing([])

    def fail(_: int) -> None:
        raise Unsuccessful(RequestFailure(FailureKind.LOST, "no"))

    listing.before_each = fail
    with pytest.raises(Unsuccessful):
        await walk(listing.read, now=lambda: NOW, bounds=WalkBounds())


async def test_a_page_that_never_comes_ends_the_walk_at_its_time() -> None:
    rows = [row(number, NOW - timedelta(minutes=number)) for number in range(9)]
    listing = Listing(rows)
    listing.before_each = lambda page: asyncio.Event().wait() if page else None  # type: ignore[assignment, return-value]  # the value waited for is not used
    picture = await walk(listing.read, now=lambda: NOW, bounds=WalkBounds(page_size=3, seconds=0.01))
    assert picture.stopped_because == "time"
    certainly_whole(picture, rows)
    assert len(picture.activeflows) == 3


async def test_unreadable_rows_are_counted_and_the_cursor_of_voipbin_leads_past_them() -> None:
    rows = [row(number, NOW - timedelta(minutes=number)) for number in range(6)]
    listing = Listing(rows)

    async def half_readable(before: datetime, size: int) -> Page[Activeflow]:
        page = await listing.read(before, size)
        return Page(page.rows[:1], page.size, page.last, page.more)

    picture = await walk(half_readable, now=lambda: NOW, bounds=WalkBounds(page_size=3))
    assert picture.unreadable > 0
    assert picture.complete_since is None
    assert rows[0].id in {r.id for r in picture.activeflows}


async def test_a_full_page_of_which_nothing_is_readable_ends_the_walk_without_a_promise() -> None:
    async def nothing(_: datetime, size: int) -> Page[Activeflow]:
        return Page((), size, None, more=True)

    picture = await walk(nothing, now=lambda: NOW, bounds=WalkBounds(page_size=3))
    assert (picture.stopped_because, picture.unreadable) == ("failed", 3)
    assert picture.complete_since is not None
    assert picture.complete_since >= NOW


@given(st.lists(st.tuples(st.integers(-50, 50) | st.none(), st.integers(-50, 50) | st.none()), min_size=1, max_size=5))
async def test_whatever_times_a_page_claims_the_walk_ends(claims: list[tuple[int | None, int | None]]) -> None:
    asked: list[datetime] = []

    async def liar(before: datetime, size: int) -> Page[Activeflow]:
        asked.append(before)
        created, cursor = claims[len(asked) % len(claims)]
        rows = (row(len(asked), None if created is None else NOW + timedelta(hours=created)),)
        return Page(rows, size, None if cursor is None else NOW + timedelta(hours=cursor), more=True)

    await walk(liar, now=lambda: NOW, bounds=WalkBounds(page_size=2, seconds=0.003))
    assert asked == sorted(set(asked), reverse=True)
