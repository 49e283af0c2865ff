"""The index tells the truth in the end, whatever comes in, in whatever order, and however often."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.index import LONGEST_HISTORY, Change, Index, ListPart
from bot.activeflows.model import Action, Activeflow, Reference, Status

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STEP = Action(UUID(int=9), "play")


def version(number: int, steps: int = 0, status: Status = Status.RUNNING, *, began: int | None = None) -> Activeflow:
    """Activeflow ``number`` after so many steps; an end is one change more. The number is also when it began."""
    created = NOON + (number if began is None else began) * SECOND
    changes = steps + (status is Status.ENDED)
    return Activeflow(
        id=UUID(int=number + 1),
        customer_id=None,
        flow_id=None,
        status=status,
        reference=Reference(),
        current=STEP,
        executed=(STEP,) * steps,
        created_at=created,
        updated_at=created + changes * SECOND if changes else None,
    )


LIVES = st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans(), st.integers(0, 4)), max_size=8)
"""Of each activeflow: its steps, whether it ended, whether it was deleted then, and the second it began in."""


def histories(lives: Iterable[tuple[int, bool, bool, int]]) -> list[list[Activeflow]]:
    """Every version of each, oldest first."""
    told = []
    for number, (steps, ended, deleted, began) in enumerate(lives):
        history = [version(number, step, began=began) for step in range(steps + 1)]
        if ended:
            history.append(version(number, steps, Status.ENDED, began=began))
            if deleted:
                history.append(replace(history[-1], deleted_at=NOON))
        told.append(history)
    return told


def truth(told: Iterable[list[Activeflow]]) -> dict[UUID, Activeflow]:
    return {history[-1].id: history[-1] for history in told if history[-1].running}


def listed(told: Iterable[list[Activeflow]]) -> ListPart:
    """VoIPBIN's whole list as it is at the end."""
    left = [history[-1] for history in told if history[-1].deleted_at is None]
    return ListPart(
        running=tuple(a for a in left if a.running),
        over=tuple(a.id for a in left if a.ended),
        since=NOON - timedelta(days=1),
        until=NOON + timedelta(days=1),
        over_lately=frozenset(a.id for a in left if a.ended),
    )


def held(index: Index) -> dict[UUID, Activeflow]:
    assert set(index.kinds()) == {activeflow.kind for activeflow in index.newest_first()}
    assert len(index.newest_first()) == len(index)
    return {activeflow.id: activeflow for activeflow in index.newest_first()}


@given(LIVES, st.randoms(use_true_random=False))
def test_events_doubled_and_in_any_order_are_the_truth(lives: list[tuple[int, bool, bool, int]], dice: object) -> None:
    told = histories(lives)
    events = [each for history in told for each in history] * 2
    dice.shuffle(events)  # type: ignore[attr-defined] # hypothesis' own Random
    index = Index()
    for event in events:
        index.take(event)
    assert held(index) == truth(told)


@given(LIVES, st.data())
def test_events_lost_doubled_and_unordered_and_one_repair_are_the_truth(
    lives: list[tuple[int, bool, bool, int]], data: st.DataObject
) -> None:
    told = histories(lives)
    everything = [each for history in told for each in history]
    index = Index()
    for event in data.draw(st.lists(st.sampled_from(everything), max_size=30)) if everything else []:
        index.take(event)
    index.settle(listed(told), index.mark())
    assert held(index) == truth(told)
    known = [each for history in told if history[-1].deleted_at is None for each in history]
    for late in data.draw(st.lists(st.sampled_from(known), max_size=30)) if known else []:
        index.take(late)  # of what the repair has read; what was deleted unseen comes back until the next one
    assert held(index) == truth(told)


@given(LIVES, st.lists(st.integers(-1, 6), max_size=4, unique=True))
def test_a_repair_in_parts_is_the_truth(lives: list[tuple[int, bool, bool, int]], borders: list[int]) -> None:
    told = histories(lives)
    index = Index()
    for history in told:
        index.take(history[0])
    whole = listed(told)
    cuts = [whole.since, *sorted(NOON + border * SECOND for border in borders), whole.until]
    began = {a.id: a.created_at or NOON for history in told for a in history}
    for since, until in pairwise(cuts):
        inside = {id_ for id_, at in began.items() if since <= at < until}
        part = ListPart(
            tuple(a for a in whole.running if a.id in inside), tuple(i for i in whole.over if i in inside), since, until
        )
        index.settle(part, index.mark())
    assert held(index) == truth(told)


def test_ended_is_final() -> None:
    index = Index()
    index.take(version(1, 2, Status.ENDED))
    assert not index.take(version(1, 5))
    assert not index.wants(version(1).id, NOON + timedelta(days=1), 9)
    assert len(index) == 0


def test_what_came_in_while_a_page_was_read_is_not_taken_for_gone() -> None:
    index = Index()
    index.take(version(1))
    mark = index.mark()
    index.take(version(2))
    gone = index.settle(ListPart((), (), NOON, NOON + timedelta(hours=1)), mark)
    assert gone == (version(1).id,)
    assert list(held(index)) == [version(2).id]


def test_a_page_that_is_older_than_an_event_changes_nothing() -> None:
    index = Index()
    mark = index.mark()
    index.take(version(1, 3))
    assert index.settle(ListPart((version(1, 1),), (), NOON, NOON + timedelta(hours=1)), mark) == ()
    assert index.get(version(1).id) == version(1, 3)


def test_nothing_is_gone_because_of_a_page_with_rows_that_could_not_be_read() -> None:
    index = Index()
    index.take(version(1))
    assert index.settle(ListPart((), (), NOON, NOON + timedelta(hours=1), whole=False), index.mark()) == ()


def test_the_list_is_newest_first() -> None:
    index = Index()
    for number in (3, 1, 2):
        index.take(version(number))
    assert [a.id.int for a in index.newest_first()] == [4, 3, 2]


def test_only_those_unheard_of_are_asked_for_again() -> None:
    index = Index()
    index.take(version(1))
    index.take(version(2))
    mark = index.mark()
    index.take(version(2, 1))
    assert index.unheard_since(mark) == [NOON + SECOND]


def test_what_is_over_leaves_no_more_than_a_bounded_trace() -> None:
    index = Index(overs_remembered=10)
    for number in range(1000):
        index.take(version(number))
        index.take(version(number, 1, Status.ENDED))
    assert (len(index), len(index._over), len(index._places), len(index._activeflows), len(index._kinds)) == (
        0,
        10,
        0,
        0,
        0,
    )


def test_a_history_longer_than_voipbin_allows_is_cut_and_still_ordered() -> None:
    index = Index()
    index.take(version(1, LONGEST_HISTORY + 50))
    assert len(index.newest_first()[0].executed) == LONGEST_HISTORY
    assert not index.take(version(1, LONGEST_HISTORY + 49))


def test_who_listens_hears_each_change_once_with_what_was_before_and_how_it_ended() -> None:
    index, heard = Index(), list[Change]()
    end = index.listen(heard.append)
    first, second, ended = version(0), version(0, 1), version(0, 1, Status.ENDED)
    for told in (first, first, second, first, ended, second, version(1)):
        index.take(told)
    index.take_away(version(1).id)
    assert [(change.before, change.after) for change in heard] == [
        (None, first),
        (first, second),
        (second, ended),
        (None, version(1)),
        (version(1), None),
    ]
    assert [change.over for change in heard] == [False, False, True, False, True]
    end()
    index.take(version(2))
    assert len(heard) == 5
