"""What the end of a bulk stop says is so by now carries its time, and is followed within a bound that the card says."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from bot.demo.slack.messages import Message
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage
from tests.scenarios.outage import locked
from tests.scenarios.test_metrics import scraped

__all__ = ["bulk"]
_STOP = "/activeflows/{id}/stop"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """Where it is looked at every moment, for as long as a test takes."""
    stage.patience = replace(stage.patience, follow_every=0.1, follow_for=60.0)
    return stage


async def still_running(bulk: BulkStage, voipbin: World) -> tuple[Activeflow, Message, str]:
    """The only member, its stop broken on its way each time, the card and its words."""
    (loop,) = bulk.ring(1, voipbin.add_flow("Support line"))
    voipbin.faults.on("POST", _STOP, faults.reset_before(), times=None)
    card = await bulk.asks("type:call")
    await bulk.presses(card)
    return loop, card, await bulk.over(card)


def _unnamed(bulk: BulkStage, card: Message, activeflow: Activeflow) -> bool:
    return activeflow.id.hex[:8] not in bulk.now(card)


async def test_what_still_ran_is_followed_until_it_ends(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    async with stage.start():
        loop, card, words = await still_running(bulk, voipbin)
        assert "Still running after a stop was sent, as of 20" in words
        assert "The bot keeps checking until 20" in words
        posts = stage.posts(loop)
        voipbin.stop(loop)
        words = await bulk.says(card, "All 1 have ended")
        assert "keeps checking" not in words
        assert "Still running" not in words
        assert "Receipt" in words
    assert stage.posts(loop) == posts


async def test_after_the_time_it_says_nobody_looks_any_more(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    stage.patience = replace(stage.patience, follow_for=0.3)
    async with stage.start():
        _, card, _ = await still_running(bulk, voipbin)
        words = await bulk.says(card, "The bot has stopped checking. Please check it yourself.")
    assert words.startswith("Done: 1 of 1 could still be running")
    assert "Still running after a stop was sent, as of 20" in words
    assert "keeps checking" not in words
    assert "Receipt" in words


async def test_following_goes_on_after_a_restart(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    async with stage.start():
        loop, card, _ = await still_running(bulk, voipbin)
    async with stage.start():
        voipbin.stop(loop)
        await bulk.says(card, "All 1 have ended")


async def test_callers_who_stay_are_followed_until_they_are_gone(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    voipbin.telephony.loses_hangups = True
    loops = bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        words = await bulk.over(card)
        assert "Ended, and the caller is still on the line, as of 20" in words
        assert "The bot keeps checking until 20" in words
        for each in loops:
            call = voipbin.call_of(each)
            assert call is not None
            voipbin.telephony.hung_up(call, by="remote")
            await stage.slack.until(partial(_unnamed, bulk, card, each))
        assert "on the line" not in bulk.now(card)
        assert "keeps checking" not in bulk.now(card)


async def test_a_caller_whose_hang_up_did_nothing_is_followed_too(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    voipbin.telephony.loses_hangups = True
    (loop,) = bulk.ring(1, voipbin.add_flow("Support line"))
    voipbin.faults.on("POST", "/calls/{id}/hangup", faults.status(500, "INTERNAL"), times=2)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        await bulk.over(card)
        button = next(b for b in stage.slack.message(card.channel, card.ts).buttons if b.action_id == "call.hang_up")
        await stage.slack.clicks(CAROL, stage.slack.message(card.channel, card.ts), "call.hang_up", value=button.value)
        await bulk.says(card, "Still up, after @Carol pressed Hang up the call")
        call = voipbin.call_of(loop)
        assert call is not None
        voipbin.telephony.hung_up(call, by="remote")
        words = await bulk.says(card, "Hung up, after @Carol pressed Hang up the call")
    assert "keeps checking" not in words


async def test_where_everything_is_over_nobody_says_that_it_is_followed(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        words = await bulk.over(card)
    assert "checking" not in words


async def test_a_bulk_stop_that_is_only_followed_is_not_called_stuck_when_the_database_is_silent(
    stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    """Another stop, which is told of after it, is."""
    stage.silent_after, stage.patience = 1.0, replace(stage.patience, follow_every=60.0)
    async with stage.start():
        await still_running(bulk, voipbin)
        async with asyncio.timeout(30):
            while (await scraped(stage))["flows_bot_presses_under_way"]:
                await stage.slack.next_change(0.05)
        voipbin.faults.clear()
        looking = faults.hold()
        other = await stage.asks_to_stop(voipbin.rings(at="play"))
        voipbin.faults.on("GET", "/activeflows/{id}", looking)
        await bulk.presses(other, user=ALICE, button="stop.flow")
        await looking.arrived()
        with locked(sqlite_url):
            looking.release()
            await stage.reads("My database does not answer. Nothing has been sent for @Alice’s stop yet", user=BOB)
        await bulk.says(other, "Stopped by @Alice", seconds=60)
        assert not [m for user in (BOB, CAROL) for m in stage.slack.sees(user, INCIDENTS) if "’s bulk stop" in m.words]
