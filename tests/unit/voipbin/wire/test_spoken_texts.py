"""The texts that steps spoke: exactly those, and never by accident."""

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import SpokenText
from bot.voipbin.wire import answers
from bot.voipbin.wire.answers import Unreadable
from bot.voipbin.wire.pages import RECENT, _Steps, _Talk, spoken
from bot.voipbin.wire.shapes import WireActiveflow

ONE = UUID("3c5b0f6e-7d0a-4d51-9a55-0e4f6a7712c1")


def talk(text: object) -> dict[str, Any]:
    return {"id": str(ONE), "type": "talk", "option": {"language": "en-GB", "text": text}, "tm_execute": None}


def body(*executed: object, current: object = None, **more: object) -> bytes:
    fields = {"id": str(ONE), "status": "running", "current_action": current, "executed_actions": list(executed)}
    return json.dumps({**fields, **more}).encode()


def texts(found: tuple[SpokenText, ...]) -> list[tuple[str, bool]]:
    return [(one.text, one.current) for one in found]


def test_texts_come_oldest_first_with_the_one_spoken_now_last() -> None:
    found = spoken(ONE, body(talk("Hello"), {"type": "answer"}, talk("Press one"), current=talk("Goodbye")))
    assert texts(found) == [("Hello", False), ("Press one", False), ("Goodbye", True)]


def test_only_the_newest_are_given() -> None:
    found = spoken(ONE, body(*(talk(f"No. {n}") for n in range(20)), current={"type": "sleep"}))
    assert [one.text for one in found] == [f"No. {n}" for n in range(20 - RECENT, 20)]


@pytest.mark.parametrize(
    "step",
    [
        {"type": "message_send", "option": {"text": "Dear Mrs Example"}},
        {"type": "email_send", "option": {"content": "Dear Mrs Example"}},
        {"option": {"text": "Dear Mrs Example"}},
        {"type": "talk"},
        {"type": "talk", "option": None},
        {"type": "talk", "option": {"text": ["Dear Mrs Example"]}},
        {"type": 7, "option": {"text": "Dear Mrs Example"}},
        "talk",
        None,
    ],
)
def test_what_is_no_spoken_text_is_not_given_and_costs_the_others_nothing(step: object) -> None:
    assert texts(spoken(ONE, body(step, talk("Hello"), current=step))) == [("Hello", False)]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        body(id=str(UUID(int=7))),
        body(executed_actions={"text": "Dear Mrs Example"}),
        b'{"executed_actions": ["Dear Mrs Example"',
    ],
)
def test_an_answer_about_something_else_is_unreadable_and_never_quoted(answer: bytes) -> None:
    with pytest.raises(Unreadable) as unreadable:
        spoken(ONE, answer)
    assert "Example" not in f"{unreadable.value}{unreadable.value.__cause__}"


def test_no_text_stands_in_a_repr() -> None:
    found = spoken(ONE, body(talk("Dear Mrs Example")))

    way = (
        msgspec.json.decode(body(talk("Dear Mrs Example")), type=_Steps),
        msgspec.convert(talk("Dear Mrs Example"), _Talk),
    )
    assert "Example" not in repr((found, way, way[1].option))


def test_everywhere_else_the_text_is_dropped() -> None:
    answer = body(talk("Dear Mrs Example"), current=talk("Dear Mrs Example"), customer_id=str(ONE))
    assert "Example" not in repr(answers.activeflow(answer))
    assert "Example" not in repr(answers.page(json.dumps({"result": [json.loads(answer)]}).encode()))
    assert "text" not in WireActiveflow.__struct_fields__


@given(st.lists(st.text(max_size=20) | st.none() | st.integers(), max_size=9), st.text(max_size=20))
def test_every_text_that_was_spoken_lately_is_given_as_it_was(said: list[object], now: str) -> None:
    expected = [(word, False) for word in said if isinstance(word, str) and word] + ([(now, True)] if now else [])
    assert texts(spoken(ONE, body(*(talk(word) for word in said), current=talk(now)))) == expected[-RECENT:]
