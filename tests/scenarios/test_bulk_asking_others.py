"""Many activeflows that somebody sees and may not stop: whom they can ask, what is put to those, and whose press counts."""

import asyncio
import json
import re
from dataclasses import replace

import pytest

from bot.activeflows.records import What
from bot.demo.slack.faults import error
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.faults import reset_before
from bot.demo.voipbin.world import World
from bot.ledger import audit as chain
from bot.ledger.database import engine_for
from tests.scenarios.bulk_stage import APPROVER, BULK_POLICY, BulkStage, bulk
from tests.scenarios.conftest import ABROAD, ALICE, BOB, CAROL, GUEST, INCIDENTS, LOBBY, POLICY, STRANGER, Stage

__all__ = ["bulk"]
_ASK = "bulk.ask_others"
_REFUSED = "You may not do this here"


async def refused(stage: Stage, words: str, *, user: str = BOB, channel: str = INCIDENTS) -> Message:
    """The answer to somebody who may not, with the offer in it."""
    await stage.slack.types(user, channel, f"/flows stop all {words}")
    refusal = await stage.reads(_REFUSED, user=user, channel=channel)
    assert [button.action_id for button in refusal.buttons] == [_ASK]
    return refusal


async def put(stage: Stage, bulk: BulkStage, words: str = "type:call") -> Message:
    """The card that stands there after Bob, who may not, has asked those who may."""
    before = len(bulk.cards())
    await stage.slack.clicks(BOB, await refused(stage, words), _ASK)
    await stage.slack.until(lambda: len(bulk.cards()) > before)
    return bulk.cards()[-1]


# ---------------------------------------------------------------- one asks, another presses


async def test_bob_may_not_and_asks_and_carols_press_counts(
    stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    loops = bulk.ring(3, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await refused(stage, "type:call they loop")
        assert "no grant of “bulk” names this person" in refusal.words
        assert "You can ask @Alice, @Carol" in refusal.words
        assert re.fullmatch("[0-9a-f]{32}", str(refusal.buttons[0].value))
        assert bulk.cards() == []
        await stage.slack.clicks(BOB, refusal, _ASK)
        card = await stage.reads("may not stop these in bulk", user=CAROL)
        assert card.ephemeral_to is None
        for words in (
            "Stop these 3 activeflows?",
            "@Bob may not stop these in bulk and asks @Alice, @Carol to.",
            "3 × Support line: waiting for keypad input",
            "by people who may stop in bulk",
            "Asked by @Bob, who may not stop in bulk: they loop",
        ):
            assert words in card.words
        await stage.reads("Asked in #incidents", user=BOB)
        assert voipbin.stops == []
        await bulk.presses(card, user=CAROL)
        words = await bulk.over(card)
    assert words.startswith("All 3 have ended")
    assert "@Carol pressed Stop all" in words
    assert "Asked by @Bob, who may not stop in bulk: they loop" in words
    assert [bulk.stops(each) for each in loops] == [1] * 3
    engine = engine_for(sqlite_url)
    with engine.begin() as connection:
        records = [chain.record_of(row["body"]) for row in chain.chain(connection)]
    engine.dispose()
    whole = [r for r in records if r.activeflow_id is None and r.what is not What.POLICY]
    assert [(r.what, r.who) for r in whole] == [
        (What.REFUSED, BOB),
        (What.ASKED, BOB),
        (What.PRESSED, CAROL),
        (What.OUTCOME, CAROL),
    ]
    assert whole[1].detail["because"] == "asks those who may"
    assert (whole[2].detail["asked_by"], whole[2].detail["because"]) == (BOB, "allowed by grant 1")


@pytest.mark.parametrize("rules", ["", "two_person = []"])
async def test_nobody_approves_their_own_even_with_a_new_permission(
    rules: str, stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    bulk.rules(rules, grants=BULK_POLICY.replace(f'"{CAROL}"', '"S0ONCALL"'))
    loops = bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await put(stage, bulk)
        await bulk.presses(card, user=BOB)
        await stage.reads("You may not stop this here", user=BOB)
        slack.groups["S0ONCALL"].members.append(BOB)
        await bulk.presses(card, user=BOB)
        await stage.reads("a stop needs two people", user=BOB)
        assert voipbin.stops == []
        await bulk.presses(card, user=CAROL)
        await bulk.over(card)
    assert bulk.running(loops) == []


async def test_a_permission_lost_meanwhile_is_lost(
    stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    bulk.rules(grants=BULK_POLICY.replace(f'"{CAROL}"', '"S0ONCALL"'))
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await put(stage, bulk)
        slack.groups["S0ONCALL"].members.clear()
        await bulk.presses(card, user=CAROL)
        await stage.reads("You may not stop this here", user=CAROL)
    assert voipbin.stops == []


async def test_who_may_only_approve_cannot_press_what_was_asked_by_somebody_who_might_not(
    stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    bulk.rules(grants=BULK_POLICY.replace(f'"{CAROL}"', '"S0ONCALL"'))
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await put(stage, bulk)
        slack.groups["S0ONCALL"].members.append(BOB)
        await bulk.presses(card, user=APPROVER)
        await stage.reads("You may not stop this here", user=APPROVER)
    assert voipbin.stops == []


async def test_what_the_presser_may_not_stop_is_left_and_what_the_asker_may_not_see_is_not_listed(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    support, sales, secret = (voipbin.add_flow(name) for name in ("Support line", "Sales", "Secret line"))
    bulk.rules(
        grants=f"""
[[grant]]
to = ["{CAROL}"]
may = ["view", "bulk"]
flows = ["{support.id}", "{secret.id}"]

[[grant]]
to = ["{BOB}"]
may = ["view"]
flows = ["{support.id}", "{sales.id}"]
"""
    )
    mine, others, unseen = bulk.ring(2, support), bulk.ring(1, sales), bulk.ring(1, secret)
    async with stage.start():
        await stage.slack.clicks(BOB, await refused(stage, "type:call"), _ASK)
        card = await stage.reads("Stop these 3 activeflows?", user=CAROL)
        assert "Secret line" not in card.words
        assert "asks @Carol to" in card.words
        await bulk.presses(card, user=CAROL)
        words = await bulk.over(card)
    assert "2 of 3 ended · 1 left" in words
    assert f"Not open to whoever pressed: {others[0].id.hex[:8]}" in words
    assert "more fit now" not in words
    assert bulk.running([*mine, *others, *unseen]) == [*others, *unseen]


async def test_the_question_goes_to_the_channel_of_the_rules(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.rules(f'ask_in = "{INCIDENTS}"')
    loops = bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await refused(stage, "type:call", channel=LOBBY)
        await stage.slack.clicks(BOB, refusal, _ASK)
        card = await stage.reads("may not stop these in bulk and asks @Alice, @Carol", user=CAROL)
        await stage.reads("Asked in #incidents", user=BOB, channel=LOBBY)
        await bulk.presses(card, user=CAROL)
        await bulk.over(card)
    assert bulk.running(loops) == []


# ---------------------------------------------------------------- what is put to them, and how often


async def test_the_list_is_frozen_when_they_are_asked(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    flow = voipbin.add_flow("Support line")
    first, second = bulk.ring(2, flow)
    async with stage.start():
        refusal = await refused(stage, "type:call")
        voipbin.ends(first)
        third = bulk.ring(1, flow)[0]
        await stage.slack.clicks(BOB, refusal, _ASK)
        card = await stage.reads("Stop these 2 activeflows?", user=CAROL)
        assert f"for id in {second.id} {third.id}; do" in card.words
        fourth = bulk.ring(1, flow)[0]
        await bulk.presses(card, user=CAROL)
        words = await bulk.over(card)
    assert "1 more fit now that were not in the list" in words
    assert bulk.running([second, third, fourth]) == [fourth]


async def test_what_fits_no_more_when_they_are_asked_is_said_and_can_be_asked_later(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    bulk.rules("bulk_limit = 4")
    flow = voipbin.add_flow("Support line")
    loops = bulk.ring(3, flow)
    async with stage.start():
        refusal = await refused(stage, "type:call")
        loops += bulk.ring(3, flow)
        await stage.slack.clicks(BOB, refusal, _ASK)
        await stage.reads("6 activeflows fit, and at most 4", user=BOB)
        for each in loops:
            voipbin.ends(each)
        await stage.slack.clicks(BOB, refusal, _ASK)
        await stage.reads("No running activeflow fits type:call that you may see", user=BOB)
        assert bulk.cards() == []
        bulk.ring(1, flow)
        await stage.slack.clicks(BOB, refusal, _ASK)
        await stage.reads("Stop this 1 activeflow?", user=CAROL)


async def test_asking_twice_opens_one_card_and_then_points_at_it(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await refused(stage, "type:call")
        forged = replace(refusal, ts="1.1", ephemeral_to=None)
        await stage.slack.clicks(CAROL, forged, _ASK)
        await stage.reads("There is nothing to be pressed any more", user=CAROL)
        await stage.slack.clicks(BOB, forged, _ASK)
        card = await stage.reads("may not stop these in bulk", user=CAROL)
        await stage.reads("Asked in #incidents", user=BOB)
        for asker, name in ((BOB, "@Bob"), (APPROVER, "@Dave")):
            await stage.slack.clicks(asker, forged, _ASK)
            note = await stage.reads(f"{name} asks @Alice, @Carol to press this card", user=CAROL)
            assert note.thread_ts == card.ts
        assert len(bulk.cards()) == 1


async def test_asking_twice_at_once_opens_one_card(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await refused(stage, "type:call")
        forged = replace(refusal, ts="1.1", ephemeral_to=None)
        answers = ("Asked in #incidents", "That was asked for already")
        await asyncio.gather(*(stage.slack.clicks(BOB, forged, _ASK) for _ in range(5)))

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
        refusal = await stage.reads("You may not stop this here", user=BOB)
        await stage.slack.clicks(BOB, refusal, _ASK)
        note = await stage.reads("to press this card", user=ALICE)
        assert note.thread_ts == card.ts
        await bulk.presses(card, user=ALICE, button="bulk.cancel")
        await bulk.says(card, "Put away")
        await stage.slack.clicks(BOB, replace(refusal, ts="1.1", ephemeral_to=None), _ASK)
        await stage.reads("There is nothing to be pressed any more", user=BOB)
    assert voipbin.stops == []


async def test_the_offer_outlives_a_restart(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await refused(stage, "type:call they loop")
    async with stage.start():
        await stage.slack.clicks(BOB, refusal, _ASK)
        card = await stage.reads("may not stop these in bulk", user=CAROL)
        assert "they loop" in card.words


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
        await stage.slack.clicks(BOB, await stage.reads(_REFUSED, user=BOB), _ASK)
        again = await stage.reads("@Bob may not stop these in bulk", user=CAROL)
        assert "Stop these 4 activeflows?" in again.words
        assert "who may not stop in bulk: they loop" in again.words
        await bulk.presses(again, user=CAROL)
        await bulk.says(again, "All 4 have ended")
    assert bulk.running([*loops, *born]) == born


async def test_a_draft_can_be_put_to_others_and_nothing_else(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await refused(stage, "type:call")
        card = await bulk.asks('flow:"Support line"')
        known, drafted = str(card.buttons[0].value), str(refusal.buttons[0].value)
        blocks = json.loads(json.dumps(card.blocks).replace(known, drafted))
        forged = replace(card, ts="1.1", blocks=tuple(blocks))
        for button in ("bulk.stop", "bulk.cancel"):
            await stage.slack.clicks(CAROL, forged, button)
        await stage.slack.until(lambda: [m for m in stage.slack.sees(CAROL, INCIDENTS) if "do not know" in m.words][1:])
        assert len(bulk.cards()) == 1
    assert bulk.running(loops) == loops


# ---------------------------------------------------------------- what is not offered


@pytest.mark.parametrize("user", [GUEST, STRANGER])
async def test_who_may_see_nothing_is_offered_nothing(user: str, stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(2, voipbin.add_flow("Secret line"))
    async with stage.start():
        reads = len(voipbin.requests)
        await stage.slack.types(user, INCIDENTS, "/flows stop all type:call")
        refusal = await stage.reads(_REFUSED, user=user)
        assert refusal.buttons == []
        assert len(voipbin.requests) == reads


async def test_where_nobody_can_be_asked_nothing_is_offered(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    support, sales = voipbin.add_flow("Support line"), voipbin.add_flow("Sales")
    only = f'{POLICY}\n[[grant]]\nto = ["{CAROL}"]\nmay = ["bulk"]\nflows = ["{support.id}"]\n'
    bulk.rules(grants=only)
    bulk.ring(1, support)
    bulk.ring(1, sales)
    async with stage.start():
        await refused(stage, 'flow:"Support line"', user=ALICE)
        await stage.slack.types(BOB, INCIDENTS, "/flows stop all flow:Sales")
        assert (await stage.reads(_REFUSED, user=BOB)).buttons == []
    stage.policy.write_text(POLICY, encoding="utf-8")
    async with stage.start():
        reads = len(voipbin.requests)
        await stage.slack.types(CAROL, INCIDENTS, "/flows stop all type:call")
        assert (await stage.reads("no grant gives “bulk” to anybody", user=CAROL)).buttons == []
        assert len(voipbin.requests) == reads


@pytest.mark.parametrize(
    ("rules", "words", "answer"),
    [
        ("bulk_limit = 2", "type:call", "3 activeflows fit, and at most 2"),
        ("reason_required = true", "type:call", "needs a reason"),
        ("", "flow:Suport", "No running activeflow fits flow:Suport that you may see. Did you mean Support line?"),
    ],
)
async def test_what_could_not_be_asked_is_not_offered(
    rules: str, words: str, answer: str, stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    bulk.rules(rules)
    bulk.ring(3, voipbin.add_flow("Support line"))
    async with stage.start():
        await stage.slack.types(BOB, INCIDENTS, f"/flows stop all {words}")
        assert (await stage.reads(answer, user=BOB)).buttons == []
        assert bulk.cards() == []


async def test_nobody_is_said_to_be_asked_where_the_card_cannot_be_posted(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    bulk.rules(f'ask_in = "{ABROAD}"', grants=BULK_POLICY.replace(f'in = ["{INCIDENTS}"]', ""))
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        await stage.slack.clicks(BOB, await refused(stage, "type:call"), _ASK)
        place = stage.slack.direct_channel(BOB).id
        await stage.reads("The card could not be posted", user=BOB, channel=place)
        assert not [m for m in stage.slack.sees(BOB, INCIDENTS) if "Asked in" in m.words]


async def test_asked_from_a_direct_message_the_card_stands_where_it_was_typed(
    stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        slack.faults.on("response_url", error("expired_url"))
        slack.faults.on("chat.postEphemeral", error("user_not_in_channel"))
        await slack.types(BOB, INCIDENTS, "/flows stop all type:call")
        place = slack.direct_channel(BOB).id
        await slack.clicks(BOB, await stage.reads(_REFUSED, user=BOB, channel=place), _ASK)
        card = await stage.reads("may not stop these in bulk and asks @Alice, @Carol", user=CAROL)
        assert card.channel == INCIDENTS
