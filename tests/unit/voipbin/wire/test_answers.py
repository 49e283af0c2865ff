"""VoIPBIN's JSON in all its ages becomes the model; strange JSON costs one row at most."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import FINISH_ID, START_ID, Status
from bot.voipbin.wire import answers

ZERO = "00000000-0000-0000-0000-000000000000"
ROW: dict[str, Any] = {
    "id": "3c5b0f6e-7d0a-4d51-9a55-0e4f6a7712c1",
    "customer_id": "b7d9a1f4-1c1e-4f0b-8a62-6f0b1f3e9d20",
    "flow_id": "e1a4c7d2-55b3-4d7e-8f19-2b6c0d9e4a11",
    "status": "running",
    "reference_type": "call",
    "reference_id": "9f2d4c88-0b67-4e3a-b1c5-7ad0e5f61234",
    "reference_activeflow_id": ZERO,
    "on_complete_flow_id": "5d0c2b9a-8e77-4c36-a4f1-91e3d7c5b802",
    "webhook_uri": "https://user:hush@hooks.example.com",
    "current_action": {
        "id": "a0f1d3c5-2222-4b7a-9c11-0d5e6f7a8b92",
        "next_id": ZERO,
        "type": "digits_receive",
        "option": {"duration": 8000, "key": "#", "length": 6},
        "tm_execute": None,
    },
    "forward_action_id": ZERO,
    "executed_actions": [
        {"id": str(START_ID), "next_id": ZERO, "tm_execute": None},
        {
            "id": "a0f1d3c5-1111-4b7a-9c11-0d5e6f7a8b91",
            "next_id": ZERO,
            "type": "talk",
            "option": {"language": "en-GB", "text": "Dear Mrs Example"},
            "tm_execute": None,
        },
    ],
    "tm_create": "2026-08-20T07:41:09.20431Z",
    "tm_update": "2026-08-20T07:41:15.9Z",
    "tm_delete": None,
}
BARE = {
    "id": "20a1b2c3-d4e5-4f60-8172-8394a5b6c7d8",
    "customer_id": "b7d9a1f4-1c1e-4f0b-8a62-6f0b1f3e9d20",
    "flow_id": ZERO,
    "reference_id": ZERO,
    "reference_activeflow_id": ZERO,
    "on_complete_flow_id": ZERO,
    "current_action": {"id": str(START_ID), "next_id": ZERO, "tm_execute": None},
    "forward_action_id": ZERO,
    "tm_create": "2022-05-03T11:02:00Z",
    "tm_update": None,
    "tm_delete": None,
}


def body(**changes: object) -> bytes:
    return json.dumps({**ROW, **changes}).encode()


def listing(*rows: object, token: object = "2026-08-20T06:00:00.500000Z") -> bytes:
    return json.dumps({"result": rows, "next_page_token": token}).encode()


def test_a_running_call_is_read_with_all_that_matters() -> None:
    found = answers.activeflow(body())
    assert found.id == UUID(ROW["id"])
    assert found.customer_id == UUID(ROW["customer_id"])
    assert found.status is Status.RUNNING
    assert found.reference.is_call
    assert found.parent_id is None
    assert found.on_complete_flow_id == UUID(ROW["on_complete_flow_id"])
    assert found.current.type == "digits_receive"
    assert found.current.option == {"duration": 8000, "key": "#", "length": 6}
    assert [step.type for step in found.executed] == ["", "talk"]
    assert found.executed[0].id == START_ID
    assert found.created_at == datetime(2026, 8, 20, 7, 41, 9, 204310, UTC)
    assert found.deleted_at is None


def test_nothing_personal_enters_the_model() -> None:
    found = repr(answers.activeflow(body()))
    assert "Mrs Example" not in found
    assert "hush" not in found
    assert "en-GB" in found


def test_a_row_older_than_the_status_column_lacks_keys_and_is_read() -> None:
    found = answers.activeflow(json.dumps(BARE).encode())
    assert found.status is Status.UNKNOWN
    assert found.running
    assert found.flow_id is None
    assert found.reference.type == ""
    assert found.reference.id is None
    assert found.executed == ()
    assert found.current.id == START_ID
    assert found.current.type == ""


def test_the_finish_marker_has_no_type_and_shows_a_natural_end() -> None:
    found = answers.activeflow(body(status="ended", current_action={"id": str(FINISH_ID), "next_id": ZERO}))
    assert found.ended_by_itself


def test_words_unknown_to_the_published_contract_are_kept() -> None:
    current = {"id": ROW["id"], "type": "teleport", "option": {"to": "+15550100009"}}
    found = answers.activeflow(body(status="napping", reference_type="webchat", current_action=current, surprise=[1]))
    assert found.status is Status.UNKNOWN
    assert found.reference.type == "webchat"
    assert found.current.type == "teleport"
    assert found.current.option == {}


@pytest.mark.parametrize("spelling", ["{%s}", "urn:uuid:%s", "%s"])
def test_an_id_in_another_spelling_is_the_same_id(spelling: str) -> None:
    assert answers.activeflow(body(id=spelling % ROW["id"].upper())).id == UUID(ROW["id"])


@pytest.mark.parametrize("field", ["status", "current_action", "executed_actions", "tm_create", "tm_update"])
@pytest.mark.parametrize("value", [7, True, [], {}, "?", [None, 3, {"id": 4}]])
def test_a_strange_value_where_nothing_hangs_on_it_is_forgiven(field: str, value: object) -> None:
    page = answers.page(listing(body_of(**{field: value}), ROW))
    assert [row.id for row in page.rows] == [UUID(ROW["id"])] * 2
    assert page.unreadable == 0


def body_of(**changes: object) -> dict[str, object]:
    return {**ROW, **changes}


@pytest.mark.parametrize(
    "field", ["id", "customer_id", "flow_id", "reference_type", "reference_id", "on_complete_flow_id"]
)
@pytest.mark.parametrize("value", [7, True, ["x"], {"a": 1}])
def test_a_strange_value_that_permissions_or_warnings_hang_on_makes_one_row_unreadable(
    field: str, value: object
) -> None:
    page = answers.page(listing(body_of(**{field: value}), ROW))
    assert len(page.rows) == 1
    assert page.size == 2
    assert page.unreadable == 1
    with pytest.raises(answers.Unreadable):
        answers.activeflow(body(**{field: value}))


@pytest.mark.parametrize("row", [None, 3, "x", [], {}, {"id": ZERO}, {"id": ""}])
def test_a_row_without_an_identity_is_counted_and_not_shown(row: object) -> None:
    page = answers.page(listing(ROW, row, ROW))
    assert len(page.rows) == 2
    assert page.unreadable == 1


def test_a_step_that_cannot_be_read_still_counts_as_a_step() -> None:
    steps = [ROW["executed_actions"][0], 5, {"id": "no", "type": 3}, ROW["executed_actions"][1]]
    found = answers.activeflow(body(executed_actions=steps))
    assert found.steps_used == 4
    assert found.executed[3].type == "talk"


@pytest.mark.parametrize(
    "answer", [b"", b"null", b"[]", b"<html>", b'{"result":null}', b'{"result":{}}', b"{}", b'{"re']
)
def test_what_is_no_list_is_said_to_be_unreadable(answer: bytes) -> None:
    with pytest.raises(answers.Unreadable):
        answers.page(answer)


def test_the_shape_of_an_empty_list_is_an_empty_page() -> None:
    assert answers.page(b'{"result":[],"next_page_token":""}') == answers.Page((), 0, None, more=False)


def test_a_token_is_read_from_the_last_page_too() -> None:
    assert answers.page(listing(ROW)).last == datetime(2026, 8, 20, 6, 0, 0, 500000, UTC)


def test_a_call_lacks_the_times_that_have_not_come() -> None:
    found = answers.call(
        json.dumps(
            {
                "id": ROW["reference_id"],
                "activeflow_id": ROW["id"],
                "source": {"type": "tel", "target": "+15550100001", "target_name": "Mrs Example"},
                "destination": {"type": "tel", "target": "+15550100002"},
                "status": "ringing",
                "direction": "incoming",
                "tm_create": "2026-08-20T07:41:08.8Z",
            }
        ).encode()
    )
    assert (found.status, found.direction, found.answered_at, found.hangup_at) == ("ringing", "incoming", None, None)
    assert found.caller.target == "+15550100001"
    assert found.caller.name == "Mrs Example"
    assert "+1555" not in repr(found)


def test_a_flow_gives_its_name_and_the_ids_of_its_steps() -> None:
    found = answers.flow(
        json.dumps(
            {"id": ROW["flow_id"], "name": "Support", "direct_hash": "hush", "actions": [{"id": ROW["id"]}, 3]}
        ).encode()
    )
    assert found.name == "Support"
    assert found.action_ids == {UUID(ROW["id"])}
    assert found.on_complete_flow_id is None


def test_a_step_of_a_flow_with_a_strange_id_is_left_out() -> None:
    found = answers.flow(json.dumps({"id": ROW["flow_id"], "actions": [{"id": ROW["id"]}, {"id": 4}]}).encode())
    assert found.action_ids == {UUID(ROW["id"])}


def test_the_customers_webhook_secret_stays_outside() -> None:
    found = answers.customer(
        json.dumps({"id": ROW["customer_id"], "name": "Harbour", "webhook_secret": "hush"}).encode()
    )
    assert found.name == "Harbour"
    assert "hush" not in repr(found)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.just(ROW["id"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*ROW, "x", "type", "option"]), inner),
    max_leaves=10,
)
READERS = [answers.page, answers.activeflow, answers.flow, answers.call, answers.customer, answers.name, answers.token]


@given(st.dictionaries(st.sampled_from([*ROW, "result", "name", "actions", "source", "token"]), JSON))
def test_any_json_in_any_field_gives_a_value_or_says_it_is_unreadable(found: dict[str, object]) -> None:
    for read in READERS:
        with suppress(answers.Unreadable):
            read(json.dumps({**ROW, **found}).encode())


@given(st.lists(st.dictionaries(st.sampled_from(list(ROW)), JSON, max_size=3), max_size=5))
def test_every_row_of_a_list_is_either_read_or_counted(changes: list[dict[str, object]]) -> None:
    page = answers.page(listing(*({**ROW, **change} for change in changes)))
    assert page.size == len(changes)
    assert len(page.rows) + page.unreadable == page.size


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_say_they_are_unreadable(answer: bytes) -> None:
    for read in READERS:
        with pytest.raises(answers.Unreadable):
            read(answer)


@pytest.mark.parametrize(
    "answer", [b"[" * 100_000, b'{"result":' * 100_000, b'{"id":"\xff"}', b'{"result":[{"id":"\\ud800"}]}']
)
def test_hostile_bytes_are_unreadable_too(answer: bytes) -> None:
    for read in READERS:
        with pytest.raises(answers.Unreadable):
            read(answer)


def test_a_number_too_large_for_anything_costs_its_row_only() -> None:
    answer = listing(ROW, {**ROW, "status": "HUGE"}, ROW).replace(b'"HUGE"', b"1e999")
    page = answers.page(answer)
    assert page.size == 3
    assert len(page.rows) >= 2
