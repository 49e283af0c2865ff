"""What is wrong with an activeflow is said on the list, in its details and on its card, against the flow's own past."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bot.activeflows.anomalies import Durations
from bot.demo.slack.messages import Message
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow, Flow, Step
from bot.demo.voipbin.world import World
from bot.ledger.baseline_store import BaselineStore
from bot.ledger.database import Database
from tests.scenarios.conftest import Stage
from tests.scenarios.typing_at import answers


@pytest.fixture
def support(voipbin: World) -> Flow:
    return voipbin.add_flow("Support line")


@pytest.fixture
async def ledger(sqlite_url: str) -> AsyncIterator[BaselineStore]:
    database = Database(sqlite_url)
    await database.prepare()
    yield BaselineStore(database)
    await database.close()


def ago(**how_long: float) -> datetime:
    return datetime.now(UTC) - timedelta(**how_long)


def at_a_talk(voipbin: World, flow: Flow, **since: float) -> Activeflow:
    """Since so long, in the middle of its life."""
    return voipbin.rings(
        flow, at="talk", executed=["answer", "play"], created_at=ago(minutes=40), updated_at=ago(**since)
    )


async def usually(ledger: BaselineStore, activeflow: Activeflow, seconds: float) -> None:
    durations = Durations()
    for _ in range(30):
        durations.add(seconds)
    place = (UUID(str(activeflow.flow_id)), str(activeflow.current_action.id))
    await ledger.add({place: durations}, datetime.now(UTC))


async def until(stage: Stage, line: str, words: str) -> Message:
    async with asyncio.timeout(30):
        while True:
            said = await answers(stage, line)
            if words in said.words:
                return said
            await asyncio.sleep(0.1)


async def test_one_that_is_where_it_is_for_much_longer_than_usual_is_said_to_be_stuck(
    stage: Stage, voipbin: World, support: Flow, ledger: BaselineStore
) -> None:
    activeflow = at_a_talk(voipbin, support, minutes=11)
    await usually(ledger, activeflow, 40)
    async with stage.start(voipbin_events=True):
        said = await until(stage, "list", "Stuck?")
        assert "at least 11 min speaking a text" in said.words
        assert ", usually about 39 s" in said.words
        assert "Stuck?" in said.text
        assert "at least 11 min speaking a text" in (await answers(stage, f"show {activeflow.id}")).words
        assert "Warning: at least 11 min speaking a text" in (await answers(stage, f"watch {activeflow.id}")).words


async def test_the_same_is_nothing_where_that_is_usual_or_nothing_is_known(
    stage: Stage, voipbin: World, support: Flow, ledger: BaselineStore
) -> None:
    await usually(ledger, at_a_talk(voipbin, support, minutes=11), 400)
    at_a_talk(voipbin, voipbin.add_flow("Night line"), minutes=30)
    async with stage.start(voipbin_events=True):
        assert "Stuck?" not in (await until(stage, "list", "live, as of")).words


async def test_what_is_seen_is_learned_and_kept(
    stage: Stage, voipbin: World, support: Flow, ledger: BaselineStore
) -> None:
    async with stage.start(voipbin_events=True):
        await until(stage, "list", "live, as of")
        activeflow = voipbin.rings(support, at="talk", executed=[])
        await until(stage, "list", "speaking a text")
        voipbin.moves_to(activeflow, "digits_receive")
        await until(stage, "list", "waiting for keypad input")
    assert {place[0] for place in await ledger.all()} == {support.id}
    assert sum(learned.total for learned in (await ledger.all()).values()) >= 1


async def test_going_round_in_circles_is_said_without_an_event_stream_too(bot: Stage, voipbin: World) -> None:
    menu = voipbin.add_flow("Menu", [Step("talk"), Step("digits_receive")])
    looping = voipbin.rings(menu, at="digits_receive", executed=[*["talk", "digits_receive"] * 5, "talk"])
    said = await answers(bot, "list")
    assert "Going round in circles" in said.words
    assert said.words.count("time round:") == 1, "the situation says it already"
    assert "Going round in circles" in (await answers(bot, f"show {looping.id}")).words
    assert "6th time round: keypad input → text" in (await answers(bot, f"watch {looping.id}")).words


async def test_nearly_out_of_steps_is_said_wherever_it_is_seen(bot: Stage, voipbin: World, support: Flow) -> None:
    nearly = voipbin.rings(support, at="digits_receive", executed=["talk", "play"] * 43)
    for line in ("list", f"show {nearly.id}", f"watch {nearly.id}"):
        assert "Warning: 87 of 101 steps used, VoIPBIN will end it" in (await answers(bot, line)).words


async def test_one_whose_call_is_over_is_left_over(bot: Stage, voipbin: World, support: Flow) -> None:
    stale = voipbin.rings(support, at="play", created_at=ago(hours=5), updated_at=ago(hours=5))
    call = voipbin.call_of(stale)
    assert call is not None
    call.status, call.tm_hangup = "hangup", ago(hours=3, minutes=1)
    for line in ("list", f"show {stale.id}"):
        said = await answers(bot, line)
        assert "Left over?" in said.words
        assert "call ended 3 h 1 min ago: stale" in said.words
    assert "Warning: call ended 3 h 1 min ago: stale" in (await answers(bot, f"watch {stale.id}")).words


async def test_a_call_that_cannot_be_asked_is_only_probably_over(bot: Stage, voipbin: World, support: Flow) -> None:
    voipbin.rings(support, at="play", created_at=ago(hours=5), updated_at=ago(hours=5))
    voipbin.faults.on("GET", "/calls/{id}", faults.delay(20), times=None)
    assert "older than any call can be (1 h): probably stale" in (await answers(bot, "list")).words
