"""The last look before a message leaves, measured against the simulated Slack's own limits."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import (
    ActionsBlock,
    AlertBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    ImageElement,
    MarkdownTextObject,
    Option,
    OverflowMenuElement,
    PlainTextObject,
    SectionBlock,
)

from bot.demo.slack import block_kit
from bot.slack.messaging.outbound_check import TEXT_LIMIT, Unsendable, checked


def section(words: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=words))


def button(action_id: str | None = "a", text: str = "Press", value: str = "1") -> ButtonElement:
    return ButtonElement(text=PlainTextObject(text=text), action_id=action_id, value=value, accessibility_label=text)


@given(st.text(max_size=4000), st.text(max_size=4000))
def test_any_texts_are_shortened_until_slack_takes_them(long: str, short: str) -> None:
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=long)),
        SectionBlock(
            text=MarkdownTextObject(text=long), fields=[MarkdownTextObject(text=short)], accessory=button(text=short)
        ),
        ContextBlock(
            elements=[
                MarkdownTextObject(text=long),
                ImageElement(image_url="https://example.com/i", alt_text=short or "a picture"),
            ]
        ),
        DividerBlock(),
    ]
    text, drawn = checked("said " + long, blocks)
    assert block_kit.check(drawn, "message") == []
    assert 0 < len(text) <= TEXT_LIMIT


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([DividerBlock()] * 51, "51 blocks"),
        ([SectionBlock(text="x", block_id="b"), SectionBlock(text="y", block_id="b")], "share a block_id"),
        ([ActionsBlock(elements=[button("a"), button("a")])], "share an action_id"),
        ([ActionsBlock(elements=[button(str(n)) for n in range(26)])], "26 elements"),
        ([ActionsBlock(elements=[button(None)])], "needs an action_id"),
        ([ActionsBlock(elements=[button("x" * 256)])], "needs an action_id"),
        ([ActionsBlock(elements=[button(value="v" * 2001)])], "value"),
        ([ActionsBlock(elements=[])], "no elements"),
        ([SectionBlock(text=None, fields=[])], "neither text nor fields"),
        ([SectionBlock(text="x", fields=["f"] * 11)], "11 fields"),
        ([ContextBlock(elements=[MarkdownTextObject(text="x")] * 11)], "11 elements"),
        ([SectionBlock(text="x", block_id="b" * 256)], "block_id is longer"),
        ([AlertBlock(text="x")], "cannot hold this block"),
        ([HeaderBlock(text=MarkdownTextObject(text="x"))], "must be plain_text"),
    ],
)
def test_what_slack_refuses_is_a_mistake_of_ours(blocks: Sequence[Block], reason: str) -> None:
    with pytest.raises(Unsendable, match=reason):
        checked("words", blocks)


def test_an_overflow_menu_has_at_most_five_short_values() -> None:
    def menu(count: int, value: str) -> list[Block]:
        options = [Option(text=f"o{n}", value=value) for n in range(count)]
        return [SectionBlock(text="x", accessory=OverflowMenuElement(action_id="o", options=options))]

    checked("words", menu(5, "v" * 150))
    with pytest.raises(Unsendable, match="6 options"):
        checked("words", menu(6, "v"))
    with pytest.raises(Unsendable, match="150"):
        checked("words", menu(5, "v" * 151))


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_a_message_without_words_is_a_mistake_of_ours(text: str) -> None:
    with pytest.raises(Unsendable, match="needs a text"):
        checked(text, [section("x")])


def test_slack_is_told_to_find_no_links_of_its_own() -> None:
    _, drawn = checked("words", [section("x"), ContextBlock(elements=[MarkdownTextObject(text="y")])])
    assert drawn[0]["text"]["verbatim"] is True
    assert drawn[1]["elements"][0]["verbatim"] is True


def test_checking_changes_nothing_of_what_was_drawn() -> None:
    block = section("x" * 4000)
    checked("words", [block])
    assert block.text is not None
    assert len(block.text.text) == 4000
