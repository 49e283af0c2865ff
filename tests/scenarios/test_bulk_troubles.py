"""Bulk stops on a hard night: what does not obey, what is lost, who aborts, and what is left can be asked for again."""

import asyncio
from dataclasses import dataclass, field

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.activeflows.records import RecordKind
from bot.demo.slack import faults as slack_faults
from bot.demo.voipbin.faults import Hold, delay, hold, lose_answer, reset_before, status
from bot.demo.voipbin.world import World
from bot.ledger import audit as chain
from bot.ledger.database import engine_for
from tests.scenarios.bulk_stage import APPROVER, BulkStage, bulk
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage

__all__ = ["bulk"]
_STOP = "/activeflows/{id}/stop"


@dataclass
class InFlight:
    """A VoIPBIN that takes its time, and counts how many stops are at work at once."""

    seconds: float = 0.2
    now: int = 0
    most: int = 0
    began: list[str] = field(default_factory=list)
    second: asyncio.Event = field(default_factory=asyncio.Event)
    waits: bool = False
    """The first waits for a second one, so that it does not depend on the machine whether they meet."""

    async def __call__(self, work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.began.append(scope["path"].split("/")[-2])
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now > 1:
            self.second.set()
        if self.waits:
            async with asyncio.timeout(30):
                await self.second.wait()
        await asyncio.sleep(self.seconds)
        await work(scope, receive, send)
        self.now -= 1


async def test_one_is_stopped_first_and_then_two_at_a_time(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(10, voipbin.add_flow("Support line"))
    canary = hold()
    in_flight = InFlight(waits=True)
    voipbin.faults.on("POST", _STOP, canary)
    voipbin.faults.on("POST", _STOP, in_flight, times=None)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        await canary.arrived()
        await asyncio.sleep(0.8)
        assert in_flight.began == []
        assert bulk.running(loops) == loops
        canary.release()
        words = await bulk.over(card)
    assert words.startswith("All 10 have ended")
    assert in_flight.most == 2
    assert len(in_flight.began) == 9


async def test_when_the_first_one_does_not_obey_no_other_is_touched(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    loops = bulk.ring(6, voipbin.add_flow("Support line"))
    voipbin.faults.on("POST", _STOP, reset_before(), times=None)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        words = await bulk.over(card)
        assert "Only the first one was tried: the first one still runs after its stop was sent" in words
        assert "0 of 6 ended · 1 not stopped · 5 left" in words
        buttons = stage.slack.message(card.channel, card.ts).buttons
        assert [button.action_id for button in buttons] == ["bulk.remainder", "bulk.without_bot"]
    assert bulk.running(loops) == loops
    assert sum(stage.posts(each) > 0 for each in loops) == 1


async def test_the_first_one_had_ended_so_the_next_goes_ahead_alone(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    loops = bulk.ring(5, voipbin.add_flow("Support line"))
    canary = hold()
    voipbin.faults.on("POST", _STOP, canary)
    async with stage.start():
        card = await bulk.asks("type:call")
        voipbin.ends(loops[0])
        voipbin.moves_to(loops[1], "queue_join")
        await bulk.presses(card)
        await canary.arrived()
        assert [stage.posts(each) for each in loops] == [0, 0, 1, 0, 0]
        canary.release()
        assert "3 of 5 ended · 1 had already ended · 1 skipped" in await bulk.over(card)


async def test_anybody_who_may_stop_aborts_it_and_the_rest_is_left(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    loops = bulk.ring(20, voipbin.add_flow("Support line"))
    point = Hold()
    voipbin.faults.on("POST", _STOP, delay(0), times=3)
    voipbin.faults.on("POST", _STOP, point)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        await point.arrived()
        await bulk.says(card, "of 20 ended")
        await bulk.presses(card, user=APPROVER, button="bulk.abort")
        await stage.reads("You don't have permission to", user=APPROVER)
        await bulk.presses(card, user=ALICE, button="bulk.abort")
        await stage.reads("Aborting. Stops already sent are finished", user=ALICE)
        await bulk.says(card, "Aborting…")
        point.release()
        words = await bulk.over(card)
    left = bulk.running(loops)
    assert words.startswith(f"Aborted: {len(left)} of 20 could still be running")
    assert "@Alice aborted it" in words
    assert 10 <= len(left) < 18
    assert f"{20 - len(left)} of 20 ended" in words
    assert bulk.stops(next(each for each in loops if stage.posts(each))) == 1


@pytest.mark.slow
async def test_what_is_left_is_asked_for_again_and_frozen_anew(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    flow = voipbin.add_flow("Support line")
    loops = bulk.ring(6, flow)
    voipbin.faults.on("POST", _STOP, reset_before(), times=2)
    async with stage.start():
        card = await bulk.asks("type:call they loop")
        await bulk.presses(card)
        assert "0 of 6 ended · 1 not stopped · 5 left" in await bulk.over(card)
        voipbin.ends(loops[4])
        born = bulk.ring(1, flow)
        await bulk.presses(card, user=CAROL, button="bulk.remainder")
        await stage.slack.until(lambda: len(bulk.cards()) == 2)
        again = bulk.cards()[-1]
        assert "these 5 activeflows" in again.words
        assert "they loop" in again.words
        assert "Asked by @Carol" in again.words
        await bulk.presses(again, user=CAROL)
        await stage.reads("A stop needs two people", user=CAROL)
        await bulk.presses(again, user=ALICE)
        words = await bulk.over(again)
    assert words.startswith("All 5 have ended")
    assert bulk.running([*loops, *born]) == born


@pytest.mark.slow
async def test_lost_answers_are_cleared_up_by_reading(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(8, voipbin.add_flow("Support line"))
    voipbin.faults.on("POST", _STOP, delay(0))
    voipbin.faults.on("POST", _STOP, lose_answer(), times=3)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        words = await bulk.over(card)
    assert words.startswith("All 8 have ended")
    assert [stage.posts(each) for each in loops] == [1] * 8


@pytest.mark.slow
async def test_when_voipbin_asks_to_slow_down_it_slows_down_and_goes_on(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    loops = bulk.ring(8, voipbin.add_flow("Support line"))
    voipbin.faults.on("POST", _STOP, delay(0), times=2)
    voipbin.faults.on("POST", _STOP, status(429, "RATE_LIMITED", retry_after=1), times=2)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        words = await bulk.over(card)
    assert words.startswith("All 8 have ended")
    assert [bulk.stops(each) for each in loops] == [1] * 8


@pytest.mark.slow
async def test_what_is_not_sent_in_time_is_not_sent_any_more(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.rules('confirm_within = "12s"')
    loops = bulk.ring(10, voipbin.add_flow("Support line"))
    point = hold()
    voipbin.faults.on("POST", _STOP, delay(0), times=3)
    voipbin.faults.on("POST", _STOP, point)
    voipbin.faults.on("POST", _STOP, InFlight(1.2), times=None)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        await point.arrived()
        await asyncio.sleep(12)
        point.release()
        words = await bulk.over(card)
        left = bulk.running(loops)
        assert 0 < len(left) < 7
        assert "Left, because time ran out" in words
        assert f"{len(left)} of 10 could still be running" in words
        late = [each for each in left if stage.posts(each)]
        assert late == []


async def test_a_lone_stop_and_a_bulk_stop_exclude_each_other(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(4, voipbin.add_flow("Support line"))
    alone = loops[2]
    point = hold()
    async with stage.start():
        card = await bulk.asks("type:call")
        await stage.slack.types(ALICE, INCIDENTS, f"/flows stop {alone.id}")
        await stage.slack.until(lambda: len(bulk.cards()) == 2)
        lone = bulk.cards()[-1]
        voipbin.faults.on("POST", _STOP, point)
        await bulk.presses(lone, user=ALICE, button="stop.flow")
        await point.arrived()
        await bulk.presses(card)
        words = await bulk.over(card)
        assert f"Already being stopped by someone else: {alone.id.hex[:8]}" in words
        point.release()
        await bulk.says(lone, "VoIPBIN shows it ended")
    assert [stage.posts(each) for each in loops] == [1] * 4


async def test_a_restart_in_the_middle_goes_on_with_the_rest(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(12, voipbin.add_flow("Support line"))
    voipbin.faults.on("POST", _STOP, InFlight(0.3), times=None)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        await stage.slack.until(lambda: len(bulk.running(loops)) < 10)
    left = len(bulk.running(loops))
    assert 0 < left < 10
    async with stage.start():
        words = await bulk.over(card)
    assert words.startswith("All 12 have ended")
    assert [stage.posts(each) for each in loops] == [1] * 12


async def test_every_act_of_a_bulk_stop_is_on_record_with_its_id(
    stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    loops = bulk.ring(4, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card, user=BOB)
        await stage.reads("You can't stop this", user=BOB)
        voipbin.ends(loops[1])
        await bulk.presses(card)
        words = await bulk.over(card)
    engine = engine_for(sqlite_url)
    with engine.begin() as connection:
        assert chain.proof(connection).flaws == ()
        records = [chain.record_of(row["body"]) for row in chain.chain(connection)]
        newest = chain.proof(connection).newest
    engine.dispose()
    about = [record for record in records if record.what is not RecordKind.POLICY]
    assert newest in words
    assert len({record.detail["bulk"] for record in about}) == 1
    whole = [record.what for record in about if record.activeflow_id is None]
    assert whole == [RecordKind.ASKED, RecordKind.REFUSED, RecordKind.PRESSED, RecordKind.OUTCOME]
    assert about[-1].detail["outcome"] == "3 of 4 ended"
    for each in loops:
        kinds = [record.what for record in about if record.activeflow_id == each.id]
        assert kinds == ([RecordKind.OUTCOME] if each is loops[1] else [RecordKind.SENDING, RecordKind.OUTCOME])


async def test_whoever_cancels_hears_of_it_when_slack_does_not_change_the_card(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        for way in ("chat.update", "response_url"):
            stage.slack.faults.on(way, slack_faults.status(503), times=None)
        await bulk.presses(card, button="bulk.cancel")
        told = await stage.reads("Only you see this. Slack did not say whether the card in the channel was", user=CAROL)
    assert told.ephemeral_to == CAROL
    assert told.words.startswith("Cancelled")
