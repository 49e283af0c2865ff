"""A press that an earlier build was carrying out when it was replaced by this one: its steps had other names."""

import pytest
from sqlalchemy import create_engine, text

from bot.demo.voipbin.faults import hold
from bot.demo.voipbin.world import World
from tests.faults.processes import Processes
from tests.faults.truth import Audit, assert_told_truly, last_word, stop_requests
from tests.scenarios.conftest import ALICE, POLICY, Stage


def was_recorded_by_an_earlier_build(url: str) -> None:
    """As version 1 left it: looked, before it claimed."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE workflow_status SET application_version = '1'"))
        connection.execute(text("UPDATE operation_outputs SET function_name = 'look' WHERE function_name = 'claim'"))
    engine.dispose()


@pytest.mark.parametrize("sent", [False, True], ids=["before it was sent", "while it was on its way"])
async def test_it_is_carried_out_from_its_beginning(
    sent: bool, stage: Stage, voipbin: World, processes: Processes, audit: Audit, sqlite_url: str
) -> None:
    bot = await processes.start()
    caller = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    card, point = await stage.asks_to_stop(caller), hold(after_work=True)
    voipbin.faults.on(*(("POST", "/activeflows/{id}/stop") if sent else ("GET", "/activeflows/{id}")), point)
    await stage.slack.clicks(ALICE, card, "stop.flow")
    await point.arrived()
    await bot.kill()
    was_recorded_by_an_earlier_build(sqlite_url)
    await processes.start()
    words = await last_word(stage, card)
    await stage.slack.until(lambda: not audit.unfinished())
    assert words.startswith("Ended" if sent else "Stopped")
    assert_told_truly(stage, caller, words)
    assert len(stop_requests(voipbin, caller)) == 1
    assert audit.claims() == 0


async def test_whoever_lost_the_permission_while_the_bot_lay_dead_stops_nothing(
    stage: Stage, voipbin: World, processes: Processes, audit: Audit
) -> None:
    """Killed between the press and the stop; the policy and the person changed before it was started again."""
    bot = await processes.start()
    caller = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    card, point = await stage.asks_to_stop(caller), hold()
    voipbin.faults.on("GET", "/activeflows/{id}", point)
    await stage.slack.clicks(ALICE, card, "stop.flow")
    await point.arrived()
    await bot.kill()
    stage.policy.write_text(POLICY.replace('"view", "stop"', '"view"'), encoding="utf-8")
    await processes.start()
    assert "the policy gives nobody “stop”" in await last_word(stage, card)
    await stage.slack.until(lambda: not audit.unfinished())
    assert stop_requests(voipbin, caller) == []
