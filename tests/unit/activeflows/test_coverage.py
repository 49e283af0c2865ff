"""What was read is known exactly: against a set of seconds."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.index import BEGINNING, Coverage, Span

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
END = 40
SPANS = st.lists(st.tuples(st.integers(0, END), st.integers(0, END)), max_size=12)


def at(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def covered(spans: list[tuple[int, int]]) -> Coverage:
    coverage = Coverage()
    for since, until in spans:
        coverage.add(at(since), at(until))
    return coverage


@given(SPANS)
def test_holes_are_exactly_what_was_not_read(spans: list[tuple[int, int]]) -> None:
    read = {second for since, until in spans for second in range(since, until)}
    holes = covered(spans).holes(at(0), at(END))
    missing = [second for hole in holes for second in range(END) if hole.since <= at(second) < hole.until]
    assert sorted(missing) == sorted(set(range(END)) - read)
    assert holes == sorted(holes, reverse=True)
    assert all(newer.since > older.until for newer, older in pairwise(holes))


@given(SPANS)
def test_complete_since_is_the_end_of_the_newest_hole(spans: list[tuple[int, int]]) -> None:
    read = {second for since, until in spans for second in range(since, until)}
    unread = [second for second in range(END) if second not in read]
    assert covered(spans).complete_since(at(END)) == at(unread[-1] + 1 if unread else min(read))


def test_a_past_without_a_known_beginning_has_no_share() -> None:
    coverage = covered([(30, 40)])
    assert coverage.share(at(40)) is None
    coverage.add(BEGINNING, at(0))
    assert coverage.share(at(40)) == 0.25
    assert coverage.complete_since(at(40)) == at(30)
    coverage.add(at(0), at(30))
    assert coverage.share(at(40)) == 1.0
    assert coverage.complete_since(at(40)) is None
    assert coverage.holes(BEGINNING, at(41)) == [Span(at(40), at(41))]
