"""Modals, the Home tab and shortcuts of the simulated Slack, with a real Bolt app behind them."""

from collections.abc import AsyncIterator
from typing import Any

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

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*Main menu*"}}
MODAL = {
    "type": "modal",
    "callback_id": "reason",
    "title": {"type": "plain_text", "text": "Stop a flow"},
    "submit": {"type": "plain_text", "text": "Stop"},
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


def _bolt(workspace: Workspace, api_url: str, heard: list[Any]) -> AsyncApp:
    app = AsyncApp(
        client=AsyncWebClient(workspace.bot_token, base_url=api_url),
        signing_secret=workspace.signing_secret,
        process_before_response=True,
    )

    @app.command("/flows")
    async def command(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("reason")
    async def reason(ack: Any, body: dict[str, Any]) -> None:
        heard.append(body)
        given = body["view"]["state"]["values"]["why"]["text"]["value"]
        if given == "bad":
            await ack(response_action="errors", errors={"why": "Say more."})
        elif given == "nonsense":
            await ack(response_action="errors", errors={"nowhere": "?"})
        elif given == "more":
            await ack(response_action="push", view=MODAL)
        else:
            await ack()

    @app.view_closed("reason")
    async def closed(ack: Any, body: dict[str, Any]) -> None:
        heard.append(body)
        await ack()

    @app.event("app_home_opened")
    async def home(body: dict[str, Any], client: Any) -> None:
        heard.append(body)
        view = {"type": "home", "blocks": [SECTION]}
        await client.views_publish(user_id=body["event"]["user"], view=view)

    @app.shortcut("look")
    async def look(ack: Any, body: dict[str, Any], respond: Any) -> None:
        heard.append(body)
        await ack()
        await respond("looked")

    return app


@pytest.fixture
def heard() -> list[Any]:
    return []


@pytest.fixture
async def workspace(heard: list[Any]) -> AsyncIterator[Workspace]:
    slack = Workspace()
    slack.add_user("U0ALICE", "alice", real_name="Alice")
    slack.add_user("U0BOB", "bob", real_name="Bob")
    slack.add_channel("C0OPS", "incidents", members=["U0ALICE", "U0BOB"])
    async with serving_slack(slack) as api_url:
        handler = AsyncSlackRequestHandler(_bolt(slack, api_url, heard))

        async def events(request: Request) -> Response:
            return await handler.handle(request)

        async with serving(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])) as bot:
            slack.request_url = f"{bot}/slack/events"
            yield slack


async def test_a_modal_is_filled_corrected_stacked_and_submitted(workspace: Workspace, heard: list[Any]) -> None:
    await workspace.types("U0ALICE", "C0OPS", "/flows modal")
    (view,) = workspace.views_of("U0ALICE")
    unfilled = await workspace.submits("U0ALICE", view, {})
    assert (unfilled.status, unfilled.error) == (None, "Please complete this required field.")
    await workspace.submits("U0ALICE", view, {"why": {"text": "bad"}})
    assert "Say more." in workspace.views_of("U0ALICE")[0].words
    nonsense = await workspace.submits("U0ALICE", view, {"why": {"text": "nonsense"}})
    assert nonsense.error is not None
    assert "trouble connecting" in nonsense.error
    await workspace.submits("U0ALICE", view, {"why": {"text": "more"}})
    assert len(workspace.views_of("U0ALICE")) == 2
    await workspace.closes("U0ALICE", workspace.views_of("U0ALICE")[-1])
    assert heard[-1]["type"] == "view_closed"
    await workspace.submits("U0ALICE", view, {"why": {"text": "caller is stuck"}})
    assert workspace.views_of("U0ALICE") == []
    with pytest.raises(LookupError):
        await workspace.submits("U0ALICE", view, {"why": {"text": "again"}})


async def test_home_and_message_shortcut(workspace: Workspace, heard: list[Any]) -> None:
    await workspace.opens_home("U0ALICE")
    home = await workspace.until(lambda: workspace.home_of("U0ALICE"))
    assert home.words.startswith("Main menu")
    await workspace.types("U0ALICE", "C0OPS", "look here")
    (message,) = workspace.sees("U0BOB", "C0OPS")
    await workspace.uses_shortcut("U0BOB", message, "look")
    assert heard[-1]["message"]["text"] == "look here"
    assert workspace.sees("U0BOB", "C0OPS")[-1].words == "looked"
