"""Which activeflows a filter takes, and what it looks like typed."""

import shlex
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.activeflows.anomalies import Reason
from bot.activeflows.model import START_ID, Action, Activeflow, Reference, Status, from_typed
from bot.activeflows.queries.filters import DOING, WRONG, Filters
from bot.activeflows.situation.current_step import situation

NOW = datetime(2026, 8, 20, 8, 0, tzinfo=UTC)
FLOW = UUID("e1a4c7d2-55b3-4d7e-8f19-2b6c0d9e4a11")
WAITING = Activeflow(
    id=UUID(int=1),
    customer_id=None,
    flow_id=FLOW,
    status=Status.RUNNING,
    reference=Reference("call", UUID(int=2)),
    current=Action(UUID(int=103), "play"),
    executed=(Action(START_ID), Action(UUID(int=101), "queue_join"), Action(UUID(int=102), "fetch_flow")),
    created_at=NOW - timedelta(minutes=10),
)


def takes(filters: Filters, activeflow: Activeflow = WAITING, flow_name: str | None = "Support line") -> bool:
    return filters.matches(activeflow, situation(activeflow), flow_name, NOW)


@pytest.mark.parametrize(
    ("filters", "taken"),
    [
        (Filters(), True),
        (Filters(status="ended"), False),
        (Filters(status="any"), True),
        (Filters(type="call"), True),
        (Filters(type="Call"), True),
        (Filters(type="conversation"), False),
        (Filters(type="none"), False),
        (Filters(action="play"), True),
        (Filters(action="queue_join"), True),
        (Filters(action="queue.waiting"), True),
        (Filters(action="queue.agent"), False),
        (Filters(action="talk"), False),
        (Filters(flow="Support line"), True),
        (Filters(flow="support  LINE"), True),
        (Filters(flow="Support"), False),
        (Filters(flow=str(FLOW)), True),
        (Filters(flow="e1a4c7d2"), True),
        (Filters(flow="E1A4C7D2-55b3"), True),
        (Filters(flow="e1a4"), False),
        (Filters(flow=""), False),
        (Filters(older=timedelta(minutes=10)), True),
        (Filters(older=timedelta(minutes=11)), False),
        (Filters(newer=timedelta(minutes=10)), True),
        (Filters(newer=timedelta(minutes=9)), False),
        (Filters(type="call", action="queue_join", older=timedelta(minutes=5), flow="Support line"), True),
    ],
)
def test_a_filter_takes_what_it_says(filters: Filters, taken: bool) -> None:
    assert takes(filters) is taken


def test_a_status_that_cannot_be_read_counts_as_running() -> None:
    unreadable = replace(WAITING, status=Status.UNKNOWN)
    assert takes(Filters(), unreadable)
    assert not takes(Filters(status="ended"), unreadable)


def test_an_ended_one_is_taken_only_when_asked_for() -> None:
    ended = replace(WAITING, status=Status.ENDED)
    assert [takes(Filters(status=status), ended) for status in ("running", "ended", "any")] == [False, True, True]


def test_an_unknown_age_is_neither_older_nor_newer() -> None:
    ageless = replace(WAITING, created_at=None)
    assert not takes(Filters(older=timedelta(0)), ageless)
    assert not takes(Filters(newer=timedelta(days=9999)), ageless)
    assert takes(Filters(), ageless)


def test_a_flow_whose_name_is_not_known_is_found_by_its_id_only() -> None:
    assert not takes(Filters(flow="Support line"), flow_name=None)
    assert takes(Filters(flow="e1a4c7d2"), flow_name=None)


def test_no_flow_is_never_taken_for_one() -> None:
    assert not takes(Filters(flow="00000000"), replace(WAITING, flow_id=None), None)


def test_one_without_a_reference_has_the_type_none() -> None:
    assert takes(Filters(type="none"), replace(WAITING, reference=Reference()))


def test_it_reads_as_one_would_type_it() -> None:
    filters = Filters(flow="Support line", type="call", older=timedelta(minutes=10), newer=timedelta(hours=2))
    assert filters.words() == 'flow:"Support line" type:call older:10m newer:2h'
    assert Filters().words() == ""
    assert Filters(status="any").words() == "status:any"
    assert Filters(flow=r'a "b" \c').words() == r'flow:"a \"b\" \\c"'


SECONDS = st.integers(0, 10**7).map(lambda n: timedelta(seconds=n))
ALL = st.builds(
    Filters,
    flow=st.none() | st.text(),
    type=st.none() | st.text(),
    action=st.none() | st.text(),
    status=st.sampled_from(["running", "ended", "any"]),
    older=st.none() | SECONDS,
    newer=st.none() | SECONDS,
)


def _parsed(words: str) -> Filters:
    """An independent reader: shell-like words, split at the first colon."""
    found = dict(token.partition(":")[::2] for token in shlex.split(words))
    ages = {key: from_typed(found.pop(key)) for key in ("older", "newer") if key in found}
    return replace(Filters(), **found, **ages)  # type: ignore[arg-type]  # the keys are checked by replace itself


@given(ALL)
@example(Filters(flow="two\\\\backslashes", action='a"quote', type=""))
def test_the_words_say_the_filter_completely(filters: Filters) -> None:
    assert _parsed(filters.words()) == filters


AGES = st.none() | st.integers(-(10**6), 10**7).map(lambda seconds: NOW - timedelta(seconds=seconds))


@given(ALL, st.lists(AGES), st.sampled_from(Status))
def test_many_at_once_are_taken_as_one_by_one(filters: Filters, began: list[datetime | None], status: Status) -> None:
    some = [replace(WAITING, created_at=at, status=status) for at in began]
    by_itself = replace(filters, flow=None, action=None)
    assert filters.among(some, NOW) == [each for each in some if takes(by_itself, each)]
    for age in (filters.older, filters.newer):
        for each in filters.among(some, NOW) if age is not None else ():
            lived = each.age(NOW)
            assert lived is not None
            assert filters.older is None or lived >= filters.older
            assert filters.newer is None or lived <= filters.newer


_WORDS = st.sampled_from(
    ("play", "PLAY", "queue.waiting", "waiting in a queue", "queue_join", "talk", "Talking", "ai.talk", "")
)
_STEPS = st.sampled_from(("play", "queue_join", "talk", "ai_talk", "connect", "sleep", ""))


@given(
    st.none() | _WORDS,
    st.none() | st.sampled_from((*DOING, *WRONG, "odd")),
    st.lists(st.tuples(st.lists(_STEPS, min_size=1, max_size=4), st.lists(st.sampled_from(Reason), max_size=2))),
)
def test_what_thousands_do_is_taken_as_one_by_one(
    action: str | None, state: str | None, some: list[tuple[list[str], list[Reason]]]
) -> None:
    filters = Filters(action=action, state=state)
    steps = [[Action(UUID(int=200 + n), word) for n, word in enumerate(words)] for words, _ in some]
    doings = [situation(replace(WAITING, executed=tuple(them[:-1]), current=them[-1])) for them in steps]
    wrong = [tuple(reasons) for _, reasons in some]
    assert list(filters.fit_doing(doings, wrong)) == list(map(filters.fits_doing, doings, wrong))


@given(st.timedeltas(min_value=timedelta(0)))
def test_no_span_is_too_long(span: timedelta) -> None:
    assert takes(Filters(newer=span)) is (span >= timedelta(minutes=10))
    assert takes(Filters(older=span)) is (span <= timedelta(minutes=10))


@given(ALL, ALL)
def test_every_filter_added_takes_no_more_than_before(one: Filters, other: Filters) -> None:
    both = replace(one, **{f.name: getattr(other, f.name) for f in fields(one) if getattr(one, f.name) is None})
    assert takes(one) or not takes(both)
