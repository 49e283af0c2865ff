"""What is drawn can be sent, read aloud, and does no harm, whatever people called their flows."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.activeflows.model import Freshness, Status
from bot.activeflows.queries.filters import ActiveflowGroup
from bot.slack import ids
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.blocks.activeflow_list import activeflow_list, shared_list
from bot.slack.messaging.messenger import Message, checked
from tests.unit.slack.blocks.screens import (
    ALICE,
    CALLER,
    NOW,
    VIEWER,
    activeflow,
    details,
    every_screen,
    listing,
)

HOSTILE = (
    "<!channel> <!here>",
    "<http://evil.example|Stop>",
    "<@U0ALICE> <#C0INCIDENTS> <!subteam^S0ONCALL>",
    "a" * 3000,
    "&" * 3000,
    "\u202eenil troppuS\u202c",
    "one\ntwo\r\n*three*",
    "`code` ~gone~ _thin_",
    "\x00\u200b",
    "",
)
_MARKUP = re.compile(r"<([^>]*)>")
_OURS = re.compile(
    r"!date\^\d+\^[^|]*\|[^|]*|https://example\.slack\.com/archives/C0INCIDENTS/p12\|The card is here|@U0(?:ALICE|BOB)|#C0INCIDENTS|!subteam\^S0ONCALL"
)


def _sent(message: Message) -> tuple[str, list[dict[str, Any]]]:
    return checked(message.text, message.blocks)


def _mrkdwn(thing: Any) -> list[str]:
    if isinstance(thing, dict):
        own = [thing["text"]] if thing.get("type") == "mrkdwn" else []
        return own + [text for part in thing.values() for text in _mrkdwn(part)]
    return [text for part in thing for text in _mrkdwn(part)] if isinstance(thing, list) else []


def _buttons(message: Message) -> list[dict[str, Any]]:
    _, blocks = _sent(message)
    return [e for block in blocks if block["type"] == "actions" for e in block["elements"] if e["type"] == "button"]


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_shown_and_not_obeyed(words: str) -> None:
    for message in every_screen(words):
        text, blocks = _sent(message)
        for shown in (text, *_mrkdwn(blocks)):
            assert all(_OURS.fullmatch(markup) for markup in _MARKUP.findall(shown)), shown[:300]
            assert "\u202e" not in shown


@settings(max_examples=10, deadline=None)  # more than a hundred screens each
@given(st.text(max_size=400))
def test_any_words_can_be_sent(words: str) -> None:
    for message in every_screen(words):
        text, blocks = _sent(message)
        assert text.strip()
        assert len(blocks) <= 50
        for shown in (text, *_mrkdwn(blocks)):
            assert all(_OURS.fullmatch(markup) for markup in _MARKUP.findall(shown)), shown[:300]


def test_every_time_on_every_screen_says_its_day() -> None:
    times = [markup for message in every_screen() for markup in re.findall("!date[^>]*", json.dumps(_sent(message)))]
    assert len(times) > 500
    assert {when.split("^")[2].partition("|")[0] for when in times} == {"{time_secs} {date_short_pretty}"}


def test_buttons_carry_ids_and_lists_and_nothing_personal() -> None:
    for message in every_screen():
        for button in _buttons(message):
            value = button["value"]
            assert CALLER not in value
            if button["action_id"] == ids.LIST_STOP_ALL:
                assert ids.decode_stop_all(value).filters.flow in {"Support line", None}
            elif button["action_id"].startswith("list."):
                assert ids.decode_listing(value).filters.flow in {"Support line", None}
            elif button["action_id"].startswith("activeflow."):
                assert isinstance(ids.decode_activeflow(value), UUID)


def test_no_screen_shows_the_whole_number_of_a_caller() -> None:
    for message in every_screen():
        assert CALLER not in json.dumps(_sent(message))
    assert "+1555" in json.dumps(_sent(activeflow_details(details(), ALICE, command="/flows")))


def test_no_two_buttons_are_called_the_same() -> None:
    message = activeflow_list(listing(), ALICE, NOW, command="/flows")
    labels = [button["accessibility_label"] for button in _buttons(message)]
    assert len(set(labels)) == len(labels) == 25
    assert "Stop Support line 3c5b0f6e" in labels


def test_whoever_may_not_stop_gets_no_stop_button_in_their_own_list() -> None:
    own = activeflow_list(listing(), VIEWER, NOW, command="/flows")
    everybodys = shared_list(listing(), NOW, command="/flows", by="U0BOB")
    assert ids.ASK_STOP not in {button["action_id"] for button in _buttons(own)}
    assert ids.ASK_STOP in {button["action_id"] for button in _buttons(everybodys)}


def test_an_ended_activeflow_has_no_stop_button() -> None:
    message = activeflow_details(details(status=Status.ENDED), ALICE, command="/flows")
    assert ids.ASK_STOP not in {button["action_id"] for button in _buttons(message)}


def test_the_footer_says_how_fresh_and_how_complete_the_list_is() -> None:
    words = json.dumps(_sent(activeflow_list(listing(), ALICE, NOW, command="/flows")), ensure_ascii=False)
    for said in (
        "23 running",
        "11–20, page 2 of 3",
        "as of <!date^1795348990^{time_secs} {date_short_pretty}|2026-11-22 12:03:10 UTC>",
        "complete since <!date^",
        "older ones were not read",
        "2 hidden",
        "1 could be missing",
        "1 could not be read",
    ):
        assert said in words, said


FOLLOWED = "older still being read (41 %)"


@pytest.mark.parametrize(
    ("freshness", "because", "said"),
    [
        (Freshness(live=True), "", ("live, as of <!date^", " · complete")),
        (Freshness(live=True, read=0.419), "reading", ("live, as of", f"last 1 h 5 min complete, {FOLLOWED}")),
        (Freshness(live=True), "reading", ("older still being read",)),
        (
            Freshness(live=False, down_since=NOW - timedelta(minutes=1)),
            "",
            ("event stream down since <!date^1795348930^", "re-read at <!date^1795348990^", " · complete"),
        ),
        (Freshness(live=False), "", ("as of <!date^1795348990^", " · complete")),
    ],
)
def test_the_footer_says_whether_the_list_is_followed(
    freshness: Freshness, because: str, said: tuple[str, ...]
) -> None:
    since = NOW - timedelta(minutes=65) if because else None
    found = listing(freshness=freshness, stopped_because=because, complete_since=since)
    words = json.dumps(_sent(activeflow_list(found, ALICE, NOW, command="/flows")), ensure_ascii=False)
    assert [word for word in said if word not in words] == []
    assert ("live, as of" in words) == freshness.live


def test_groups_are_counted_and_their_pages_turn_as_groups() -> None:
    groups = (ActiveflowGroup("Support *line*", 12, activeflow()), ActiveflowGroup(None, 1, activeflow(2)))
    found = listing(rows=0, by="flow", groups=groups)
    words = json.dumps(_sent(activeflow_list(found, ALICE, NOW, command="/flows")), ensure_ascii=False)
    assert "Support ∗line∗* · 12, the oldest 4 min (`3c5b0f6e`)" in words
    opened, *_, turned = [ids.decode_listing(value) for value in re.findall(r'"value": "(~[\w-]+)"', words)]
    assert (opened.by, opened.filters.flow) == (None, "Support *line*")
    assert turned.by == "flow"
    assert "No activeflow" not in words


def test_the_first_and_the_last_page_lead_nowhere_else() -> None:
    first = activeflow_list(listing(first=0, total=20), ALICE, NOW, command="/flows")
    last = activeflow_list(listing(first=10, total=20), ALICE, NOW, command="/flows")
    only = activeflow_list(listing(first=0, total=10), ALICE, NOW, command="/flows")
    turns = [{b["action_id"] for b in _buttons(m)} & {ids.LIST_NEXT, ids.LIST_PREVIOUS} for m in (first, last, only)]
    assert turns == [{ids.LIST_NEXT}, {ids.LIST_PREVIOUS}, set()]


def test_the_text_reads_well_aloud() -> None:
    text, _ = _sent(activeflow_list(listing(rows=1, total=1, first=0), ALICE, NOW, command="/flows"))
    assert text.startswith("Running activeflows: 1 running, as of ")
    assert "Support line 3c5b0f6e: Support line, began 4 min ago." in text
