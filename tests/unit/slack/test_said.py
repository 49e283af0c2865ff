"""What a message says is read out of wherever apps put it, and of nothing a reader does not see."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.grammar.normalization import LONGEST, said

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
    told = said(message).text.splitlines()
    assert sorted(told) == sorted(["one", "two", "three", "four", "five", "six", "seven", "Caller", NUMBER])


def test_the_pieces_of_a_sentence_stay_one_line_and_links_show_their_address() -> None:
    pieces = [{"type": "text", "text": "call +1 555 "}, {"type": "text", "text": "010 7731"}]
    link = {"type": "link", "url": "https://x.example/3c5b0f6e", "text": "this"}
    message = {
        "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [*pieces, link]}]}]
    }
    assert "call +1 555 010 7731" in said(message).text
    assert "https://x.example/3c5b0f6e" in said(message).text


def test_slacks_own_writing_is_undone_and_no_date_becomes_a_number() -> None:
    message = {
        "text": "<tel:+15550107731|the caller> &amp; <!date^1695890000^{time}|12:03> <@U0ALICE> <https://x.example|x>"
    }
    assert said(message).text == f"{NUMBER} & 12:03 <@U0ALICE> x"


def test_what_buttons_carry_is_not_read() -> None:
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": "Show"},
        "action_id": "a",
        "value": NUMBER,
        "url": NUMBER,
    }
    assert said({"blocks": [{"type": "actions", "block_id": "3c5b0f6e", "elements": [button]}]}).text == "Show"


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
    assert len(said(message).text) <= LONGEST


def test_a_message_nested_without_end_ends() -> None:
    message: dict[str, Any] = {"text": "deep"}
    for _ in range(500):
        message = {"elements": [message]}
    read = said({"blocks": [message]})
    assert (read.text, read.unread) == ("", "what is nested too deep, or too much")


def test_a_forwarded_message_and_the_links_of_an_alert_are_read_to_their_end() -> None:
    inner = {"type": "rich_text_section", "elements": [{"type": "text", "text": "hidden in the forwarded one"}]}
    forwarded = {"message_blocks": [{"message": {"blocks": [{"type": "rich_text", "elements": [inner]}]}}]}
    alert = {"title": "High", "title_link": "https://x.example/3c5b0f6e", "from_url": "https://y.example/9d8e"}
    read = said({"text": "w " * 20_000 + "the end", "attachments": [{"attachments": [forwarded]}, forwarded, alert]})
    for words in ("hidden in the forwarded one", "https://x.example/3c5b0f6e", "https://y.example/9d8e", "the end"):
        assert words in read.text
    assert read.unread == ""


def test_what_is_not_read_is_named() -> None:
    assert said({"text": "x" * (LONGEST + 1)}).unread == "what comes after its first 100,000 characters"
    files = [{"id": "F1", "name": "call-3c5b0f6e.wav", "title": "A recording"}]
    read = said({"text": "", "files": files})
    assert read.text.splitlines() == ["A recording", "call-3c5b0f6e.wav"]
    assert read.unread == "what stands inside its files"
    assert (
        said({"blocks": [{"type": "hologram", "beams": ["3c5b0f6e"]}]}).unread == "a part of a kind that I do not know"
    )
    assert said({"blocks": [{"type": "divider"}]}).unread == ""


def test_tables_and_cards_are_read() -> None:
    rich = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "c2"}]}],
    }
    table = {
        "type": "table",
        "rows": [[{"type": "raw_text", "text": "c1"}, rich], [{"type": "raw_number", "text": "3"}]],
    }
    card = {"type": "card", "title": {"type": "mrkdwn", "text": "t"}, "body": {"type": "mrkdwn", "text": "b"}}
    read = said({"blocks": [table, card], "attachments": [{"blocks": [table]}]})
    assert (read.text.splitlines(), read.unread) == (["c1", "c2", "3", "t", "b"], "")
