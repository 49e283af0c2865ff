"""Block Kit's limits, exactly at their edge, and no input that makes the check itself fall over."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.slack import block_kit, words


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _button(**changed: Any) -> dict[str, Any]:
    return {"type": "button", "text": _plain("Stop"), "action_id": "stop", **changed}


def _row(**changed: Any) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": [_button(**changed)]}]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


EDGES: list[tuple[str, Any, Any, str]] = [
    ("header", [{"type": "header", "text": _plain("x" * 150)}], [{"type": "header", "text": _plain("x" * 151)}], "151"),
    ("section", [_section("x" * 3000)], [_section("x" * 3001)], "3001 characters"),
    ("blocks", [_section("x")] * 50, [_section("x")] * 51, "no more than 50"),
    ("button text", _row(text=_plain("x" * 75)), _row(text=_plain("x" * 76)), "/blocks/0/elements/0/text/text"),
    ("button value", _row(value="x" * 2000), _row(value="x" * 2001), "elements/0/value"),
    ("button label", _row(accessibility_label="x" * 75), _row(accessibility_label="x" * 76), "accessibility_label"),
    ("button style", _row(style="danger"), _row(style="default"), "enum"),
    ("button text type", _row(), _row(text={"type": "mrkdwn", "text": "x"}), "text/type"),
    ("block_id", [_section("x") | {"block_id": "x" * 255}], [_section("x") | {"block_id": "x" * 256}], "block_id"),
    ("same block_id", [_section("x")], [_section("x") | {"block_id": "a"}] * 2, "already exists"),
    ("same action_id", _row(), [{"type": "actions", "elements": [_button(), _button()]}], "already exists"),
    ("surface", [{"type": "divider"}], [{"type": "alert", "text": _plain("x")}], "unsupported type: alert"),
    ("emptiness", [_section("x")], [_section("")], "must be more than 0 characters"),
    ("null", [_section("x")], [None], "must provide an object"),
]


@pytest.mark.parametrize(("fits", "too_much", "says"), [edge[1:] for edge in EDGES], ids=[edge[0] for edge in EDGES])
def test_each_limit_holds_exactly_at_its_edge(fits: Any, too_much: Any, says: str) -> None:
    assert block_kit.check(fits, "message") == []
    (complaint,) = block_kit.check(too_much, "message")
    assert says in complaint


def test_a_modal_with_an_input_needs_a_submit_button() -> None:
    asked = {"type": "input", "label": _plain("Why"), "element": {"type": "plain_text_input", "action_id": "why"}}
    view = {"type": "modal", "title": _plain("Stop"), "blocks": [asked]}
    assert block_kit.check_view(view) == ["missing required field: submit [json-pointer:/view]"]
    assert block_kit.check_view(view | {"submit": _plain("Stop")}) == []
    assert "less than 25" in block_kit.check_view(view | {"submit": _plain("x" * 25)})[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(sorted(block_kit.SURFACES)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "text", "elements", "fields", "accessory", "options"]), inner)
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4), st.sampled_from(["message", "modal", "home"]))
def test_whatever_is_sent_gets_a_verdict(blocks: list[Any], surface: str) -> None:
    assert all("[json-pointer:" in complaint for complaint in block_kit.check(blocks, surface))


@given(JSON)
def test_whatever_view_is_sent_gets_a_verdict(view: Any) -> None:
    assert all("[json-pointer:" in complaint for complaint in block_kit.check_view(view))


@pytest.mark.parametrize(
    ("mrkdwn", "read"),
    [
        ("*bold* _it_ ~no~ `co*d*e`", "bold it no co*d*e"),
        ("queue_join_x 2*3*4", "queue_join_x 2*3*4"),
        ("<@U1> in <#C1> with <!subteam^S1> and <!channel>", "@Alice in #ops with @oncall and @channel"),
        ("<https://a.example|the call> <https://b.example>", "the call https://b.example"),
        ("<!date^1700000000^{time}|12:03> &lt;b&gt; &amp;amp;", "12:03 <b> &amp;"),
    ],
)
def test_words_are_what_a_reader_reads(mrkdwn: str, read: str) -> None:
    assert words.plain(mrkdwn, {"U1": "Alice", "C1": "ops", "S1": "oncall"}) == read
