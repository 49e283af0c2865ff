"""The one screen with a number and texts in full: whatever they are, it can be sent, and does nothing but be read."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import Call, Party, SpokenText
from bot.activeflows.operators import Grant, Operator, Permission, Policy
from bot.activeflows.queries.details import UnmaskedDetails
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_details import activeflow_details, revealed
from bot.slack.messaging.messenger import checked
from tests.unit.slack.blocks.screens import ALICE, CALLER, NOW, activeflow, details

_MARKUP = re.compile(r"<(?!!date\^)[^>]*>")


def shown(words: str, *, call: bool = True, texts: int = 5) -> UnmaskedDetails:
    party = Party("tel", words, words)
    one = Call(UUID(int=7), None, "progressing", "incoming", party, party) if call else None
    spoken = tuple(SpokenText(words, n == texts - 1) for n in range(texts))
    return UnmaskedDetails(activeflow(), one, spoken, "0f3c2a9b1d", NOW)


@given(st.text(max_size=5000) | st.sampled_from(["<!channel>", "`" * 3000, "&" * 5000, "\u202e", CALLER]))
def test_whatever_was_said_it_can_be_sent_and_only_read(words: str) -> None:
    for screen in (shown(words), shown(words, call=False, texts=0)):
        message = revealed(screen)
        text, blocks = checked(message.text, message.blocks)
        assert len(blocks) <= 50
        assert not _MARKUP.search(text)
        assert not [block for block in blocks if block["type"] == "actions"]


def test_the_number_stands_in_full_and_who_sees_it_is_said() -> None:
    text, blocks = checked(*_parts(shown(CALLER)))
    assert f"`{CALLER}`" in blocks[1]["text"]["text"]
    assert "Only you see this · recorded with your name, receipt `0f3c2a9b1d`" in text


def _parts(screen: UnmaskedDetails) -> tuple[str, tuple[kit.Block, ...]]:
    message = revealed(screen)
    return message.text, message.blocks


@pytest.mark.parametrize("permission", Permission)
def test_the_button_is_there_for_whoever_may_reveal_and_warns(permission: Permission) -> None:
    policy = Policy((Grant(1, frozenset({ALICE.person.id}), frozenset({permission})),))
    operator = Operator(ALICE.person, ALICE.channel, policy)
    message = activeflow_details(details("Support line"), operator, command="/flows")
    _, blocks = checked(message.text, message.blocks)
    buttons = {e["action_id"]: e for block in blocks if block["type"] == "actions" for e in block["elements"]}
    assert (ids.REVEAL in buttons) == (permission is Permission.REVEAL)
    if permission is Permission.REVEAL:
        assert "It is recorded with your name" in buttons[ids.REVEAL]["confirm"]["text"]["text"]
