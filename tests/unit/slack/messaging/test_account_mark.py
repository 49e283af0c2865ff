"""Everything that an account says begins with its name, and each button and form leads back to it."""

import pytest

from bot.slack import kit
from bot.slack.messaging.messenger import account_of, marked, marked_id, marked_view

BUTTON = kit.button("Stop flow", "stop.flow", "1", confirm=kit.confirm("Sure?", "It ends", yes="Yes", no="No"))


def test_of_the_only_account_nothing_is_said() -> None:
    blocks = (kit.header("Stop"), kit.actions(BUTTON))
    assert marked("", "Stop", blocks) == ("Stop", blocks)
    view = kit.modal("Why?", (kit.section("Why?"),), close="Close", callback_id="stop.reason")
    assert marked_view("", view) is view
    assert marked_id("stop.flow", "") == "stop.flow"


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (kit.header("Stop this?"), "staging · Stop this?"),
        (kit.section("Stop *this*?"), "*staging* · Stop *this*?"),
        (kit.section("• one\n• two"), "*staging*\n• one\n• two"),
        (kit.fields(["Flow", "Support"]), "*staging* · Flow"),
        (kit.context("as of now"), "*staging* · as of now"),
    ],
)
def test_the_first_words_are_the_accounts_name(block: kit.Block, words: str) -> None:
    text, blocks = marked("staging", "aloud", (kit.divider(), block, kit.section("more")))
    assert text == "staging · aloud"
    assert words in str(list(blocks)).replace("\\n", "\n")
    assert blocks[2] == kit.section("more")


def test_where_there_are_no_words_some_are_put_before() -> None:
    assert marked("staging", "aloud", (kit.actions(BUTTON),))[1][0] == kit.context("*staging*")
    assert marked("staging", "aloud", ()) == ("staging · aloud", ())


def test_words_that_are_at_their_limit_are_shortened_at_their_end() -> None:
    ((block,)) = marked("staging", "aloud", (kit.header("x" * 150),))[1]
    assert len(block["text"]["text"]) == 150
    assert block["text"]["text"].startswith("staging · x")


def test_each_button_leads_back_and_its_question_says_the_account() -> None:
    _, blocks = marked("staging", "aloud", (kit.section("one", accessory=BUTTON), kit.actions(BUTTON)))
    for drawn in (blocks[0]["accessory"], blocks[1]["elements"][0]):
        assert drawn["action_id"] == "stop.flow@staging"
        assert account_of(drawn["action_id"]) == "staging"
        assert drawn["confirm"]["title"]["text"] == "staging · Sure?"
        assert drawn["value"] == "1"
    assert BUTTON["action_id"] == "stop.flow"


def test_a_button_of_another_account_stays_one_of_it() -> None:
    other = kit.button("prod", marked_id("home.refresh", "prod"), "home")
    assert marked("staging", "aloud", (kit.actions(other),))[1][-1]["elements"][0]["action_id"] == "home.refresh@prod"


def test_a_form_leads_back_too() -> None:
    view = kit.modal("Why?", (kit.section("Why?"), kit.field("stop.reason", "Why", longest=500)), close="Close", submit="Go",
                     callback_id="stop.reason")  # fmt: skip
    there = marked_view("staging", view)
    assert there["callback_id"] == "stop.reason@staging"
    assert there["blocks"][0]["text"]["text"] == "*staging* · Why?"
    assert there["blocks"][1] == view["blocks"][1]
    assert view["callback_id"] == "stop.reason"
