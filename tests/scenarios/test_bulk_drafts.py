"""What is kept when somebody may not stop in bulk, and what becomes of it when they ask: one card, frozen then."""

import asyncio
import json
from dataclasses import replace

import pytest

from bot.demo.slack.messages import Message
from bot.demo.voipbin.faults import reset_before
from bot.demo.voipbin.world import World
from tests.scenarios.bulk_stage import APPROVER, ASK_OTHERS, REFUSED, BulkStage, bulk
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage

__all__ = ["bulk"]


async def test_the_list_is_frozen_when_they_are_asked(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    flow = voipbin.add_flow("Support line")
    first, second = bulk.ring(2, flow)
    async with stage.start():
        refusal = await bulk.refused("type:call")
        voipbin.ends(first)
        third = bulk.ring(1, flow)[0]
        await stage.slack.clicks(BOB, refusal, ASK_OTHERS)
        card = await stage.reads("Stop these 2 activeflows?", user=CAROL)
        assert f"for id in {second.id} {third.id}; do" in await bulk.way_out(card)
        fourth = bulk.ring(1, flow)[0]
        await bulk.presses(card, user=CAROL)
        words = await bulk.over(card)
    assert "1 more matches, as of 20" in words
    assert bulk.running([second, third, fourth]) == [fourth]


async def test_what_fits_no_more_when_they_are_asked_is_said_and_can_be_asked_later(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    bulk.rules("bulk_limit = 4")
    flow = voipbin.add_flow("Support line")
    loops = bulk.ring(3, flow)
    async with stage.start():
        refusal = await bulk.refused("type:call")
        loops += bulk.ring(3, flow)
        await stage.slack.clicks(BOB, refusal, ASK_OTHERS)
        await stage.reads("6 activeflows match. The limit is 4", user=BOB)
        for each in loops:
            voipbin.ends(each)
        await stage.slack.clicks(BOB, refusal, ASK_OTHERS)
        await stage.reads("No running activeflow that you can see matches type:call", user=BOB)
        assert bulk.cards() == []
        bulk.ring(1, flow)
        await stage.slack.clicks(BOB, refusal, ASK_OTHERS)
        await stage.reads("Stop this 1 activeflow?", user=CAROL)


async def test_asking_twice_opens_one_card_and_then_points_at_it(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await bulk.refused("type:call")
        forged = replace(refusal, ts="1.1", ephemeral_to=None)
        await stage.slack.clicks(CAROL, forged, ASK_OTHERS)
        await stage.reads("There is nothing left to press", user=CAROL)
        await stage.slack.clicks(BOB, forged, ASK_OTHERS)
        card = await stage.reads("can't stop these in bulk", user=CAROL)
        await stage.reads("Asked in #incidents", user=BOB)
        for asker, name in ((BOB, "@Bob"), (APPROVER, "@Dave")):
            await stage.slack.clicks(asker, forged, ASK_OTHERS)
            note = await stage.reads(f"{name} asks @Alice, @Carol to press this card", user=CAROL)
            assert note.thread_ts == card.ts
        assert len(bulk.cards()) == 1


async def test_asking_twice_at_once_opens_one_card(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await bulk.refused("type:call")
        forged = replace(refusal, ts="1.1", ephemeral_to=None)
        answers = ("Asked in #incidents", "They were already asked")
        await asyncio.gather(*(stage.slack.clicks(BOB, forged, ASK_OTHERS) for _ in range(5)))

        def told() -> list[Message]:
            return [m for m in stage.slack.sees(BOB, INCIDENTS) if any(each in m.words for each in answers)]

        await stage.slack.until(lambda: len(told()) == 5)
        assert len(bulk.cards()) == 1


async def test_a_refused_presser_can_ask_for_the_card_to_be_pressed(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card, user=BOB)
        refusal = await stage.reads("You can't stop this", user=BOB)
        await stage.slack.clicks(BOB, refusal, ASK_OTHERS)
        note = await stage.reads("to press this card", user=ALICE)
        assert note.thread_ts == card.ts
        await bulk.presses(card, user=ALICE, button="bulk.cancel")
        await bulk.says(card, "Cancelled")
        await stage.slack.clicks(BOB, replace(refusal, ts="1.1", ephemeral_to=None), ASK_OTHERS)
        await stage.reads("There is nothing left to press", user=BOB)
    assert voipbin.stops == []


async def test_the_offer_outlives_a_restart(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await bulk.refused("type:call they loop")
    async with stage.start():
        await stage.slack.clicks(BOB, refusal, ASK_OTHERS)
        card = await stage.reads("can't stop these in bulk", user=CAROL)
        assert "they loop" in card.words


@pytest.mark.slow
async def test_what_is_left_can_be_asked_for_by_somebody_who_may_not(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    flow = voipbin.add_flow("Support line")
    loops = bulk.ring(4, flow)
    voipbin.faults.on("POST", "/activeflows/{id}/stop", reset_before(), times=2)
    async with stage.start():
        card = await bulk.asks("type:call they loop")
        await bulk.presses(card)
        assert "0 of 4 ended · 1 not stopped · 3 left" in await bulk.over(card)
        born = bulk.ring(1, flow)
        await bulk.presses(card, user=BOB, button="bulk.remainder")
        await stage.slack.clicks(BOB, await stage.reads(REFUSED, user=BOB), ASK_OTHERS)
        again = await stage.reads("@Bob can't stop these in bulk", user=CAROL)
        assert "Stop these 4 activeflows?" in again.words
        assert "who can't stop in bulk: they loop" in again.words
        await bulk.presses(again, user=CAROL)
        await bulk.says(again, "All 4 have ended")
    assert bulk.running([*loops, *born]) == born


async def test_a_draft_can_be_put_to_others_and_nothing_else(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await bulk.refused("type:call")
        card = await bulk.asks('flow:"Support line"')
        known, drafted = str(card.buttons[0].value), str(refusal.buttons[0].value)
        blocks = json.loads(json.dumps(card.blocks).replace(known, drafted))
        forged = replace(card, ts="1.1", blocks=tuple(blocks))
        for button in ("bulk.stop", "bulk.cancel"):
            await stage.slack.clicks(CAROL, forged, button)
        await stage.slack.until(
            lambda: [m for m in stage.slack.sees(CAROL, INCIDENTS) if "don't know this card" in m.words][1:]
        )
        assert len(bulk.cards()) == 1
    assert bulk.running(loops) == loops
