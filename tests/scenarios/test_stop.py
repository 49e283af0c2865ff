"""One activeflow, stopped from Slack: who may, what is said, what VoIPBIN became."""

import asyncio

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage


async def test_alice_stops_a_call_and_everybody_reads_that_it_ended(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    flow = voipbin.add_flow("Support line")
    activeflow = voipbin.rings(flow, at="digits_receive")
    card = await bot.asks_to_stop(activeflow, words="caller is stuck")
    assert "Stop this activeflow?" in card.words
    assert "Support line" in card.words
    assert "caller is stuck" in card.words
    assert bot.posts(activeflow) == 0
    delivery = await slack.clicks(ALICE, card, "stop.flow")
    assert delivery.error is None
    await bot.reads("Stopped by", user=BOB)
    assert voipbin.activeflow(activeflow.id).status == "ended"
    assert bot.posts(activeflow) == 1
