"""A press that an earlier build was carrying out when it was replaced by this one: its steps had other names."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text, update

from bot.demo.voipbin.faults import hold
from bot.demo.voipbin.world import World
from bot.ledger.database import engine_for
from bot.ledger.tables import replicas
from tests.faults.processes import Processes
from tests.faults.truth import Audit, assert_told_truly, last_word, stop_requests
from tests.scenarios.conftest import ALICE, POLICY, Stage


def was_recorded_by_an_earlier_build(url: str) -> None:
    """As version 1 left it, with a step of another name. Whoever carried it out has been silent for long."""
    engine = engine_for(url)
    schema = "dbos." if engine.dialect.name == "postgresql" else ""
    with engine.begin() as connection:
        changed = [
            connection.execute(text(f"UPDATE {schema}workflow_status SET application_version = '1'")),  # noqa: S608 # words of this file only
            connection.execute(
                text(f"UPDATE {schema}operation_outputs SET function_name = 'look' WHERE function_name = 'admit'")  # noqa: S608 # words of this file only
            ),
        ]
        connection.execute(update(replicas).values(seen_at=0))
    assert all(each.rowcount for each in changed)
    engine.dispose()


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def url(request: pytest.FixtureRequest) -> str:
    """On PostgreSQL the next bot is another replica, which takes the press over."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "SQLite" else "postgresql_url"))


@pytest.fixture
def audit(url: str) -> Iterator[Audit]:
    audit = Audit(url)
    yield audit
    audit.close()


@pytest.mark.parametrize("sent", [False, True], ids=["before it was sent", "while it was on its way"])
async def test_it_is_carried_out_from_its_beginning(
    sent: bool, stage: Stage, voipbin: World, processes: Processes, audit: Audit, url: str
) -> None:
    bot = await processes.start(flows_bot_database_url=url)
    caller = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    card, point = await stage.asks_to_stop(caller), hold(after_work=True)
    voipbin.faults.on(*(("POST", "/activeflows/{id}/stop") if sent else ("GET", "/activeflows/{id}")), point)
    await stage.slack.clicks(ALICE, card, "stop.flow")
    await point.arrived()
    await bot.kill()
    was_recorded_by_an_earlier_build(url)
    await processes.start(flows_bot_database_url=url)
    words = await last_word(stage, card, seconds=60)
    await stage.slack.until(lambda: not audit.unfinished())
    assert words.startswith("Ended" if sent else "Stopped")
    assert_told_truly(stage, caller, words)
    assert len(stop_requests(voipbin, caller)) == 1
    assert audit.claims() == 0


async def test_whoever_lost_the_permission_while_the_bot_lay_dead_stops_nothing(
    stage: Stage, voipbin: World, processes: Processes, audit: Audit, url: str
) -> None:
    """Killed between the press and the stop; the policy and the person changed before it was started again."""
    bot = await processes.start(flows_bot_database_url=url)
    caller = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    card, point = await stage.asks_to_stop(caller), hold()
    voipbin.faults.on("GET", "/activeflows/{id}", point)
    await stage.slack.clicks(ALICE, card, "stop.flow")
    await point.arrived()
    await bot.kill()
    assert audit.unfinished() == 1
    stage.policy.write_text(POLICY.replace('"view", "stop"', '"view"'), encoding="utf-8")
    await processes.start(flows_bot_database_url=url)
    assert "the policy gives nobody “stop”" in await last_word(stage, card, seconds=60)
    await stage.slack.until(lambda: not audit.unfinished())
    assert stop_requests(voipbin, caller) == []
