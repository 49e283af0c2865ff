"""What people do in the simulated Slack reaches a real Bolt app as from Slack, and its answers reach the right
screens.
"""

import asyncio
import json
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.demo.serving import serving
from bot.demo.slack import Workspace, serving_slack
from bot.demo.slack.faults import error, hold, lose_answer, reset_before

CARD = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Main menu* for <@U0ALICE> &amp; others"}},
    {
        "type": "actions",
        "block_id": "row",
        "elements": [
            {
                "type": "button",
                "action_id": "stop",
                "value": "42",
                "style": "danger",
                "text": {"type": "plain_text", "text": "Stop flow"},
                "confirm": {
                    "title": {"type": "plain_text", "text": "Sure?"},
                    "text": {"type": "plain_text", "text": "It hangs up."},
                    "confirm": {"type": "plain_text", "text": "Stop"},
                    "deny": {"type": "plain_text", "text": "Keep"},
                },
            },
            {
                "type": "overflow",
                "action_id": "more",
                "options": [
                    {"text": {"type": "plain_text", "text": "Show"}, "value": "show"},
                    {"text": {"type": "plain_text", "text": "Watch"}, "value": "watch"},
                ],
            },
        ],
    },
]


def _bolt(workspace: Workspace, api_url: str, heard: list[Any]) -> AsyncApp:  # one small bot, told in one place
    app = AsyncApp(
        client=AsyncWebClient(workspace.bot_token, base_url=api_url),
        signing_secret=workspace.signing_secret,
        process_before_response=True,
    )

    @app.command("/flows")
    async def command(ack: Any, body: dict[str, Any], client: Any, respond: Any) -> None:
        heard.append(body)
        match body["text"]:
            case "private":
                await ack("only you")
            case "too long":
                await ack(blocks=[{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], text="x")
            case "public":
                await ack(response_type="in_channel", text="all of you")
            case "card":
                await ack()
                await client.chat_postMessage(channel=body["channel_id"], text="card", blocks=CARD)
            case "quiet card":
                await ack()
                await respond(text="card", blocks=CARD, replace_original=False)
            case "break":
                raise RuntimeError("broken on purpose")

    @app.action("stop")
    async def stop(ack: Any, body: dict[str, Any], respond: Any) -> None:
        heard.append(body)
        await ack()
        await respond(text="stopped", replace_original=True)

    @app.action("more")
    async def more(ack: Any, body: dict[str, Any]) -> None:
        heard.append(body)
        await ack()

    return app


@pytest.fixture
def heard() -> list[Any]:
    return []


@pytest.fixture
async def workspace(heard: list[Any]) -> AsyncIterator[Workspace]:
    slack = Workspace()
    slack.add_user("U0ALICE", "alice", real_name="Alice")
    slack.add_user("U0BOB", "bob", real_name="Bob")
    slack.add_user("U0ELSE", "eve", team_id="T0OTHER")
    slack.add_channel("C0OPS", "incidents", members=["U0ALICE", "U0BOB", "U0ELSE"])
    async with serving_slack(slack) as api_url:
        handler = AsyncSlackRequestHandler(_bolt(slack, api_url, heard))

        async def events(request: Request) -> Response:
            return await handler.handle(request)

        async with serving(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])) as bot:
            slack.request_url = f"{bot}/slack/events"
            yield slack


async def test_a_typed_command_arrives_signed_with_slacks_fields(workspace: Workspace, heard: list[Any]) -> None:
    delivery = await workspace.types("U0ALICE", "C0OPS", "/flows  private ")
    assert (delivery.status, delivery.error) == (200, None)
    assert heard[0]["user_id"] == "U0ALICE"
    assert heard[0]["channel_name"] == "incidents"
    assert heard[0]["text"] == "private"
    assert heard[0]["response_url"].startswith(workspace.url + "/commands/")
    assert [m.words for m in workspace.sees("U0ALICE", "C0OPS")] == ["only you"]
    assert workspace.sees("U0BOB", "C0OPS") == []


async def test_an_in_channel_answer_shows_the_typed_line_to_all(workspace: Workspace) -> None:
    await workspace.types("U0ALICE", "C0OPS", "/flows public")
    assert [m.words for m in workspace.sees("U0BOB", "C0OPS")] == ["/flows public", "all of you"]


async def test_a_bot_that_breaks_or_is_away_is_an_error_on_the_screen(workspace: Workspace) -> None:
    broken = await workspace.types("U0ALICE", "C0OPS", "/flows break")
    assert (broken.status, broken.error) == (500, '/flows failed with the error "dispatch_failed"')
    workspace.request_url = "http://127.0.0.1:1/"
    away = await workspace.types("U0ALICE", "C0OPS", "/flows private")
    assert (away.status, away.error) == (None, '/flows failed with the error "dispatch_failed"')


async def test_an_answer_that_slack_cannot_show_is_an_error_on_the_screen(workspace: Workspace) -> None:
    unusable = await workspace.types("U0ALICE", "C0OPS", "/flows too long")
    assert unusable.error == '/flows failed with the error "invalid_command_response"'
    assert workspace.deliveries == [unusable]
    assert workspace.sees("U0ALICE", "C0OPS") == []


async def test_a_late_ack_is_an_operation_timeout(workspace: Workspace) -> None:
    await workspace.types("U0ALICE", "C0OPS", "/flows private")  # Bolt asks once who it is
    workspace.patience = 0.2
    late = workspace.faults.on("chat.postMessage", hold())
    assert late.hold is not None
    delivery = await workspace.types("U0ALICE", "C0OPS", "/flows card")
    assert delivery.error == '/flows failed with the error "operation_timeout"'
    late.hold.release()
    await workspace.until(lambda: workspace.sees("U0BOB", "C0OPS"))


async def test_other_commands_and_people_of_other_workspaces_never_reach_the_bot(
    workspace: Workspace, heard: list[Any]
) -> None:
    assert (await workspace.types("U0ALICE", "C0OPS", "/other list")).error == "/other is not a valid command."
    assert (await workspace.types("U0ELSE", "C0OPS", "/flows list")).error == "/flows is not a valid command."
    await workspace.types("U0ALICE", "C0OPS", "good morning")
    assert heard == []
    assert workspace.deliveries == []
    with pytest.raises(LookupError):
        await workspace.types(workspace.bot_user_id, "D0NOWHERE", "/flows list")


async def test_a_press_carries_the_message_and_its_answer_replaces_it_for_all(
    workspace: Workspace, heard: list[Any]
) -> None:
    await workspace.types("U0ALICE", "C0OPS", "/flows card")
    (card,) = workspace.sees("U0BOB", "C0OPS")
    assert card.words == "Main menu for @Alice & others\n[Stop flow] [Show] [Watch]"
    assert [b.label for b in card.buttons] == ["Stop flow", "Show", "Watch"]
    await workspace.clicks("U0ELSE", card, "stop")
    press = heard[-1]
    assert press["message"]["ts"] == card.ts
    assert press["actions"][0]["value"] == "42"
    assert (press["user"]["team_id"], press["team"]["id"]) == ("T0OTHER", workspace.team_id)
    assert workspace.message("C0OPS", card.ts).words == "stopped"
    assert card.words.endswith("[Watch]"), "what was seen before stays as it was"


async def test_a_press_in_an_ephemeral_message_carries_no_message(workspace: Workspace, heard: list[Any]) -> None:
    await workspace.types("U0ALICE", "C0OPS", "/flows quiet card")
    (card,) = workspace.sees("U0ALICE", "C0OPS")
    assert card.ephemeral_to == "U0ALICE"
    with pytest.raises(LookupError):
        await workspace.clicks("U0BOB", card, "stop")
    await workspace.clicks("U0ALICE", card, "stop")
    assert "message" not in heard[-1]
    assert heard[-1]["container"]["is_ephemeral"] is True
    assert [m.words for m in workspace.sees("U0ALICE", "C0OPS")] == ["stopped"]


async def test_no_to_the_confirm_dialog_delivers_nothing(workspace: Workspace, heard: list[Any]) -> None:
    await workspace.types("U0ALICE", "C0OPS", "/flows card")
    (card,) = workspace.sees("U0ALICE", "C0OPS")
    before = len(heard)
    await workspace.clicks("U0ALICE", card, "stop", confirm=False)
    assert len(heard) == before


async def test_an_overflow_option_is_chosen_by_value_and_an_unknown_one_is_a_look_up_error(
    workspace: Workspace, heard: list[Any]
) -> None:
    await workspace.types("U0ALICE", "C0OPS", "/flows card")
    (card,) = workspace.sees("U0ALICE", "C0OPS")
    await workspace.clicks("U0ALICE", card, "more", value="watch")
    assert heard[-1]["actions"][0]["selected_option"]["value"] == "watch"
    with pytest.raises(LookupError, match="no button"):
        await workspace.clicks("U0ALICE", card, "more", value="dance")


async def test_replayed_bytes_are_taken_again_and_forged_or_stale_ones_are_not(
    workspace: Workspace, heard: list[Any]
) -> None:
    first = await workspace.types("U0ALICE", "C0OPS", "/flows private")
    again = await workspace.delivers(first.body, first.headers)
    assert (again.status, len(heard)) == (200, 2)
    forged = await workspace.delivers(first.body.replace(b"U0ALICE", b"U0BOBXX"), first.headers)
    stale = await workspace.delivers(first.body, workspace.signed(first.body, at=1_700_000_000))
    assert (forged.status, stale.status, len(heard)) == (401, 401, 2)


async def test_a_response_url_works_five_times_and_thirty_minutes(workspace: Workspace) -> None:
    await workspace.types("U0ALICE", "C0OPS", "/flows private")
    await workspace.types("U0ALICE", "C0OPS", "/flows private")
    first, second = (str(delivery.payload["response_url"]) for delivery in workspace.deliveries)
    async with aiohttp.ClientSession() as session:

        async def says(url: str) -> tuple[int, str]:
            async with session.post(url, json={"text": "hello"}) as response:
                return response.status, await response.text()

        assert [await says(first) for _ in range(6)] == [(200, "ok")] * 5 + [(404, "used_url")]
        later = workspace.now() + 31 * 60
        workspace.now = lambda: later
        assert await says(second) == (404, "expired_url")
        assert await says(workspace.url + "/commands/T/1/guessed") == (404, "no_service")
    assert [seen.status for seen in workspace.responses] == [200] * 5 + [404] * 3


async def test_lost_answers_and_resets_differ_in_what_was_done(workspace: Workspace) -> None:
    workspace.faults.on("chat.postMessage", lose_answer(), times=2)  # the SDK asks once more after a lost connection
    await workspace.types("U0ALICE", "C0OPS", "/flows card")
    assert len(workspace.sees("U0ALICE", "C0OPS")) == 2
    workspace.faults.on("chat.postMessage", reset_before(), times=2)
    await workspace.types("U0ALICE", "C0OPS", "/flows card")
    assert len(workspace.sees("U0ALICE", "C0OPS")) == 2
    workspace.faults.on("chat.postMessage", error("is_archived"))
    await workspace.types("U0ALICE", "C0OPS", "/flows card")
    assert workspace.calls[-1].answered["error"] == "is_archived"


async def test_until_shows_what_people_see_when_it_never_comes_true(workspace: Workspace) -> None:
    await workspace.types("U0ALICE", "C0OPS", "nothing to see")
    with pytest.raises(AssertionError, match="nothing to see"):
        await workspace.until(lambda: workspace.sees("U0ALICE", "C0OPS")[7], seconds=0.05)


async def test_two_deliveries_run_side_by_side(workspace: Workspace) -> None:
    held = workspace.faults.on("chat.postMessage", hold())
    assert held.hold is not None
    slow = asyncio.create_task(workspace.types("U0ALICE", "C0OPS", "/flows card"))
    await held.hold.arrived()
    quick = await workspace.types("U0BOB", "C0OPS", "/flows private")
    assert quick.error is None
    assert not slow.done()
    held.hold.release()
    assert (await slow).error is None


async def test_payloads_are_form_encoded_json_and_events_plain_json(workspace: Workspace) -> None:
    await workspace.types("U0ALICE", "C0OPS", "/flows card")
    await workspace.clicks("U0ALICE", workspace.sees("U0ALICE", "C0OPS")[0], "more", value="show")
    await workspace.tells({"type": "user_change", "user": "U0ALICE"})
    _, press, event = workspace.deliveries
    assert json.loads(urllib.parse.parse_qs(press.body.decode())["payload"][0])["type"] == "block_actions"
    assert json.loads(event.body)["event"]["type"] == "user_change"
