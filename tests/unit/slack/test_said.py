"""What a message says is read out of wherever apps put it, and of nothing a reader does not see."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.grammar.said import LONGEST, said

NUMBER = "+15550107731"


def test_text_blocks_and_attachments_are_read_and_each_line_once() -> None:
    section = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "one"},
        "fields": [{"type": "mrkdwn", "text": "two"}],
    }
    attachment = {
        "fallback": "three",
        "title": "four",
        "text": "five",
        "fields": [{"title": "Caller", "value": NUMBER}],
    }
    rows = [[{"type": "raw_text", "text": "six"}]]
    message = {
        "text": "one",
        "blocks": [section, {"type": "context", "elements": [{"type": "mrkdwn", "text": "seven"}]}],
        "attachments": [attachment, {"blocks": [{"type": "table", "rows": rows}]}],
    }
    told = said(message).splitlines()
    assert sorted(told) == sorted(["one", "two", "three", "four", "five", "six", "seven", "Caller", NUMBER])


def test_the_pieces_of_a_sentence_stay_one_line_and_links_show_their_address() -> None:
    pieces = [{"type": "text", "text": "call +1 555 "}, {"type": "text", "text": "010 7731"}]
    link = {"type": "link", "url": "https://x.example/3c5b0f6e", "text": "this"}
    message = {
        "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [*pieces, link]}]}]
    }
    assert "call +1 555 010 7731" in said(message)
    assert "https://x.example/3c5b0f6e" in said(message)


def test_slacks_own_writing_is_undone_and_no_date_becomes_a_number() -> None:
    message = {
        "text": "<tel:+15550107731|the caller> &amp; <!date^1695890000^{time}|12:03> <@U0ALICE> <https://x.example|x>"
    }
    assert said(message) == f"{NUMBER} & 12:03 <@U0ALICE> x"


def test_what_buttons_carry_is_not_read() -> None:
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": "Show"},
        "action_id": "a",
        "value": NUMBER,
        "url": NUMBER,
    }
    assert said({"blocks": [{"type": "actions", "block_id": "3c5b0f6e", "elements": [button]}]}) == "Show"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "blocks", "elements", "type", "value", "rich_text_section"]), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@given(st.none() | st.dictionaries(st.sampled_from(["text", "blocks", "attachments"]), JSON))
def test_odd_messages_say_something_or_nothing_and_never_an_error(message: dict[str, Any] | None) -> None:
    assert len(said(message)) <= LONGEST


def test_a_message_nested_without_end_ends() -> None:
    message: dict[str, Any] = {"text": "deep"}
    for _ in range(500):
        message = {"elements": [message]}
    assert said({"blocks": [message]}) == ""
