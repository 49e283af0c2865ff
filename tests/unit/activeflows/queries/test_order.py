"""In which order a list stands, and whom the words of its rows select."""

from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest

from bot.activeflows.model import START_ID, Action, Activeflow, Status
from bot.activeflows.queries.filters import DOING, WRONG, Filters
from bot.activeflows.queries.listing import Sort, at
from tests.unit.activeflows.queries.test_listing import ALICE, NOW, InMemory, queries, running

AGENT = Action(UUID(int=53), "confbridge_join")
QUEUE = Action(UUID(int=50), "queue_join", {"queue_id": str(UUID(int=51))})
LOOP = (Action(UUID(int=60), "talk"), Action(UUID(int=61), "digits_receive"))


def with_agent(number: int) -> Activeflow:
    return running(number, executed=(QUEUE,), current=AGENT)


def looping(number: int) -> Activeflow:
    return running(number, executed=LOOP * 5, current=LOOP[0])


def never_started(number: int) -> Activeflow:
    return running(number, current=Action(START_ID))


async def test_what_is_wrong_comes_first_the_gravest_before_the_others_and_then_the_oldest() -> None:
    wrong = [never_started(30), never_started(20), looping(2), looping(1), running(90)]
    fine = [running(n) for n in (40, 12, 3)]
    voipbin = InMemory([*fine, *reversed(wrong)])
    listing = await queries(voipbin).running(ALICE, Filters())
    assert [row.activeflow.id for row in listing.rows] == [a.id for a in (*wrong, *fine)]
    assert [row.troubles[0].reason for row in listing.rows[:5]] == ["stuck", "stuck", "looping", "looping", "stale"]
    assert not any(row.troubles for row in listing.rows[5:])
    by_age = sorted([*wrong, *fine], key=lambda a: a.created_at or NOW)
    for sort, expected in (("oldest", by_age), ("newest", by_age[::-1])):
        listing = await queries(voipbin).running(ALICE, Filters(), sort=cast("Sort", sort))
        assert [row.activeflow.id for row in listing.rows] == [a.id for a in expected]


async def test_what_has_ended_is_newest_first() -> None:
    voipbin = InMemory([running(n, status=Status.ENDED) for n in (3, 1, 2)])
    listing = await queries(voipbin).running(ALICE, Filters(status="ended"))
    assert [row.activeflow.id for row in listing.rows] == [running(n).id for n in (1, 2, 3)]


async def test_turning_pages_of_the_worst_first_shows_each_of_the_others_once_while_one_becomes_wrong() -> None:
    voipbin = InMemory([looping(n) for n in range(1, 6)] + [running(n) for n in range(6, 26)])
    reader = queries(voipbin)
    first = await reader.running(ALICE, Filters())
    place = at("after", first.rows[-1].activeflow, first.ranks[-1])
    moved, gone = first.rows[-2].activeflow, first.rows[-1].activeflow
    voipbin.activeflows.remove(gone)
    voipbin.activeflows[voipbin.activeflows.index(moved)] = replace(moved, executed=LOOP * 5, current=LOOP[0])
    shown = {row.activeflow.id for row in first.rows}
    for _ in range(2):
        page = await reader.running(ALICE, Filters(), place=place)
        assert shown.isdisjoint(row.activeflow.id for row in page.rows)
        shown |= {row.activeflow.id for row in page.rows}
        place = at("after", page.rows[-1].activeflow, page.ranks[-1])
    assert len(shown) == 25


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("waiting", {1}),
        ("with-agent", {2}),
        ("with-ai", {3}),
        ("starting", {20}),
        ("connected", set()),
        ("in-conference", set()),
        ("stuck", {20}),
        ("looping", {5}),
        ("low-on-steps", {6}),
        ("left-over", {90}),
        ("wrong", {20, 5, 6, 90}),
    ],
)
async def test_a_filter_by_state_finds_who_the_rows_say_it_of(word: str, found: set[int]) -> None:
    assert word in {*DOING, *WRONG}
    many = tuple(Action(UUID(int=700 + n), "play") for n in range(90))
    voipbin = InMemory(
        [
            running(1, current=QUEUE),
            with_agent(2),
            running(3, current=Action(UUID(int=54), "ai_talk")),
            running(4),
            looping(5),
            running(6, executed=many),
            never_started(20),
            running(90),
        ]
    )
    reader = queries(voipbin)
    for _ in range(2):
        listing = await reader.running(ALICE, Filters(state=word))
        assert {row.activeflow.id for row in listing.rows} == {running(n).id for n in found}


async def test_a_filter_by_action_takes_the_words_that_a_count_by_action_says() -> None:
    voipbin = InMemory([running(1, current=QUEUE), with_agent(2), looping(3), never_started(4), running(5)])
    groups = (await queries(voipbin).running(ALICE, Filters(), by="action")).groups
    for group in groups:
        listing = await queries(voipbin).running(ALICE, Filters(action=group.name))
        assert listing.total >= group.count
        assert group.oldest in [row.activeflow for row in listing.rows]
    assert {group.name for group in groups} == {
        "waiting in a queue",
        "put through to an agent",
        "speaking a text",
        "created, no step yet",
        "playing audio",
    }
