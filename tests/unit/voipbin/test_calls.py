"""The look through the calls loses none of the last hour, says how far it went, and keeps no number."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.callers import CallsLooked
from bot.activeflows.model import Call, Party
from bot.activeflows.numbers import Number
from bot.voipbin.http.answer import FailureKind, RequestFailure, Unsuccessful
from bot.voipbin.http.budget import Urgency
from bot.voipbin.lists import calls_with
from bot.voipbin.live.scan import WalkBounds
from bot.voipbin.wire import answers
from bot.voipbin.wire.answers import Page, Unreadable

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)
SOUGHT = Number("491712345678", international=True)


def call(
    number: int, ago: timedelta, source: str = "+4930111222", destination: str = "+4989555010", **more: UUID
) -> Call:
    return Call(
        id=UUID(int=1000 + number),
        activeflow_id=more.get("activeflow_id", UUID(int=2000 + number)),
        status="progressing",
        direction="incoming",
        source=Party("tel", source),
        destination=Party("tel", destination),
        created_at=NOW - ago,
        master_id=more.get("master_id"),
    )


class Listing:
    """The list as VoIPBIN keeps it; ``breaks_at``: the number of the page that is refused, and why."""

    def __init__(self, calls: list[Call], breaks_at: int = -1, kind: FailureKind = FailureKind.THROTTLED) -> None:
        self.calls, self.breaks_at, self.kind = calls, breaks_at, kind
        self.asked: list[Urgency] = []

    async def read(self, before: datetime, size: int, urgency: Urgency) -> Page[Call]:
        if len(self.asked) == self.breaks_at:
            raise Unsuccessful(RequestFailure(self.kind, "refused", "r-1"))
        self.asked.append(urgency)
        older = [c for c in self.calls if c.created_at is not None and c.created_at < before]
        older.sort(key=lambda c: (c.created_at, c.id), reverse=True)
        page = older[:size]
        return Page(tuple(page), len(page), page[-1].created_at if page else None, bool(page))


async def looked(listing: Listing, *, page_size: int = 100) -> CallsLooked:
    return await calls_with(
        listing.read, [SOUGHT], now=lambda: NOW, bounds=WalkBounds(page_size=page_size, max_pages=1)
    )


@given(
    ages=st.lists(st.integers(0, 6000), max_size=80),
    theirs=st.sets(st.integers(0, 79)),
    page_size=st.integers(2, 30),
)
async def test_every_call_of_the_last_hour_with_the_number_is_found_once(
    ages: list[int], theirs: set[int], page_size: int
) -> None:
    spread = [timedelta(seconds=age, microseconds=number) for number, age in enumerate(ages)]
    calls = [call(n, age, "0171 2345678" if n in theirs else "+4917112345678") for n, age in enumerate(spread)]
    seen = await looked(Listing(calls), page_size=page_size)
    found = [each.id for each in seen.found]
    assert len(found) == len(set(found))
    sought = {c.id for n, c in enumerate(calls) if n in theirs}
    living = {c.id for n, c in enumerate(calls) if n in theirs and ages[n] <= 3600}
    assert living <= set(found) <= sought
    began = [each.began for each in seen.found if each.began is not None]
    assert began == sorted(began, reverse=True)
    if seen.complete_since is not None:
        assert seen.complete_since <= NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("source", "destination", "end", "masked"),
    [
        ("+491712345678", "+4989555010", "from", "+4917••••••78"),
        ("+4930111222", "01712345678", "to", "01712••••78"),
        ("sip:+491712345678@sbc.example", "+4989555010", "from", "a hidden address"),
    ],
)
async def test_either_end_may_have_it_and_only_masked_ends_go_further(
    source: str, destination: str, end: str, masked: str
) -> None:
    seen = await looked(Listing([call(1, timedelta(minutes=1), source, destination)]))
    assert [(each.end, each.masked.replace("•", "")) for each in seen.found] == [(end, masked.replace("•", ""))]
    assert "12345678" not in repr(seen)
    assert "345" not in repr(seen)


async def test_a_leg_is_its_owners_up_the_chain_and_round_a_circle() -> None:
    first = call(1, timedelta(minutes=3))
    second = call(2, timedelta(minutes=2), master_id=first.id)
    third = call(3, timedelta(minutes=1), "+491712345678", master_id=second.id)
    (found,) = (await looked(Listing([first, second, third]))).found
    assert (found.leg, found.owner_id, found.activeflow_id) == (True, first.id, first.activeflow_id)
    one, other = UUID(int=1001), UUID(int=1002)
    circle = [call(1, timedelta(0), "+491712345678", master_id=other), call(2, timedelta(0), master_id=one)]
    assert len((await looked(Listing(circle))).found) == 1


async def test_the_owner_that_was_not_looked_at_is_left_to_others_to_look_up() -> None:
    (found,) = (await looked(Listing([call(1, timedelta(0), "+491712345678", master_id=UUID(int=7))]))).found
    assert (found.leg, found.owner_id, found.activeflow_id) == (True, UUID(int=7), None)


async def test_the_first_pages_fill_a_screen_and_a_long_look_gives_way() -> None:
    listing = Listing([call(n, timedelta(seconds=n)) for n in range(90)])
    await looked(listing, page_size=10)
    assert listing.asked[:5] == [Urgency.SCREEN] * 5
    assert set(listing.asked[5:]) == {Urgency.SCAN}


@pytest.mark.parametrize(("kind", "because"), [(FailureKind.THROTTLED, "busy"), (FailureKind.LOST, "failed")])
async def test_a_look_that_is_cut_short_says_how_far_it_went_and_why(kind: FailureKind, because: str) -> None:
    listing = Listing([call(n, timedelta(seconds=n)) for n in range(50)], breaks_at=2, kind=kind)
    seen = await looked(listing, page_size=10)
    assert (seen.number, seen.stopped_because) == (19, because)
    assert seen.complete_since is not None
    assert seen.complete_since > NOW - timedelta(minutes=1)


async def test_a_first_page_that_is_refused_is_an_error() -> None:
    with pytest.raises(Unsuccessful):
        await looked(Listing([], breaks_at=0))


def test_a_strange_call_costs_only_itself_and_a_strange_list_is_unreadable() -> None:
    good = '{"id":"00000000-0000-0000-0000-000000000009","source":{"type":"tel","target":"+1"},"tm_create":"2026-08-20T10:00:00Z"}'
    page = answers.calls(f'{{"result":[{good},{{"id":7}},5],"next_page_token":"2026-08-20T09:00:00.000000Z"}}'.encode())
    assert ([row.id.int for row in page.rows], page.size, page.unreadable) == ([9], 3, 2)
    for body in (b"{}", b"[]", b"", b'{"result":null}'):
        with pytest.raises(Unreadable):
            answers.calls(body)
