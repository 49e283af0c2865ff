"""Installed with what the manifest asks for and nothing else, the bot lacks nothing."""

from pathlib import Path

import yaml

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ABROAD, ALICE, BOB, CAROL, INCIDENTS, Stage
from tests.scenarios.typing_at import answers

MANIFEST = Path(__file__).parents[2] / "manifest.yml"
TOLERATED = {"not_in_channel", "channel_not_found"}


async def test_the_manifests_scopes_suffice_for_everything_people_do(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    slack.installs(yaml.safe_load(MANIFEST.read_text(encoding="utf-8")))
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    async with stage.start():
        for channel in (INCIDENTS, ABROAD):
            listing = await answers(stage, "list", user=CAROL, channel=channel)
            await slack.clicks(CAROL, listing, ids.LIST_SHARE)
            await stage.reads("read by @Carol", user=BOB, channel=channel)
        await answers(stage, f"show {activeflow.id}")
        await answers(stage, "whoami", user=CAROL)
        await slack.clicks(ALICE, await stage.asks_to_stop(activeflow), ids.STOP_FLOW)
        await stage.reads("Stopped by", user=BOB)
    errors = {str(call.answered.get("error")) for call in slack.calls if not call.answered.get("ok")}
    assert errors <= TOLERATED
