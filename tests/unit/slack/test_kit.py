"""What the kit builds, measured against the simulated Slack's own limits and against schemas that nobody here wrote."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.slack import block_kit
from bot.slack import kit
from bot.slack.kit import Unsendable
from bot.slack.messaging.messenger import TEXT_LIMIT, checked, checked_view
from tests.contract.slack.judge import faults

SLACK = Path(kit.__file__).parent
_BY_HAND = re.compile(
    r"""["']type["']\]?(:| =) ["'](section|header|context|actions|divider|button|plain_text|mrkdwn|modal)\b"""
)


def button(action_id: str = "a", text: str = "Press", value: str = "1") -> kit.Element:
    return kit.button(text, action_id, value, label=text)


@given(st.text(max_size=4000), st.text(max_size=4000))
def test_any_texts_are_shortened_until_slack_takes_them(long: str, short: str) -> None:
    asked = kit.confirm(long, short, yes=long, no=short)
    blocks = [
        kit.header(long),
        kit.section(long, accessory=kit.button(short, "b", "1", label=long, confirm=asked)),
        kit.fields([short] * 10),
        kit.context(*[long] * 10),
        kit.divider(),
        kit.actions(*(button(str(n), short) for n in range(25))),
    ]
    text, drawn = checked("said " + long, blocks)
    assert block_kit.check(drawn, "message") == []
    assert 0 < len(text) <= TEXT_LIMIT
    form = kit.modal(
        long,
        [*blocks, kit.field("why", long, longest=500)],
        close=short,
        submit=long or "Send",
        callback_id="c",
        metadata="m",
    )
    assert block_kit.check_view(checked_view(form)) == []
    assert block_kit.check_view(checked_view(kit.home(blocks))) == []
    assert list(faults("ChatPostMessageArguments", {"channel": "C0INC", "text": text, "blocks": drawn})) == []


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        (lambda: kit.actions(button("a"), button("a")), "share an action_id"),
        (lambda: kit.actions(*(button(str(n)) for n in range(26))), "26 buttons"),
        (kit.actions, "0 buttons"),
        (lambda: button(""), "needs an action_id"),
        (lambda: button("x" * 256), "needs an action_id"),
        (lambda: button(value="v" * 2001), "value"),
        (lambda: button(value=""), "value"),
        (lambda: kit.fields([]), "0 fields"),
        (lambda: kit.fields(["f"] * 11), "11 fields"),
        (kit.context, "0 texts"),
        (lambda: kit.context(*["x"] * 11), "11 texts"),
        (lambda: kit.section("x", block_id="b" * 256), "block_id is longer"),
        (lambda: kit.modal("x", [kit.field("a", "Why?", longest=9)], close="x"), "needs a submit button"),
        (lambda: kit.modal("x", [], close="x", metadata="m" * 3001), "carries is too long"),
        (lambda: kit.modal("x", [], close="x", callback_id="m" * 256), "carries is too long"),
        (lambda: checked("words", [kit.divider()] * 51), "51 blocks"),
        (lambda: checked("words", [kit.section("x", block_id="b")] * 2), "share a block_id"),
        (lambda: checked_view(kit.home([kit.divider()] * 101)), "101 blocks"),
        (lambda: checked_view(kit.modal("x", [kit.section("x", block_id="b")] * 2, close="x")), "share a block_id"),
        (lambda: checked("", []), "needs a text"),
        (lambda: checked(" \n", [kit.section("x")]), "needs a text"),
    ],
)
def test_what_slack_refuses_is_a_mistake_of_ours(draw: Callable[[], object], reason: str) -> None:
    with pytest.raises(Unsendable, match=reason):
        draw()


def test_slack_is_told_to_find_no_links_and_no_emoji_of_its_own() -> None:
    _, drawn = checked("words", [kit.section("x"), kit.context("y"), kit.header("z")])
    assert drawn[0]["text"]["verbatim"] is True
    assert drawn[1]["elements"][0]["verbatim"] is True
    assert drawn[2]["text"]["emoji"] is False


def test_a_short_text_is_left_as_it_is() -> None:
    assert kit.section("x" * 3000)["text"]["text"] == "x" * 3000
    assert kit.section("")["text"]["text"] == "—"


def test_every_block_comes_out_of_the_kit() -> None:
    """What is built by hand is bounded by nobody."""
    drawing = {path.name for path in SLACK.rglob("*.py") if _BY_HAND.search(path.read_text(encoding="utf-8"))}
    assert drawing == {"kit.py"}
