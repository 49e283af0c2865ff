"""Many activeflows that somebody sees and may not stop: whom they can ask, what is put to those, and whose press
counts.
"""

import re

import pytest

from bot.activeflows.records import RecordKind
from bot.demo.slack.faults import error
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.ledger import audit as chain
from bot.ledger.database import engine_for
from tests.scenarios.bulk_stage import APPROVER, ASK_OTHERS, BULK_POLICY, REFUSED, BulkStage, bulk
from tests.scenarios.conftest import ABROAD, ALICE, BOB, CAROL, GUEST, INCIDENTS, LOBBY, POLICY, Stage

__all__ = ["bulk"]


# ---------------------------------------------------------------- one asks, another presses


async def test_bob_may_not_and_asks_and_carols_press_counts(
    stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    loops = bulk.ring(3, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await bulk.refused("type:call they loop")
        assert "stop activeflows in bulk. Nothing was done." in refusal.words
        assert "You can ask @Alice, @Carol" in refusal.words
        assert re.fullmatch("[0-9a-f]{32}", str(refusal.buttons[0].value))
        assert bulk.cards() == []
        await stage.slack.clicks(BOB, refusal, ASK_OTHERS)
        card = await stage.reads("can't stop these in bulk", user=CAROL)
        assert card.ephemeral_to is None
        for words in (
            "Stop these 3 activeflows?",
            "@Bob can't stop these in bulk and asks @Alice, @Carol to.",
            "3 × Support line: waiting for keypad input",
            "Expires 20",
            "Asked by @Bob, who can't stop in bulk: they loop",
        ):
            assert words in card.words
        asked = await stage.reads("Asked in #incidents", user=BOB)
        assert f"/archives/{INCIDENTS}/p{card.ts.replace('.', '')}|the card>" in asked.text
        assert voipbin.stops == []
        await bulk.presses(card, user=CAROL)
        words = await bulk.over(card)
    assert words.startswith("All 3 have ended")
    assert "@Carol pressed Stop all" in words
    assert "Asked by @Bob, who can't stop in bulk: they loop" in words
    assert [bulk.stops(each) for each in loops] == [1] * 3
    engine = engine_for(sqlite_url)
    with engine.begin() as connection:
        records = [chain.record_of(row["body"]) for row in chain.chain(connection)]
    engine.dispose()
    whole = [r for r in records if r.activeflow_id is None and r.what is not RecordKind.POLICY]
    assert [(r.what, r.who) for r in whole] == [
        (RecordKind.REFUSED, BOB),
        (RecordKind.ASKED, BOB),
        (RecordKind.PRESSED, CAROL),
        (RecordKind.OUTCOME, CAROL),
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
        card = await bulk.put_to_others()
        await bulk.presses(card, user=BOB)
        await stage.reads("You can't stop this", user=BOB)
        slack.groups["S0ONCALL"].members.append(BOB)
        await bulk.presses(card, user=BOB)
        await stage.reads("A stop needs two people", user=BOB)
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
        card = await bulk.put_to_others()
        slack.groups["S0ONCALL"].members.clear()
        await bulk.presses(card, user=CAROL)
        await stage.reads("You can't stop this", user=CAROL)
    assert voipbin.stops == []


async def test_who_may_only_approve_cannot_press_what_was_asked_by_somebody_who_might_not(
    stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    bulk.rules(grants=BULK_POLICY.replace(f'"{CAROL}"', '"S0ONCALL"'))
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.put_to_others()
        slack.groups["S0ONCALL"].members.append(BOB)
        await bulk.presses(card, user=APPROVER)
        await stage.reads("You can't stop this", user=APPROVER)
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
        await stage.slack.clicks(BOB, await bulk.refused("type:call"), ASK_OTHERS)
        card = await stage.reads("Stop these 3 activeflows?", user=CAROL)
        assert "Secret line" not in card.words
        assert "asks @Carol to" in card.words
        await bulk.presses(card, user=CAROL)
        words = await bulk.over(card)
    assert "2 of 3 ended · 1 left" in words
    assert f"No permission for whoever pressed: {others[0].id.hex[:8]}" in words
    assert "not on this card" not in words
    assert bulk.running([*mine, *others, *unseen]) == [*others, *unseen]


async def test_the_question_goes_to_the_channel_of_the_rules(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.rules(f'ask_in = "{INCIDENTS}"')
    loops = bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        refusal = await bulk.refused("type:call", channel=LOBBY)
        await stage.slack.clicks(BOB, refusal, ASK_OTHERS)
        card = await stage.reads("can't stop these in bulk and asks @Alice, @Carol", user=CAROL)
        await stage.reads("Asked in #incidents", user=BOB, channel=LOBBY)
        await bulk.presses(card, user=CAROL)
        await bulk.over(card)
    assert bulk.running(loops) == []


# ---------------------------------------------------------------- what is not offered


async def test_who_may_see_nothing_is_offered_nothing(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(2, voipbin.add_flow("Secret line"))
    async with stage.start():
        reads = len(voipbin.requests)
        await stage.slack.types(GUEST, INCIDENTS, "/flows stop all type:call")
        refusal = await stage.reads("You can't stop activeflows in bulk", user=GUEST)
        assert refusal.buttons == []
        assert len(voipbin.requests) == reads


async def test_where_nobody_can_be_asked_nothing_is_offered(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    support, sales = voipbin.add_flow("Support line"), voipbin.add_flow("Sales")
    only = f'{POLICY}\n[[grant]]\nto = ["{CAROL}"]\nmay = ["bulk"]\nflows = ["{support.id}"]\n'
    bulk.rules(grants=only)
    bulk.ring(1, support)
    bulk.ring(1, sales)
    async with stage.start():
        await bulk.refused('flow:"Support line"', user=ALICE)
        await stage.slack.types(BOB, INCIDENTS, "/flows stop all flow:Sales")
        assert (await stage.reads(REFUSED, user=BOB)).buttons == []
    stage.policy.write_text(POLICY, encoding="utf-8")
    async with stage.start():
        reads = len(voipbin.requests)
        await stage.slack.types(CAROL, INCIDENTS, "/flows stop all type:call")
        assert (await stage.reads("the policy gives nobody “bulk”", user=CAROL)).buttons == []
        assert len(voipbin.requests) == reads


@pytest.mark.parametrize(
    ("rules", "words", "answer"),
    [
        ("bulk_limit = 2", "type:call", "3 activeflows match. The limit is 2"),
        ("reason_required = true", "type:call", "needs a reason"),
        ("", "flow:Suport", "No running activeflow that you can see matches flow:Suport. Did you mean Support line?"),
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
        await stage.slack.clicks(BOB, await bulk.refused("type:call"), ASK_OTHERS)
        place = stage.slack.direct_channel(BOB).id
        await stage.reads("The stop card could not be posted", user=BOB, channel=place)
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
        await slack.clicks(BOB, await stage.reads(REFUSED, user=BOB, channel=place), ASK_OTHERS)
        card = await stage.reads("can't stop these in bulk and asks @Alice, @Carol", user=CAROL)
        assert card.channel == INCIDENTS
