"""No stop is sent after its card's deadline, whatever held it up."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.activeflows.records import RecordKind
from bot.demo.slack.messages import Message
from bot.demo.voipbin.faults import delay, hold, reset_before, status
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.faults.truth import Audit, Witness, assert_told_truly, last_word, stop_requests, told_privately
from tests.scenarios.conftest import ALICE, CAROL, POLICY, Stage

_WITHIN = timedelta(seconds=3)
_ON_ITS_WAY = timedelta(seconds=1)
"""What was sent in time may arrive a little later: the promise is about sending."""


@pytest.fixture(autouse=True)
def soon_over(stage: Stage) -> None:
    stage.policy.write_text(f'{POLICY}\n[rules]\nconfirm_within = "3s"\n', encoding="utf-8")


async def asked(stage: Stage, audit: Audit) -> tuple[Activeflow, Message, datetime]:
    """An activeflow, its card, and when that can be pressed no more."""
    activeflow = stage.voipbin.rings(stage.voipbin.add_flow("Support line"), at="digits_receive")
    card = await stage.asks_to_stop(activeflow)
    return activeflow, card, audit.records(activeflow.id, RecordKind.ASKED)[0].at + _WITHIN


async def until(deadline: datetime) -> None:
    await asyncio.sleep((deadline - datetime.now(UTC)).total_seconds() + 0.05)


def assert_never_late(stage: Stage, activeflow: Activeflow, deadline: datetime, words: str, audit: Audit) -> None:
    assert all(seen.at < deadline + _ON_ITS_WAY for seen in stop_requests(stage.voipbin, activeflow))
    assert_told_truly(stage, activeflow, words)
    assert audit.claims() == 0
    audit.assert_whole()


async def test_pressed_after_the_deadline(stage: Stage, audit: Audit) -> None:
    async with stage.start():
        activeflow, card, deadline = await asked(stage, audit)
        await until(deadline)
        await stage.slack.clicks(ALICE, card, "stop.flow")
        words = await last_word(stage, card)
        await stage.slack.until(lambda: told_privately(stage) and not audit.unfinished())
    assert words.startswith("Expired")
    assert stop_requests(stage.voipbin, activeflow) == []
    assert_never_late(stage, activeflow, deadline, words, audit)


@pytest.mark.parametrize(("skew", "late"), [(-60, True), (60, False)], ids=["behind", "ahead"])
async def test_the_time_of_a_card_is_the_databases_for_a_replica_whose_clock_is_a_minute_off(
    skew: int, late: bool, stage: Stage, postgresql_url: str
) -> None:
    """Asked for on one replica, pressed on another one."""
    if not late:
        stage.policy.write_text(f'{POLICY}\n[rules]\nconfirm_within = "30s"\n', encoding="utf-8")
    activeflow = stage.voipbin.rings(stage.voipbin.add_flow("Support line"), at="digits_receive")
    async with stage.start(flows_bot_database_url=postgresql_url):
        card = await stage.asks_to_stop(activeflow)
    stage.wall = lambda: datetime.now(UTC) + timedelta(seconds=skew)
    async with stage.start(flows_bot_database_url=postgresql_url):
        if late:
            await until(datetime.now(UTC) + _WITHIN)
        await stage.slack.clicks(ALICE, card, "stop.flow")
        words = await last_word(stage, card)
    assert words.startswith("Expired" if late else "Stopped")
    assert len(stop_requests(stage.voipbin, activeflow)) == (0 if late else 1)


async def test_a_replica_whose_clock_is_set_on_sends_no_stop_beside_one_that_is_under_way(
    stage: Stage, voipbin: World, postgresql_url: str
) -> None:
    """Until it compares its clock with the database's again, which does not say that the claim has lapsed."""
    stage.policy.write_text(POLICY, encoding="utf-8")
    activeflow, ahead = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive"), timedelta()
    stage.wall = lambda: datetime.now(UTC) + ahead
    async with stage.start(flows_bot_database_url=postgresql_url):
        card, sent = await stage.asks_to_stop(activeflow), hold()
        voipbin.faults.on("POST", "/activeflows/{id}/stop", sent, times=1)
        await stage.slack.clicks(ALICE, card, "stop.flow")
        await sent.arrived()
        ahead = timedelta(hours=1)
        another = await stage.asks_to_stop(activeflow, user=CAROL)
        await stage.slack.clicks(CAROL, another, "stop.flow")
        await stage.reads("@Alice is stopping it already", user=CAROL)
        ahead = timedelta()
        sent.release()
        await stage.reads("Stopped by @Alice")
    assert len(stop_requests(voipbin, activeflow)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("retry_after", [0, 1])
async def test_the_deadline_passes_while_voipbin_is_busy(
    retry_after: int, stage: Stage, voipbin: World, audit: Audit
) -> None:
    async with stage.start():
        activeflow, card, deadline = await asked(stage, audit)
        busy = status(429, "RATE_LIMIT_EXCEEDED", retry_after=retry_after)
        storm = voipbin.faults.on("POST", "/activeflows/{id}/stop", busy, times=None)
        await asyncio.sleep((deadline - datetime.now(UTC)).total_seconds() - 0.5)
        await stage.slack.clicks(ALICE, card, "stop.flow")
        await until(deadline)
        storm.clear()
        words = await last_word(stage, card)
        await stage.slack.until(lambda: not audit.unfinished())
    assert words.startswith(("Expired", "Nothing was stopped"))
    assert voipbin.activeflow(activeflow.id).status == "running"
    assert_never_late(stage, activeflow, deadline, words, audit)


@pytest.mark.slow
async def test_the_deadline_passes_while_the_stop_waits_for_its_turn(stage: Stage, audit: Audit) -> None:
    async with stage.start(voipbin_requests_per_second=0.2):  # four at once, then one in five seconds
        activeflow, card, deadline = await asked(stage, audit)
        await stage.slack.clicks(ALICE, card, "stop.flow")
        words = await last_word(stage, card, seconds=30)
        await stage.slack.until(lambda: not audit.unfinished(), seconds=20)
    assert words.startswith("Expired")
    assert stop_requests(stage.voipbin, activeflow) == []
    assert_never_late(stage, activeflow, deadline, words, audit)


async def test_the_deadline_passes_while_voipbin_is_looked_at(stage: Stage, voipbin: World, audit: Audit) -> None:
    async with stage.start():
        activeflow, card, deadline = await asked(stage, audit)
        point = hold()
        voipbin.faults.on("GET", "/activeflows/{id}", point, times=None)  # a slow look is given up, and made anew
        await stage.slack.clicks(ALICE, card, "stop.flow")
        await point.arrived()
        await until(deadline)
        point.release()
        words = await last_word(stage, card)
        await stage.slack.until(lambda: not audit.unfinished())
    assert words.startswith("Expired")
    assert stop_requests(voipbin, activeflow) == []
    assert_never_late(stage, activeflow, deadline, words, audit)


async def test_the_deadline_passes_after_a_lost_stop(
    stage: Stage, voipbin: World, witness: Witness, audit: Audit
) -> None:
    async with stage.start():
        activeflow, card, deadline = await asked(stage, audit)
        witness.then(reset_before())
        voipbin.faults.on("GET", "/activeflows/{id}", delay(0))
        point = hold()
        voipbin.faults.on("GET", "/activeflows/{id}", point)
        await stage.slack.clicks(ALICE, card, "stop.flow")
        await point.arrived()
        await until(deadline)
        point.release()
        words = await last_word(stage, card)
        await stage.slack.until(lambda: not audit.unfinished())
    assert words.startswith("Still running")
    assert len(stop_requests(voipbin, activeflow)) == 1
    assert_never_late(stage, activeflow, deadline, words, audit)
