"""The same listeners through Socket Mode: no inbound port, no signature, the same stories."""

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
