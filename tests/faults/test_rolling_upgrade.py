"""Replicas on PostgreSQL that are replaced one after the other by a newer build, while stops go on."""

import signal

import pytest

from bot.demo.voipbin.faults import hold
from bot.demo.voipbin.world import World
from bot.ledger.database import Database
from bot.ledger.tables import VERSION, version
from tests.faults.processes import Processes
from tests.faults.truth import Audit, assert_told_truly, last_word, stop_requests
from tests.scenarios.conftest import ALICE, Stage


async def test_the_newer_upgrades_the_ledger_beneath_the_older_and_takes_over_their_work(
    stage: Stage, voipbin: World, processes: Processes, empty_postgresql_url: str
) -> None:
    database, audit = Database(empty_postgresql_url), Audit(empty_postgresql_url)
    older = [processes.ready(earlier=True, flows_bot_database_url=empty_postgresql_url) for _ in range(2)]
    for bot in older:
        await processes.run(bot)
    assert await database.reading(version) == VERSION - 1
    cut_off, point = voipbin.rings(at="play"), hold(after_work=True)
    voipbin.faults.on("POST", "/activeflows/{id}/stop", point)
    card = await stage.asks_to_stop(cut_off)
    await stage.slack.clicks(ALICE, card, "stop.flow")
    await point.arrived()
    newer = processes.ready(flows_bot_database_url=empty_postgresql_url)
    await processes.run(newer)
    assert await database.reading(version) == VERSION
    for bot in (older[0], newer):  # both on the ledger that was upgraded
        stage.slack.request_url = f"{bot.url}/slack/events"
        caller = voipbin.rings(at="play")
        stopped = await stage.asks_to_stop(caller)
        await stage.slack.clicks(ALICE, stopped, "stop.flow")
        assert (await last_word(stage, stopped)).startswith("Stopped")
    await older[0].kill(signal.SIGTERM)
    await older[1].kill()
    words = await last_word(stage, card, seconds=90)
    assert_told_truly(stage, cut_off, words)
    assert len(stop_requests(voipbin, cut_off)) == 1
    again = processes.ready(earlier=True, flows_bot_database_url=empty_postgresql_url)
    with pytest.raises(AssertionError, match="ended instead of getting ready"):
        await processes.run(again)
    audit.assert_whole()
    assert audit.claims() == 0
    audit.close()
    await database.close()
