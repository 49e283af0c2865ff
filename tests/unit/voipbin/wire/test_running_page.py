"""Pages and events read for what runs say the same as when they are read whole, and nothing strange stops them."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.index import Index
from bot.voipbin.wire import answers
from bot.voipbin.wire.answers import Steps, Unreadable
from bot.voipbin.wire.pages import event, running_page

ZERO = "00000000-0000-0000-0000-000000000000"


def row(number: int, *, steps: int = 2, **changes: object) -> dict[str, Any]:
    step = {
        "id": str(UUID(int=9)),
        "next_id": ZERO,
        "type": "talk",
        "option": {"text": "Mrs Example", "language": "en"},
    }
    return {
        "id": str(UUID(int=number + 1)),
        "customer_id": str(UUID(int=77)),
        "flow_id": ZERO,
        "status": "running",
        "reference_type": "call",
        "reference_id": str(UUID(int=8)),
        "current_action": step,
        "executed_actions": [step] * steps,
        "tm_create": f"2026-08-20T07:{59 - number % 60:02d}:09.2Z",
        "tm_update": "2026-08-20T08:00:00Z",
        "tm_delete": None,
        **changes,
    }


def listing(*rows: object, token: str = "2026-08-20T06:00:00.500000Z") -> bytes:
    return json.dumps({"result": rows, "next_page_token": token}).encode()


@given(st.lists(st.sampled_from(["running", "ended", "", "napping", None]), max_size=30))
def test_a_page_has_the_same_running_rows_as_when_it_is_read_whole(statuses: list[str | None]) -> None:
    body = listing(*(row(number, status=status) for number, status in enumerate(statuses)))
    whole, lean = answers.page(body), running_page(body, Steps())
    assert lean.running == tuple(each for each in whole.rows if each.running)
    assert [id_ for id_, _ in lean.over] == [each.id for each in whole.rows if each.ended]
    assert (lean.size, lean.unreadable) == (whole.size, 0)
    assert lean.last == min((each.created_at for each in whole.rows if each.created_at), default=whole.last)


@pytest.mark.parametrize("strange", [None, 7, [], {}, {"id": 4, "status": "ended"}, row(1, flow_id=["x"])])
def test_a_strange_row_is_counted_and_costs_no_other(strange: object) -> None:
    page = running_page(listing(row(0), strange, row(2, status="ended")), Steps())
    assert (len(page.running), len(page.over), page.size, page.unreadable) == (1, 1, 3, 1)
    assert page.last == datetime(2026, 8, 20, 6, 0, 0, 500000, UTC)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"result":{}}', b"\xff\xfe"])
def test_what_is_no_list_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        running_page(body, Steps())


@pytest.mark.parametrize("form", [lambda told: told, lambda told: {"type": "activeflow_updated", "data": told}])
def test_both_forms_of_an_event_are_the_activeflow(form: Any) -> None:
    found = event(json.dumps(form(row(1))).encode(), Steps(), Index())
    assert found == answers.activeflow(json.dumps(row(1)).encode())
    assert "Mrs Example" not in repr(found)


def test_an_event_that_says_nothing_new_is_not_built() -> None:
    index, frame = Index(), json.dumps(row(1, steps=5)).encode()
    told = event(frame, Steps(), index)
    assert told is not None
    index.take(told)
    assert event(frame, Steps(), index) is None
    assert event(json.dumps(row(1, steps=4)).encode(), Steps(), index) is None


@given(st.lists(st.integers(0, 3), max_size=12), st.lists(st.integers(0, 3), max_size=12))
def test_a_history_that_grew_is_read_as_if_it_was_read_whole(before: list[int], after: list[int]) -> None:
    index, steps = Index(), Steps()
    for second, types in enumerate((before, before + after), 1):
        executed = [{"id": str(UUID(int=kind + 1)), "type": f"t{kind}"} for kind in types]
        frame = json.dumps(row(1, executed_actions=executed, tm_update=f"2026-08-20T08:00:{second:02d}Z")).encode()
        found = event(frame, steps, index)
        assert found is not None
        assert found == answers.activeflow(frame)
        index.take(found)


def test_a_history_that_is_another_one_is_read_whole() -> None:
    index, steps = Index(), Steps()
    for second, kinds in enumerate((["talk", "play"], ["play", "talk", "talk"]), 1):
        executed = [{"id": str(UUID(int=len(kind) + second)), "type": kind} for kind in kinds]
        frame = json.dumps(row(1, executed_actions=executed, tm_update=f"2026-08-20T08:00:{second:02d}Z")).encode()
        found = event(frame, steps, index)
        assert found is not None
        assert [step.type for step in found.executed] == kinds
        index.take(found)


@given(
    st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_no_frame_gives_anything_but_an_activeflow_or_unreadable(frame: bytes) -> None:
    with pytest.raises(Unreadable):
        event(frame, Steps(), Index())


def test_steps_are_read_once_and_their_memory_is_bounded() -> None:
    steps = Steps(room=3)
    first = event(json.dumps(row(1)).encode(), steps, Index())
    second = event(json.dumps(row(2)).encode(), steps, Index())
    assert first is not None
    assert second is not None
    assert first.executed[0] is second.executed[1]
    for number in range(10):
        other = {"id": str(UUID(int=number + 1)), "type": "play"}
        event(json.dumps(row(1, executed_actions=[other])).encode(), steps, Index())
    assert len(steps) == 3


def test_the_id_of_a_flow_is_one_object_in_all_its_rows_and_their_memory_is_bounded() -> None:
    steps = Steps(room=3)
    for number in range(10):
        body = listing(*(row(each, flow_id=str(UUID(int=number + 50))) for each in (1, 2)))
        first, second = running_page(body, steps).running
        assert first.flow_id == second.flow_id == UUID(int=number + 50)
        assert first.flow_id is second.flow_id
        assert first.on_complete_flow_id is None
        assert len(steps._ids) <= 3
