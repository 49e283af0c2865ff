"""Bolt's own Socket Mode client connects to the simulated Slack and takes what people do through the socket."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import Workspace, serving_slack


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    slack = Workspace()
    slack.socket_mode = True
    slack.patience = 1.0
    slack.add_user("U0ALICE", "alice")
    slack.add_channel("C0OPS", "incidents", members=["U0ALICE"])
    async with serving_slack(slack):
        yield slack


@pytest.fixture
async def connected(workspace: Workspace) -> AsyncIterator[AsyncSocketModeHandler]:
    client = AsyncWebClient(workspace.bot_token, base_url=f"{workspace.url}/api/")
    app = AsyncApp(client=client)

    @app.command("/flows")
    async def command(ack: Any, body: dict[str, Any], say: Any) -> None:
        if body["text"] != "silence":
            await ack(f"you said {body['text']}")
            await say(text="card", blocks=[{"type": "actions", "elements": [_button()]}])

    @app.action("stop")
    async def stop(ack: Any, respond: Any) -> None:
        await ack()
        await respond("stopped", replace_original=True)

    @app.event("app_home_opened")
    async def home(event: dict[str, Any]) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [{"type": "divider"}]})

    handler: Any = AsyncSocketModeHandler(app, workspace.app_token)
    await handler.connect_async()
    await workspace.until(lambda: workspace.socket.connected == 1)
    yield handler
    await handler.close_async()


def _button() -> dict[str, Any]:
    return {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}


async def test_commands_presses_and_events_go_through_the_socket(
    workspace: Workspace, connected: AsyncSocketModeHandler
) -> None:
    typed = await workspace.types("U0ALICE", "C0OPS", "/flows payload")
    assert (typed.error, typed.status) == (None, 200)
    card = await workspace.until(lambda: [m for m in workspace.sees("U0ALICE", "C0OPS") if m.buttons])
    assert "you said payload" in [m.words for m in workspace.sees("U0ALICE", "C0OPS")]
    pressed = await workspace.clicks("U0ALICE", card[0], "stop")
    assert pressed.error is None
    await workspace.until(lambda: workspace.message("C0OPS", card[0].ts).words == "stopped")
    assert (await workspace.opens_home("U0ALICE")).error is None
    await workspace.until(lambda: workspace.home_of("U0ALICE"))


async def test_an_envelope_that_nobody_acknowledges_is_an_error_on_the_screen(
    workspace: Workspace, connected: AsyncSocketModeHandler
) -> None:
    workspace.patience = 0.1
    silent = await workspace.types("U0ALICE", "C0OPS", "/flows silence")
    assert silent.error == '/flows failed with the error "dispatch_failed"'


async def test_without_a_connection_nothing_is_delivered(workspace: Workspace) -> None:
    alone = await workspace.types("U0ALICE", "C0OPS", "/flows list")
    assert alone.error == '/flows failed with the error "dispatch_failed"'


async def test_an_address_works_once_and_only_for_the_app_token(workspace: Workspace) -> None:
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await AsyncWebClient(base_url=f"{workspace.url}/api/").apps_connections_open(app_token=workspace.bot_token)
    url = workspace.socket.ticket(workspace.url)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_a_disconnect_makes_bolt_come_again(workspace: Workspace, connected: AsyncSocketModeHandler) -> None:
    opened = [seen for seen in workspace.calls if seen.method == "apps.connections.open"]
    await workspace.socket.disconnect("refresh_requested")
    await workspace.until(lambda: workspace.socket.connected >= 1)
    again = [seen for seen in workspace.calls if seen.method == "apps.connections.open"]
    assert len(again) > len(opened)
    assert (await workspace.types("U0ALICE", "C0OPS", "/flows list")).error is None


async def test_one_connection_too_many_is_told_so_and_closed(workspace: Workspace) -> None:
    workspace.socket.ghosts = 9
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(workspace.socket.ticket(workspace.url)) as tenth:
            assert (await tenth.receive_json())["num_connections"] == 10, "ghosts count"
            async with session.ws_connect(workspace.socket.ticket(workspace.url)) as eleventh:
                told = await eleventh.receive_json()
                assert (told["type"], told["reason"]) == ("disconnect", "too_many_websockets")
                assert (await eleventh.receive()).type == aiohttp.WSMsgType.CLOSE
        workspace.socket.ghosts = 0


async def test_a_warning_is_followed_by_its_close(workspace: Workspace, connected: AsyncSocketModeHandler) -> None:
    workspace.socket.warning_seconds = 0.0
    opened = sum(seen.method == "apps.connections.open" for seen in workspace.calls)
    await workspace.socket.disconnect("warning")
    await workspace.until(
        lambda: (
            sum(seen.method == "apps.connections.open" for seen in workspace.calls) > opened
            and workspace.socket.connected == 1
        )
    )
    assert (await workspace.types("U0ALICE", "C0OPS", "/flows list")).error is None


async def test_an_event_that_is_not_acknowledged_comes_again(workspace: Workspace) -> None:
    workspace.event_retries = (0.0,)
    async with aiohttp.ClientSession() as session, session.ws_connect(workspace.socket.ticket(workspace.url)) as socket:
        await socket.receive_json()
        workspace.patience = 0.05
        workspace.background.start(workspace.types("U0ALICE", "C0OPS", "@flows-bot list"))
        first, second = await socket.receive_json(), await socket.receive_json()
    assert (first["retry_attempt"], second["retry_attempt"], second["retry_reason"]) == (0, 1, "timeout")
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
