"""The process is killed while VoIPBIN holds one of its requests, and started again, in time or after the deadline."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.activeflows.records import RecordKind
from bot.demo.slack.messages import Message
from bot.demo.voipbin.faults import Hold, delay, hold
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.faults.processes import Processes
from tests.faults.truth import (
    Audit,
    Witness,
    assert_told_truly,
    heading,
    last_word,
    present,
    stop_requests,
    stops_for_nothing,
    stops_with_effect,
)
from tests.scenarios.conftest import ALICE, POLICY, Stage

_READ = "/activeflows/{id}"
SOON_OVER = f'{POLICY}\n[rules]\nconfirm_within = "5s"\n'


class Theatre:
    """One activeflow, one card, one bot that is killed while a request stands still."""

    def __init__(self, stage: Stage, processes: Processes, audit: Audit) -> None:
        self._stage, self._processes, self._audit = stage, processes, audit
        self.deadline = datetime.max.replace(tzinfo=UTC)

    async def card(self, *, soon_over: bool = False) -> tuple[Activeflow, Message]:
        """A running activeflow and the card to stop it, of a bot in a process of its own."""
        if soon_over:
            self._stage.policy.write_text(SOON_OVER, encoding="utf-8")
        self._bot = await self._processes.start()
        flow = self._stage.voipbin.add_flow("Support line")
        activeflow = self._stage.voipbin.rings(flow, at="digits_receive")
        card = await self._stage.asks_to_stop(activeflow)
        if soon_over:
            asked = self._audit.records(activeflow.id, RecordKind.ASKED)[0].at
            self.deadline = asked + timedelta(seconds=5)
        return activeflow, card

    async def killed_at(self, point: Hold, card: Message) -> None:
        """Alice presses; when the request has arrived at that point, the bot is killed."""
        delivery = await self._stage.slack.clicks(ALICE, card, "stop.flow")
        assert delivery.error is None
        async with asyncio.timeout(30):
            await point.arrived()
        await self._bot.kill()

    async def until_too_late(self) -> None:
        left = (self.deadline - datetime.now(UTC)).total_seconds()
        assert left > 0, "the machine was too slow for this story: the deadline passed before the kill"
        await asyncio.sleep(left + 0.05)

    async def words_after_restart(self, card: Message) -> str:
        async with self._stage.start():
            await self._stage.slack.until(lambda: not self._audit.unfinished(), seconds=30)
        return await last_word(self._stage, card, seconds=1)


@pytest.fixture
def theatre(stage: Stage, processes: Processes, audit: Audit) -> Theatre:
    return Theatre(stage, processes, audit)


@pytest.fixture(autouse=True)
def the_record_holds(witness: Witness, audit: Audit) -> Callable[[], None]:
    """What each story ends with."""

    def holds() -> None:
        witness.assert_each_was_announced()
        audit.assert_whole()
        assert audit.claims() == 0

    return holds


async def test_killed_while_the_stop_was_on_its_way_and_it_arrives(
    stage: Stage, voipbin: World, theatre: Theatre, witness: Witness, the_record_holds: Callable[[], None]
) -> None:
    activeflow, card = await theatre.card()
    point = hold()
    witness.then(point)
    await theatre.killed_at(point, card)
    point.release()
    words = await theatre.words_after_restart(card)
    assert heading_of(words) == "Ended"
    assert "@Alice’s stop got no clear answer (the bot was cut off" in words
    assert_told_truly(stage, activeflow, words)
    assert len(stop_requests(voipbin, activeflow)) == 1
    assert stops_with_effect(voipbin, activeflow) == 1
    the_record_holds()


@pytest.mark.slow
async def test_killed_while_the_stop_was_on_its_way_and_it_is_lost(
    stage: Stage, voipbin: World, theatre: Theatre, witness: Witness, the_record_holds: Callable[[], None]
) -> None:
    activeflow, card = await theatre.card()
    point = hold()
    witness.then(point)
    await theatre.killed_at(point, card)
    words = await theatre.words_after_restart(card)
    assert words.startswith("Stopped")
    assert_told_truly(stage, activeflow, words)
    assert len(stop_requests(voipbin, activeflow)) == 2
    witness.assert_none_came_after_the_end()
    the_record_holds()
    point.release()  # the first one arrives at last, and changes nothing
    await stage.slack.until(lambda: stops_for_nothing(voipbin, activeflow) == 1)
    assert stops_with_effect(voipbin, activeflow) == 1


@pytest.mark.slow
async def test_killed_while_the_stop_was_on_its_way_and_started_after_the_deadline(
    stage: Stage, voipbin: World, theatre: Theatre, witness: Witness, the_record_holds: Callable[[], None]
) -> None:
    activeflow, card = await theatre.card(soon_over=True)
    point = hold()
    witness.then(point)
    await theatre.killed_at(point, card)
    await theatre.until_too_late()
    words = await theatre.words_after_restart(card)
    assert heading_of(words) == "Still running"
    assert_told_truly(stage, activeflow, words)
    assert [seen.at < theatre.deadline for seen in stop_requests(voipbin, activeflow)] == [True]
    the_record_holds()


@pytest.mark.parametrize("soon_over", [False, True])
async def test_killed_after_voipbin_did_it_and_before_it_answered(
    soon_over: bool,
    stage: Stage,
    voipbin: World,
    theatre: Theatre,
    witness: Witness,
    the_record_holds: Callable[[], None],
) -> None:
    activeflow, card = await theatre.card(soon_over=soon_over)
    point = hold(after_work=True)
    witness.then(point)
    await theatre.killed_at(point, card)
    if soon_over:
        await theatre.until_too_late()
    words = await theatre.words_after_restart(card)
    assert heading_of(words) == "Ended"
    assert_told_truly(stage, activeflow, words)
    assert len(stop_requests(voipbin, activeflow)) == 1
    the_record_holds()


@pytest.mark.slow
@pytest.mark.parametrize("soon_over", [False, True])
@pytest.mark.parametrize("after_work", [False, True])
async def test_killed_while_looking_before_the_stop(
    soon_over: bool,
    after_work: bool,
    stage: Stage,
    voipbin: World,
    theatre: Theatre,
    witness: Witness,
    the_record_holds: Callable[[], None],
) -> None:
    activeflow, card = await theatre.card(soon_over=soon_over)
    point = hold(after_work=after_work)
    voipbin.faults.on("GET", _READ, point)
    await theatre.killed_at(point, card)
    if soon_over:
        await theatre.until_too_late()
    words = await theatre.words_after_restart(card)
    assert words.startswith("Expired" if soon_over else "Stopped")
    assert_told_truly(stage, activeflow, words)
    assert len(stop_requests(voipbin, activeflow)) == (0 if soon_over else 1)
    the_record_holds()


@pytest.mark.slow
@pytest.mark.parametrize("soon_over", [False, True])
async def test_killed_while_reading_back(
    soon_over: bool,
    stage: Stage,
    voipbin: World,
    theatre: Theatre,
    witness: Witness,
    the_record_holds: Callable[[], None],
) -> None:
    activeflow, card = await theatre.card(soon_over=soon_over)
    point = hold()
    voipbin.faults.on("GET", _READ, delay(0))
    voipbin.faults.on("GET", _READ, point)
    await theatre.killed_at(point, card)
    if soon_over:
        await theatre.until_too_late()
    words = await theatre.words_after_restart(card)
    assert words.startswith("Stopped")
    assert_told_truly(stage, activeflow, words)
    assert len(stop_requests(voipbin, activeflow)) == 1
    the_record_holds()


@pytest.mark.slow
async def test_it_ended_by_itself_while_the_bot_was_dead_and_nothing_had_been_sent(
    stage: Stage, voipbin: World, theatre: Theatre, the_record_holds: Callable[[], None]
) -> None:
    activeflow, card = await theatre.card()
    point = hold()
    voipbin.faults.on("GET", _READ, point)
    await theatre.killed_at(point, card)
    voipbin.ends(activeflow)
    words = await theatre.words_after_restart(card)
    assert "had already ended" in words
    assert_told_truly(stage, activeflow, words)
    assert stop_requests(voipbin, activeflow) == []
    the_record_holds()


@pytest.mark.slow
@pytest.mark.parametrize("end", ["its last step", "the caller"])
async def test_it_ended_by_itself_while_the_bot_was_dead_and_a_stop_was_on_its_way(
    end: str, stage: Stage, voipbin: World, theatre: Theatre, witness: Witness, the_record_holds: Callable[[], None]
) -> None:
    activeflow, card = await theatre.card()
    point = hold()
    witness.then(point)
    await theatre.killed_at(point, card)
    if end == "the caller":
        voipbin.caller_hangs_up(activeflow)
    else:
        voipbin.ends(activeflow)
    words = await theatre.words_after_restart(card)
    assert heading_of(words) == "Ended"
    assert "Stopped by" not in words
    assert_told_truly(stage, activeflow, words)
    assert len(stop_requests(voipbin, activeflow)) == 1
    the_record_holds()


async def test_it_moved_on_while_the_bot_was_dead_and_nothing_had_been_sent(
    stage: Stage, voipbin: World, theatre: Theatre, audit: Audit, the_record_holds: Callable[[], None]
) -> None:
    activeflow, card = await theatre.card()
    point = hold()
    voipbin.faults.on("GET", _READ, point)
    await theatre.killed_at(point, card)
    voipbin.moves_to(activeflow, "queue_join")
    async with stage.start():
        await stage.slack.until(lambda: not audit.unfinished(), seconds=30)
        asked_anew = present(stage, card)
        assert heading(asked_anew).startswith("This call has moved on")
        assert stop_requests(voipbin, activeflow) == []
        await stage.slack.clicks(ALICE, asked_anew, "stop.flow")
        words = await last_word(stage, card)
        await stage.slack.until(lambda: not audit.unfinished())
    assert words.startswith("Stopped")
    assert len(stop_requests(voipbin, activeflow)) == 1
    the_record_holds()


@pytest.mark.slow
async def test_it_moved_on_while_the_bot_was_dead_and_the_stop_on_its_way_was_lost(
    stage: Stage, voipbin: World, theatre: Theatre, witness: Witness, the_record_holds: Callable[[], None]
) -> None:
    activeflow, card = await theatre.card()
    point = hold()
    witness.then(point)
    await theatre.killed_at(point, card)
    voipbin.moves_to(activeflow, "queue_join")
    words = await theatre.words_after_restart(card)
    assert heading_of(words) == "Still running"
    assert "moved on" in words
    assert_told_truly(stage, activeflow, words)
    assert len(stop_requests(voipbin, activeflow)) == 1
    the_record_holds()


def heading_of(words: str) -> str:
    return words.splitlines()[0]
