"""Turning pages shows what runs once, whatever begins and ends meanwhile."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import START_ID, Action, Activeflow, Reference, Status
from bot.activeflows.queries.listing import PAGE, at, in_order, numbered, placed

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def running(number: int, began: int | None) -> Activeflow:
    created = None if began is None else NOON + timedelta(seconds=began)
    return Activeflow(
        UUID(int=number + 1), None, None, Status.RUNNING, Reference(), Action(START_ID), created_at=created
    )


BEGAN = st.lists(st.none() | st.integers(0, 40), max_size=45)
MEANWHILE = st.lists(st.tuples(st.sets(st.integers(0, 44), max_size=6), st.integers(0, 5)), min_size=6, max_size=6)


@given(BEGAN, MEANWHILE)
def test_forward_nothing_is_skipped_and_nothing_comes_twice(
    began: list[int | None], meanwhile: list[tuple[set[int], int]]
) -> None:
    found = in_order([running(number, second) for number, second in enumerate(began)])
    at_first, seen, number = list(found), list[Activeflow](), 1000
    first, page = 0, found[:PAGE]
    for ended, new in meanwhile:
        seen += page
        if not page or first + len(page) >= len(found):
            break
        place = at("after", page[-1])
        found = [a for a in found if a.id.int - 1 not in ended]
        found = in_order([*found, *(running(number := number + 1, 100) for _ in range(new))])
        first = placed(found, place)
        page = [a for a in found[first : first + PAGE] if a not in seen or first + PAGE < len(found)]
    assert len(seen) == len(set(map(id, seen)))
    assert {a.id for a in at_first} & {a.id for a in found} <= {a.id for a in seen}


@given(BEGAN, st.integers(0, 44))
def test_the_same_place_is_the_same_page_and_back_is_what_was_before_it(began: list[int | None], first: int) -> None:
    found = in_order([running(number, second) for number, second in enumerate(began)])
    if first >= len(found):
        return
    assert placed(found, at("from", found[first])) == first
    assert placed(found, at("before", found[first])) == max(first - PAGE, 0)
    assert placed(found, at("after", found[first])) == (
        first + 1 if first + 1 < len(found) else max(first + 1 - PAGE, 0)
    )
    without = [a for a in found if a is not found[first]]
    assert placed(without, at("from", found[first])) == placed(without, at("after", found[first]))


@given(st.integers(0, 100), st.integers(-5, 20))
def test_a_numbered_page_is_never_beyond_the_end(length: int, page: int) -> None:
    first = numbered(length, page)
    assert first % PAGE == 0
    assert 0 <= first < max(length, 1)
