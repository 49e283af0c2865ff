"""The same listeners through Socket Mode: no inbound port, no signature, the same stories."""

import aiohttp

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage


async def test_list_and_stop_through_the_socket(stage: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    slack.socket_mode, slack.request_url = True, None
    async with stage.start(slack_app_token=slack.app_token, slack_signing_secret=None):
        slack.request_url = None
        await slack.types(ALICE, INCIDENTS, "/flows list")
        await stage.reads("Support line")
        card = await stage.asks_to_stop(activeflow)
        delivery = await slack.clicks(ALICE, card, "stop.flow")
        assert delivery.error is None
        await stage.reads("Stopped by")
    assert stage.posts(activeflow) == 1


async def test_another_program_with_the_same_token_is_told_in_readyz_and_by_the_doctor(
    stage: Stage, slack: Workspace
) -> None:
    slack.socket_mode, slack.patience = True, 1.0  # the other program does not answer
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(slack.socket.ticket(slack.url)),
        stage.start(slack_app_token=slack.app_token, slack_signing_secret=None),
    ):
        slack.request_url = None
        async with session.get(f"{stage.url}/readyz") as response:
            told = await response.json()
        assert (response.status, told["ready"]) == (200, True)
        (warning,) = [each["why"] for each in told["warnings"] if each["what"] == "deliveries"]
        assert "Slack counted 2 connections of this app" in warning
        for _ in range(2):  # to each of them in turn
            await slack.types(ALICE, INCIDENTS, "/flows doctor")
        await stage.reads("another program uses SLACK_APP_TOKEN")
