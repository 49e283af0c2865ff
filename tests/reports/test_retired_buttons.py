"""Gestures that no listener knows are answered in words, over HTTP and over the socket alike.

https://github.com/RooVetGit/Roomote/pull/2157 (buttons of older versions live on in old messages)
https://github.com/slackapi/bolt-python/issues/264 (an unknown submission is acked, and the form closes)
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.demo.slack.view_methods import opened
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage


@pytest.fixture(params=["http", "socket"])
async def here(request: pytest.FixtureRequest, stage: Stage, slack: Workspace) -> AsyncIterator[Stage]:
    """The bot, over each transport."""
    async with over(request.param, stage, slack):
        yield stage


@asynccontextmanager
async def over(transport: str, stage: Stage, slack: Workspace) -> AsyncIterator[None]:
    if transport == "http":
        async with stage.start():
            yield
        return
    slack.socket_mode = True
    async with stage.start(slack_app_token=slack.app_token, slack_signing_secret=None):
        slack.request_url = None
        yield


def button(action_id: str) -> dict[str, Any]:
    element = {"type": "button", "action_id": action_id, "value": "1", "text": {"type": "plain_text", "text": "Stop"}}
    return {"type": "actions", "elements": [element]}


def form(*blocks: dict[str, Any]) -> dict[str, Any]:
    words = {"type": "plain_text", "text": "Why?"}
    return {"type": "modal", "callback_id": "reason_v1", "title": words, "submit": words, "blocks": list(blocks)}


FIELD = {
    "type": "input",
    "block_id": "why",
    "label": {"type": "plain_text", "text": "Why?"},
    "element": {"type": "plain_text_input", "action_id": "why"},
}
HEADING = {"type": "section", "text": {"type": "mrkdwn", "text": "Really?"}}


async def test_a_retired_button_form_and_shortcut_are_answered_in_words_and_named_in_the_log(
    here: Stage, slack: Workspace, voipbin: World
) -> None:
    old = slack.post(INCIDENTS, slack.bot_user_id, "an old card", blocks=[button("flow_stop_v1")])
    with capture_logs() as logged:
        assert (await slack.clicks(ALICE, old, "flow_stop_v1")).error is None
        told = await here.reads("does not know this button any more")
        assert told.ephemeral_to == ALICE
        assert "Nothing was stopped. Type /flows list" in told.words
        assert (await slack.uses_shortcut(ALICE, old, "find_v1")).error is None
        assert "Nothing was stopped" in (await here.reads("does not know this shortcut any more")).words
        assert (await slack.uses_global_shortcut(ALICE, "overview_v1")).error is None
        place = slack.direct_channel(ALICE).id
        assert "Nothing was stopped" in (await here.reads("does not know this shortcut", channel=place)).words
    named = {(line.get("kind"), line.get("id")) for line in logged if line["event"] == "gesture_not_known"}
    assert named == {("block_actions", "flow_stop_v1"), ("message_action", "find_v1"), ("shortcut", "overview_v1")}
    assert voipbin.requests == [] or all(seen.method == "GET" for seen in voipbin.requests)


async def test_a_form_that_nobody_knows_stays_open_with_its_words(here: Stage, slack: Workspace) -> None:
    view = opened(slack, ALICE, form(HEADING, FIELD))
    slack.stack(ALICE, [view])
    delivery = await slack.submits(ALICE, view, {"why": {"why": "it loops"}})
    assert delivery.error is None
    (kept,) = slack.views_of(ALICE)
    assert "does not know this form any more. Nothing was stopped." in kept.errors["why"]
    plain = opened(slack, ALICE, form(HEADING))
    slack.stack(ALICE, [plain])
    assert (await slack.submits(ALICE, plain, {})).error is None
    (shown,) = slack.views_of(ALICE)
    assert "does not know this form any more" in shown.words
    assert "[Why?]" not in shown.words


async def test_a_command_of_another_name_is_answered_with_both_names(here: Stage, slack: Workspace) -> None:
    """https://docs.slack.dev/reference/app-manifest: the name stands in Slack, and in the bot's settings."""
    slack.commands["/flowz"] = slack.commands["/flows"]
    with capture_logs() as logged:
        assert (await slack.types(ALICE, INCIDENTS, "/flowz list")).error is None
        told = await here.reads("does not know the command")
    assert "/flowz" in told.words
    assert "It listens to /flows" in told.words
    assert "Nothing was stopped" in told.words
    assert [(line["id"], line["listens_to"]) for line in logged if line["event"] == "gesture_not_known"] == [
        ("/flowz", "/flows")
    ]


async def test_a_kind_of_gesture_that_is_new_is_answered_too(bot: Stage, slack: Workspace) -> None:
    """``interactive_message`` and whatever Slack invents next."""
    payload = {
        "type": "interactive_message",
        "callback_id": "attachment_v1",
        "user": {"id": ALICE, "team_id": slack.team_id},
        "team": {"id": slack.team_id},
        "channel": {"id": INCIDENTS},
        "api_app_id": slack.api_app_id,
    }
    assert (await slack.interacts("interactive_message", ALICE, payload, "")).status == 200
    assert "Nothing was stopped" in (await bot.reads("does not know this button any more")).words
