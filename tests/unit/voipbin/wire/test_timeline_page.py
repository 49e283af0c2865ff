"""A timeline's page: when it stood where, and nothing else of it; nothing strange stops it or makes up a time."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.situation.history import TimelineEvent
from bot.voipbin.wire.answers import Unreadable
from bot.voipbin.wire.pages import TimelinePage, cursor, timeline_page

SAMPLES = Path(__file__).parents[3] / "samples" / "voipbin"
ONE = UUID("3c5b0f6e-7d0a-4d51-9a55-0e4f6a7712c1")
TALK = UUID(int=101)
ZERO = "00000000-0000-0000-0000-000000000000"
CHANGED = datetime(2026, 9, 2, 10, 16, 0, 4017, UTC)
TOLD = datetime(2026, 9, 2, 10, 16, 0, 9000, UTC)


def moment(executed: int = 2, **changes: object) -> dict[str, Any]:
    step = {"id": str(TALK), "next_id": ZERO, "type": "talk", "option": {"text": "Mrs Example"}, "tm_execute": None}
    return {
        "id": str(ONE),
        "customer_id": str(UUID(int=77)),
        "status": "running",
        "current_action": step,
        "executed_actions": [step] * executed,
        "tm_create": "2026-09-02T10:15:30.4512Z",
        "tm_update": "2026-09-02T10:16:00.004017Z",
        "tm_delete": None,
        **changes,
    }


def line(data: object = None, **changes: object) -> dict[str, Any]:
    told = {"timestamp": "2026-09-02T10:16:00.009Z", "event_type": "activeflow_updated"}
    return {**told, "data": moment() if data is None else data, **changes}


def page(*events: object, **more: object) -> bytes:
    return json.dumps({"result": events, **more}).encode()


def only(event: object) -> TimelineEvent:
    (found,) = timeline_page(page(event), ONE).moments
    return found


def test_an_event_tells_where_the_activeflow_stood_and_when() -> None:
    assert only(line()) == TimelineEvent(CHANGED, 2, TALK, running=True)
    assert "Example" not in repr(timeline_page(page(line()), ONE))


def test_the_sample_of_a_stop_times_no_step() -> None:
    activeflow_id = UUID("71c6e3b8-05fd-4b29-9e84-a6d2c1f0b704")
    told = timeline_page((SAMPLES / "timeline" / "200.json").read_bytes(), activeflow_id)
    digits = UUID("f3b2a1c0-0003-4d5e-9f80-61728394a5b6")
    assert told == TimelinePage((TimelineEvent(CHANGED, 3, digits, running=False),), None)


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"tm_update": "2026-09-02 10:16:00.004017"}, CHANGED),
        ({"tm_update": "2026-09-02T19:16:00.004017+09:00"}, CHANGED),
        ({"tm_update": None}, TOLD),
        ({"tm_update": "9999-01-01 00:00:00.000000"}, TOLD),
        ({"tm_update": 17}, TOLD),
        ({"tm_update": None, "executed_actions": None}, datetime(2026, 9, 2, 10, 15, 30, 451200, UTC)),
        ({"tm_update": None, "executed_actions": None, "tm_create": ""}, TOLD),
    ],
)
def test_an_event_is_timed_by_the_change_it_tells_of_in_whatever_style(changes: dict[str, Any], at: datetime) -> None:
    assert only(line(moment(**changes))).at == at


@pytest.mark.parametrize(
    "form",
    [
        line(),
        line({"type": "activeflow_updated", "data": moment()}),
        moment(),
        moment(timestamp="2026-09-02T10:16:00.009Z"),
        line(id="evt-1"),
        line(timestamp=None),
        line(moment(id=str(ONE).upper())),
        line(moment(webhook_uri=7, flow_id="", reference_id="?", current_action={"id": str(TALK)})),
    ],
)
def test_every_form_of_an_event_says_the_same(form: object) -> None:
    assert only(form) == TimelineEvent(CHANGED, 2, TALK, running=True)


@pytest.mark.parametrize(
    "strange",
    [
        None,
        7,
        [],
        {},
        {"timestamp": "2026-09-02T10:16:00.009Z", "data": None},
        line("3c5b0f6e"),
        line(moment(id=str(UUID(int=5)))),
        line(moment(id="")),
        line(moment(id=None)),
        line(moment(current_action=None)),
        line(moment(current_action={})),
        line(moment(current_action={"id": "first"})),
        line(moment(executed_actions="two")),
        line(moment(executed_actions={"0": {}})),
        line(moment(tm_update=None), timestamp="yesterday"),
        line({"data": {"data": {"data": moment()}}}),
    ],
)
def test_a_strange_event_costs_only_itself(strange: object) -> None:
    assert timeline_page(page(line(), strange, line(moment(3))), ONE).moments == (
        TimelineEvent(CHANGED, 2, TALK, running=True),
        TimelineEvent(CHANGED, 3, TALK, running=True),
    )


@pytest.mark.parametrize("status", ["ended", "", "napping", None, 1])
def test_only_an_event_that_says_so_is_of_a_running_activeflow(status: object) -> None:
    assert not only(line(moment(status=status))).running


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"result":{}}', b"{}", b"\xff\xfe", b'{"result":[{]}'])
def test_what_is_no_list_of_events_is_unreadable_and_never_quoted(body: bytes) -> None:
    with pytest.raises(Unreadable) as unreadable:
        timeline_page(body, ONE)
    assert body.decode("latin-1") not in str(unreadable.value) or not body


def test_the_next_page_is_asked_for_as_voipbin_writes_it() -> None:
    told = timeline_page(page(line(), next_page_token="2026-09-02T10:16:00.004Z"), ONE)
    assert told.next_from is not None
    assert cursor(told.next_from) == "2026-09-02T10:16:00.004Z"
    for done in ({}, {"next_page_token": ""}, {"next_page_token": 4}, {"next_page_token": "more"}):
        assert timeline_page(page(line(), **done), ONE).next_from is None
    assert timeline_page(page(next_page_token="2026-09-02T10:16:00.004Z"), ONE).next_from == told.next_from


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda x: page(x, x)))
def test_any_bytes_give_a_page_without_moments_or_are_unreadable(body: bytes) -> None:
    with suppress(Unreadable):
        assert timeline_page(body, ONE).moments == ()


@given(st.lists(st.integers(0, 30), max_size=20))
def test_steps_are_counted_and_nothing_of_them_is_read(counts: list[int]) -> None:
    told = timeline_page(page(*(line(moment(n)) for n in counts)), ONE)
    assert [found.executed for found in told.moments] == counts
