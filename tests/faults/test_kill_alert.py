"""A bot that posts alerts is killed: nothing is posted twice, and what was cut off is still counted."""

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from bot.demo.slack.faults import hold
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Flow
from bot.demo.voipbin.world import World
from tests.faults.processes import Processes
from tests.scenarios.alert_stage import alerted, alerts, loops, menu, ruled
from tests.scenarios.conftest import Stage

__all__ = ["menu"]


def told(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(told_at) FROM alerts")).scalar_one())


@pytest.mark.slow
async def test_of_two_bots_on_one_database_one_posts_and_its_successor_posts_nothing_again(
    stage: Stage, processes: Processes, postgresql_url: str, voipbin: World, menu: Flow
) -> None:
    ruled(stage, 'about = ["looping"]')
    looping = [loops(voipbin, menu) for _ in range(3)]
    bots = [processes.ready(voipbin_events=True, flows_bot_database_url=postgresql_url) for _ in range(2)]
    for bot in bots:
        await processes.run(bot)
    await alerted(stage, 3)
    engine = create_engine(make_url(postgresql_url).set(drivername="postgresql+psycopg"))
    await stage.slack.until(lambda: told(engine) == 3)  # killed before, it would be one more of a line
    await bots[0].kill()
    with engine.begin() as connection:
        connection.execute(text("UPDATE leases SET lapses_at = 0"))  # a quarter of a minute passes
    engine.dispose()
    looping.append(loops(voipbin, menu))
    await stage.slack.until(lambda: len(alerts(stage)) == 4, seconds=40)
    assert all(sum(str(each.id)[:8] in alert.words for alert in alerts(stage)) == 1 for each in looping)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("there", "ended"), [(False, True), (True, False)], ids=["not posted, ended meanwhile", "posted, still running"]
)
async def test_one_that_was_cut_off_before_slack_answered_is_counted_and_not_posted_again(
    stage: Stage, slack: Workspace, processes: Processes, voipbin: World, menu: Flow, ended: bool, there: bool
) -> None:
    ruled(stage, 'about = ["looping"]')
    looping = loops(voipbin, menu)
    fault = hold(after_work=there)
    slack.faults.on("chat.postMessage", fault)
    bot = await processes.start(voipbin_events=True)
    assert fault.hold is not None
    await fault.hold.arrived()
    await bot.kill()
    if ended:
        voipbin.caller_hangs_up(looping)
    await processes.start(voipbin_events=True)
    *cards, line = await alerted(stage, 1 + there)
    assert len(cards) == there
    assert line.words.startswith("1 more since ")
    assert "may be here already" in line.words
    assert str(looping.id)[:8] in line.words
    assert ("It has ended" if ended else "It still runs") in line.words
