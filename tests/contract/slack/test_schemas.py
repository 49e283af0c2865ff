"""The judge made from Slack's own types finds what it is there for, and takes what is right."""

import copy
from typing import Any

import pytest

from bot.demo.slack import Workspace
from tests.contract.slack.judge import DEFINITIONS, WHOLE, Judge, faults
from tests.unit.demo.small_bot import small_bot

STOP = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}, "value": "1"}
ROW = {"type": "section", "text": {"type": "mrkdwn", "text": "*Main menu*"}, "accessory": STOP}
PICK = {"type": "external_select", "action_id": "pick", "min_query_length": 0}
CARD: dict[str, Any] = {
    "channel": "C0OPS",
    "text": "card",
    "blocks": [ROW, {"type": "actions", "elements": [STOP]}, {"type": "actions", "elements": [PICK]}],
}
MODAL: dict[str, Any] = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Stop"},
    "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Stop"}}],
}


def _changed(whole: dict[str, Any], path: str, part: Any) -> dict[str, Any]:
    changed = copy.deepcopy(whole)
    *way, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    node: Any = changed
    for key in way:
        node = node[key]
    node[last] = part
    return changed


def test_the_versions_are_written_down() -> None:
    assert all(name in WHOLE["$comment"] for name in ("@slack/types 3.", "@slack/bolt 5.", "@slack/web-api 8."))
    assert {"KnownBlock", "ModalView", "HomeView", "BlockAction", "SlashCommand"} <= DEFINITIONS.keys()


def test_what_is_right_is_right() -> None:
    assert faults("ChatPostMessageArguments", CARD) == []
    assert faults("RespondArguments", {"text": "only words", "replace_original": False}) == []
    assert faults("ModalView", MODAL) == []


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("blocks/0/type", "sektion"),
        ("blocks/0/type", []),
        ("blocks/0/text/text", "x" * 3001),
        ("blocks/0/text/text", ""),
        ("blocks/0/text", {"type": "mrkdwn", "text": "x", "emoji": True}),
        ("blocks/0/accessory/text/text", "x" * 76),
        ("blocks/0/accessory/text/type", "mrkdwn"),
        ("blocks/0/accessory/value", "x" * 2001),
        ("blocks/0/accessory/style", "default"),
        ("blocks/1/elements", [STOP] * 26),
        ("blocks/1/label", "an unknown key"),
        ("blocks", None),
        ("channel", None),
        ("unfurl_link", False),
    ],
)
def test_a_wrong_message_is_found(path: str, part: Any) -> None:
    assert faults("ChatPostMessageArguments", _changed(CARD, path, part))


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("title/text", "x" * 25),
        ("private_metadata", "x" * 3001),
        ("callback_id", "x" * 256),
        ("blocks", [{"type": "divider"}] * 101),
        ("blocks/0/text/text", "x" * 151),
        ("type", "window"),
    ],
)
def test_a_wrong_view_is_found(path: str, part: Any) -> None:
    assert faults("ModalView", _changed(MODAL, path, part))


async def test_all_that_the_simulated_slack_tells_and_answers_is_what_slack_would(slack: Workspace) -> None:
    async with small_bot(slack) as bot:
        posted = await bot.call("chat.postMessage", **CARD)
        card = slack.message("C0OPS", posted["ts"])
        await slack.types("U0ALICE", "C0OPS", "@flows-bot list", thread_ts=card.ts)
        await slack.types("U0ALICE", "C0OPS", "/flows list")
        await slack.types("U0ALICE", slack.direct_channel("U0ALICE").id, "hello")
        await slack.clicks("U0ALICE", card, "stop")
        await slack.uses_shortcut("U0ALICE", card, "activeflow.find")
        await slack.uses_global_shortcut("U0ALICE", "activeflow.new", channel="C0OPS")
        await slack.looks_up("U0ALICE", card, "pick")
        await slack.opens_home("U0ALICE")
        asked: dict[str, dict[str, Any]] = {
            "chat.update": {"channel": "C0OPS", "ts": card.ts, "text": "x"},
            "conversations.info": {"channel": "C0OPS"},
            "conversations.history": {"channel": "C0OPS", "limit": 2},
            "users.info": {"user": "U0ALICE"},
            "usergroups.list": {"include_users": True},
            "views.open": {"trigger_id": slack.triggers.give("U0ALICE"), "view": MODAL},
            "chat.delete": {"channel": "C0OPS", "ts": card.ts},
        }
        for method, arguments in asked.items():
            assert (await bot.call(method, **arguments))["ok"], method
        (view,) = slack.views_of("U0ALICE")
        await slack.submits("U0ALICE", view, {})
    told = {delivery.payload["type"] for delivery in slack.deliveries if "type" in delivery.payload}
    assert {"block_actions", "message_action", "shortcut", "view_submission", "event_callback"} <= told
    assert "block_suggestion" in told


def test_each_shape_is_judged_once_and_named() -> None:
    judge = Judge()
    for ts in ("1.0", "2.0"):
        judge.take("chat.update", {"channel": "C0OPS", "ts": ts, "text": "x" * 70, "blocks": [ROW]}, None)
    judge.take("chat.update", _changed(CARD, "blocks/0/accessory/text/text", "x" * 76) | {"ts": "1.0"}, None)
    (fault,) = judge.verdict()
    assert fault.startswith("ChatUpdateArguments at /")
    assert judge.verdict() == []
    assert judge.counts["said by the bot"] == 3
