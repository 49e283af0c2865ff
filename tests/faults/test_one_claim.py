"""Many people, many cards, several replicas: one stop, and everybody is told whose it is."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest

from bot.activeflows.records import RecordKind
from bot.demo.slack.messages import Message
from bot.demo.voipbin.faults import hold
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.faults.processes import BotProcess, Processes
from tests.faults.truth import (
    Audit,
    Witness,
    assert_told_truly,
    last_word,
    present,
    stop_requests,
    stops_with_effect,
    told_privately,
)
from tests.scenarios.again import triggered_anew
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage

_STOP = "/activeflows/{id}/stop"
_TAKEN = ("is stopping it already", "was already used")
_TAKEN_OVER_WITHIN = 60.0
"""A replica is dead after 15 s without a sign of life; the others look every 3 s."""


@pytest.fixture
def crowd(stage: Stage) -> list[str]:
    """Twenty people who may stop."""
    people = [f"U0CROWD{n:02}" for n in range(20)]
    for n, user in enumerate(people):
        stage.slack.add_user(user, f"Person {n}")
    stage.slack.channels[INCIDENTS].members.extend(people)
    stage.slack.add_group("S0ONCALL", "oncall", people)
    return people


def who_was_told(stage: Stage, people: list[str]) -> set[str]:
    """Those who read that somebody else's press counts."""
    return {user for user in people if any(words in said for said in told_privately(stage, user) for words in _TAKEN)}


async def test_of_twenty_people_on_three_cards_one_stops_it_and_the_others_learn_who(
    stage: Stage, voipbin: World, crowd: list[str], audit: Audit
) -> None:
    async with stage.start():
        activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
        cards = [await stage.asks_to_stop(activeflow) for _ in range(3)]
        point = hold()
        voipbin.faults.on("POST", _STOP, point, times=None)
        presses = (stage.slack.clicks(user, cards[n % 3], "stop.flow") for n, user in enumerate(crowd))
        assert [delivery.error for delivery in await asyncio.gather(*presses)] == [None] * 20
        await point.arrived()
        await stage.slack.until(lambda: len(who_was_told(stage, crowd)) == 19)
        assert len(stop_requests(voipbin, activeflow)) == 1
        point.release()
        await stage.reads("Stopped by")
        await stage.slack.until(lambda: not audit.unfinished())
    (winner,) = set(crowd) - who_was_told(stage, crowd)
    name = stage.slack.users[winner].display_name
    assert all(
        any(f"@{name} is stopping it" in said for said in told_privately(stage, u)) for u in crowd if u != winner
    )
    assert [record.who for record in audit.records(activeflow.id, RecordKind.SENDING)] == [winner]
    assert len(stop_requests(voipbin, activeflow)) == 1
    assert audit.claims() == 0
    audit.assert_whole()


async def test_the_same_signed_press_delivered_again_and_again_is_one_press(
    stage: Stage, voipbin: World, audit: Audit
) -> None:
    async with stage.start():
        activeflow = voipbin.rings(at="play")
        card = await stage.asks_to_stop(activeflow)
        point = hold()
        voipbin.faults.on("POST", _STOP, point, times=None)
        first = await stage.slack.clicks(ALICE, card, "stop.flow")
        anew = [triggered_anew(first.body)]
        for _ in range(4):
            anew.append(triggered_anew(anew[-1]))
        copies = await asyncio.gather(*(stage.slack.delivers(body, stage.slack.signed(body)) for body in anew))
        await point.arrived()
        point.release()
        await stage.reads("Stopped by")
        last = triggered_anew(anew[-1])
        late = await stage.slack.delivers(last, stage.slack.signed(last))
        await stage.slack.until(lambda: not audit.unfinished())
    assert {delivery.status for delivery in (*copies, late)} == {200}
    assert len(stop_requests(voipbin, activeflow)) == 1
    assert len(audit.records(activeflow.id, RecordKind.PRESSED)) == 1
    audit.assert_whole()


# ---------------------------------------------------------------- replicas


@pytest.fixture
async def shared(postgresql_url: str) -> AsyncIterator[Audit]:
    """The ledger that the replicas have in common."""
    audit = Audit(postgresql_url)
    yield audit
    audit.close()


@pytest.fixture
async def replicas(processes: Processes, postgresql_url: str) -> list[BotProcess]:
    """Two of them, warm. They start one after the other: the first one creates the tables."""
    bots = [processes.ready(flows_bot_database_url=postgresql_url) for _ in range(2)]
    for bot in bots:
        await processes.run(bot)
    return bots


async def presses_at(stage: Stage, bot: BotProcess, user: str, card: Message) -> "asyncio.Task[str | None]":
    """A press that the load balancer gives to this replica; the task's result is what the presser's Slack complains
    of.
    """

    async def press() -> str | None:
        return (await stage.slack.clicks(user, card, "stop.flow")).error

    stage.slack.request_url = f"{bot.url}/slack/events"
    task = asyncio.create_task(press())
    await asyncio.sleep(0)  # it has taken the address
    return task


async def a_card(stage: Stage) -> tuple[Activeflow, Message]:
    activeflow = stage.voipbin.rings(stage.voipbin.add_flow("Support line"), at="digits_receive")
    return activeflow, await stage.asks_to_stop(activeflow)


async def test_two_replicas_send_one_stop(
    stage: Stage, voipbin: World, crowd: list[str], replicas: list[BotProcess], shared: Audit
) -> None:
    witness = Witness(voipbin, shared)
    activeflow, card = await a_card(stage)
    point = hold()
    witness.then(point)
    presses = [await presses_at(stage, replicas[n % 2], user, card) for n, user in enumerate(crowd)]
    assert await asyncio.gather(*presses) == [None] * 20
    await point.arrived()
    await stage.slack.until(lambda: len(who_was_told(stage, crowd)) == 19, seconds=20)
    point.release()
    words = await last_word(stage, card)
    await stage.slack.until(lambda: not shared.unfinished())
    assert words.startswith("Stopped")
    assert_told_truly(stage, activeflow, words)
    assert len(stop_requests(voipbin, activeflow)) == 1
    assert shared.claims() == 0
    witness.assert_each_was_announced()
    shared.assert_whole()


@pytest.mark.parametrize("arrives", [True, pytest.param(False, marks=pytest.mark.slow)])
async def test_a_replica_finishes_what_a_killed_one_began(
    arrives: bool, stage: Stage, voipbin: World, replicas: list[BotProcess], shared: Audit
) -> None:
    witness = Witness(voipbin, shared)
    activeflow, card = await a_card(stage)
    point = hold(after_work=arrives)
    if arrives:
        witness.then(point)
    else:
        voipbin.faults.on("GET", "/activeflows/{id}", point)
    assert await (await presses_at(stage, replicas[0], ALICE, card)) is None
    await point.arrived()
    await replicas[0].kill(signal.SIGKILL)
    words = await last_word(stage, card, seconds=_TAKEN_OVER_WITHIN)
    await stage.slack.until(lambda: not shared.unfinished(), seconds=20)
    assert words.startswith("Ended" if arrives else "Stopped")
    assert_told_truly(stage, activeflow, present(stage, card).words)
    assert len(stop_requests(voipbin, activeflow)) == 1
    assert stops_with_effect(voipbin, activeflow) == 1
    assert shared.claims() == 0
    witness.assert_each_was_announced()
    shared.assert_whole()
