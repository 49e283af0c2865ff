"""A bot that dies again and again, for whatever reason, still carries out what it has acked once it lives."""

import pytest

from bot.demo.voipbin.world import World
from tests.faults.processes import Processes
from tests.faults.truth import Audit, assert_told_truly, last_word, stops_with_effect
from tests.scenarios.bulk_stage import BulkStage
from tests.scenarios.conftest import ALICE, CAROL, Stage

_OFTEN = 5000


async def test_a_stop_is_carried_out_however_often_the_bot_died_in_it(
    stage: Stage, voipbin: World, processes: Processes, audit: Audit
) -> None:
    bot = await processes.start()
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    card = await stage.asks_to_stop(activeflow)
    bot.dies("after", 3)
    await stage.slack.clicks(ALICE, card, "stop.flow")
    await stage.slack.until(lambda: bot.dead)
    assert audit.unfinished() == 1
    audit.pretend_deaths(_OFTEN)
    async with stage.start():
        words = await last_word(stage, card)
    assert words.startswith("Stopped")
    assert_told_truly(stage, activeflow, words)
    assert stops_with_effect(voipbin, activeflow) == 1


@pytest.mark.slow
async def test_so_is_a_bulk_stop_with_each_of_its_members(
    stage: Stage, bulk: BulkStage, voipbin: World, processes: Processes, audit: Audit
) -> None:
    bot = await processes.start()
    loops = bulk.ring(4, voipbin.add_flow("Support line"))
    card = await bulk.asks('flow:"Support line" they loop')
    bot.dies("after", 40)
    await stage.slack.clicks(CAROL, card, "bulk.stop")
    await stage.slack.until(lambda: bot.dead)
    assert audit.unfinished() > 1
    audit.pretend_deaths(_OFTEN)
    async with stage.start():
        words = await bulk.over(card)
    assert words.startswith("All 4 have ended")
    assert [bulk.stops(each) for each in loops] == [1] * 4
