"""A bot that follows is killed: the next one goes on, and of two on one database one speaks."""

import pytest
from sqlalchemy import create_engine, make_url, text

from bot.demo.slack.messages import Message
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.faults.processes import Processes
from tests.scenarios.conftest import Stage
from tests.scenarios.test_watch import says, watched


@pytest.fixture
def ringing(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow("Support line"), at="play")


def edits(stage: Stage, card: Message) -> list[str]:
    calls = [call for call in stage.slack.calls if call.method == "chat.update"]
    return [str(call.arguments["text"]) for call in calls if call.arguments.get("ts") == card.ts]


async def test_a_killed_bot_s_watches_go_on_with_the_next(
    stage: Stage, processes: Processes, voipbin: World, ringing: Activeflow
) -> None:
    bot, successor = await processes.start(voipbin_events=True), processes.ready(voipbin_events=True)
    card = await watched(stage, ringing)
    voipbin.moves_to(ringing, "digits_receive")
    await says(stage, card, "waiting for keypad input")
    await bot.kill()
    voipbin.moves_to(ringing, "queue_join")
    await processes.run(successor)
    await says(stage, card, "playing", "waiting for keypad input", "entering a queue")


@pytest.mark.slow
@pytest.mark.parametrize(
    "then",
    ["UPDATE leases SET lapses_at = 0", "UPDATE leases SET lapses_at = lapses_at + 3600"],
    ids=["a quarter of a minute passes", "the clock is set back"],
)
async def test_of_two_bots_one_speaks_and_the_other_goes_on_when_it_is_killed(
    stage: Stage, processes: Processes, postgresql_url: str, voipbin: World, ringing: Activeflow, then: str
) -> None:
    bots = [processes.ready(voipbin_events=True, flows_bot_database_url=postgresql_url) for _ in range(2)]
    for bot in bots:
        await processes.run(bot)
    card = await watched(stage, ringing)  # heard by the second
    voipbin.moves_to(ringing, "digits_receive")
    await says(stage, card, "waiting for keypad input")
    said = edits(stage, card)
    assert len(said) == len(set(said))  # two who speak would say the same twice
    await bots[1].kill()
    engine = create_engine(make_url(postgresql_url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text(then))
    engine.dispose()
    voipbin.ends(ringing)
    stage.slack.request_url = f"{bots[0].url}/slack/events"
    now = stage.slack.message
    await stage.slack.until(lambda: "Ended by itself" in now(card.channel, card.ts).words, seconds=40)
