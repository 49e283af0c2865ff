"""Many activeflows, stopped from Slack at once: who may, what is frozen, what is touched, and what is said of each."""

import pytest

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from tests.scenarios.bulk_stage import APPROVER, BulkStage
from tests.scenarios.conftest import ALICE, BOB, CAROL, GUEST, INCIDENTS, Stage


@pytest.fixture
def bulk(stage: Stage, slack: Workspace) -> BulkStage:
    slack.add_user(APPROVER, "Dave")
    slack.channels[INCIDENTS].members.append(APPROVER)
    bulk = BulkStage(stage)
    bulk.rules()
    return bulk


async def test_two_persons_stop_twelve_looping_calls_and_everybody_reads_that_they_ended(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    flow = voipbin.add_flow("Support line")
    others = bulk.ring(2, voipbin.add_flow("Sales"))
    loops = bulk.ring(12, flow)
    async with stage.start():
        card = await bulk.asks('flow:"Support line" loops since the deploy')
        assert "Stop these 12 activeflows?" in card.words
        assert "12 × Support line" in card.words
        assert "Hangs up on 12 callers" in card.words
        assert "loops since the deploy" in card.words
        await bulk.presses(card)
        words = await bulk.over(card)
    assert words.startswith("All 12 have ended")
    assert "12 of 12 ended · 0 left" in words
    assert bulk.running(loops) == []
    assert bulk.running(others) == others
    assert [bulk.stops(each) for each in loops] == [1] * 12
