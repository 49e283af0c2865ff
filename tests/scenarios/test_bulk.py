"""Many activeflows, stopped from Slack at once: who may, what is frozen, and what is touched."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Step
from bot.demo.voipbin.world import World
from tests.scenarios.bulk_stage import APPROVER, BULK_POLICY, BulkStage, bulk
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, POLICY, Stage
from tests.scenarios.typing_at import answers

__all__ = ["bulk"]
ALONE = "two_person = []"


async def test_two_persons_stop_twelve_looping_calls_and_everybody_reads_that_they_ended(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    others = bulk.ring(2, voipbin.add_flow("Sales"))
    loops = bulk.ring(12, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks('flow:"Support line" loops since the deploy')
        assert "Stop these 12 activeflows?" in card.words
        assert "12 × Support line: waiting for keypad input" in card.words
        assert "Hangs up on 12 callers" in card.words
        assert "caller +1555" in card.words
        assert "+15550100001" not in card.words
        assert "loops since the deploy" in card.words
        assert voipbin.stops == []
        await bulk.presses(card)
        words = await bulk.over(card)
    assert words.startswith("All 12 have ended")
    assert "12 of 12 ended · 0 left" in words
    assert bulk.running(loops) == []
    assert bulk.running(others) == others
    assert [bulk.stops(each) for each in loops] == [1] * 12


async def test_nobody_approves_their_own(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(3, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card, user=ALICE)
        await stage.reads("A stop needs two people", user=ALICE)
        assert "Stop these 3" in bulk.now(card)
    assert voipbin.stops == []


async def test_where_the_rules_want_no_second_person_the_asker_presses(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    loops = bulk.ring(3, voipbin.add_flow("Support line"))
    bulk.rules(ALONE)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card, user=ALICE)
        await bulk.over(card)
    assert bulk.running(loops) == []


async def test_an_approver_may_press_but_not_ask(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(3, voipbin.add_flow("Support line"))
    async with stage.start():
        await stage.slack.types(APPROVER, INCIDENTS, "/flows stop all type:call")
        await stage.reads("You don't have permission to", user=APPROVER)
        assert bulk.cards() == []
        card = await bulk.asks("type:call")
        await bulk.presses(card, user=APPROVER)
        words = await bulk.over(card)
    assert "@Dave pressed Stop all" in words
    assert bulk.running(loops) == []


async def test_a_viewer_may_neither_ask_nor_press_nor_abort(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(3, voipbin.add_flow("Support line"))
    async with stage.start():
        await stage.slack.types(BOB, INCIDENTS, "/flows stop all type:call")
        await stage.reads("You don't have permission to", user=BOB)
        assert bulk.cards() == []
        card = await bulk.asks("type:call")
        await bulk.presses(card, user=BOB)
        await stage.reads("You can't stop this", user=BOB)
        await bulk.presses(card, user=BOB, button="bulk.cancel")
        await stage.reads("You don't have permission to", user=BOB)
        assert "Stop these 3" in bulk.now(card)
    assert voipbin.stops == []


@pytest.mark.parametrize("who", ["the presser", "the asker whose wish was to be approved"])
async def test_a_permission_lost_meanwhile_is_lost(
    who: str, stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    bulk.rules(grants=BULK_POLICY.replace(f'["{ALICE}", "{CAROL}"]', '["S0ONCALL"]'))
    slack.groups["S0ONCALL"].members[:] = [ALICE, CAROL]
    bulk.ring(3, voipbin.add_flow("Support line"))
    presser = CAROL if who == "the presser" else APPROVER
    async with stage.start():
        card = await bulk.asks("type:call")
        slack.groups["S0ONCALL"].members.remove(CAROL if presser == CAROL else ALICE)
        await bulk.presses(card, user=presser)
        await stage.reads("You can't stop this", user=presser)
    assert voipbin.stops == []


async def test_above_the_ceiling_there_is_no_card_but_how_to_narrow(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    bulk.rules("bulk_limit = 4")
    bulk.ring(3, voipbin.add_flow("Support line"))
    bulk.ring(2, voipbin.add_flow("Sales"))
    async with stage.start():
        await stage.slack.types(ALICE, INCIDENTS, "/flows stop all type:call")
        said = await stage.reads("5 activeflows match. The limit is 4")
        assert "3 × Support line" in said.words
        assert "older:10m" in said.words
        assert bulk.cards() == []


async def test_without_a_filter_there_is_no_card(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        await stage.slack.types(ALICE, INCIDENTS, "/flows stop all")
        await stage.reads("Give at least one filter: flow:")
        await stage.slack.types(ALICE, INCIDENTS, "/flows stop all flow:Suport")
        said = await stage.reads("No running activeflow that you can stop in bulk matches")
        assert "Did you mean Support line?" in said.words
        assert bulk.cards() == []


async def test_where_a_reason_is_required_there_is_no_card_without_one(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    bulk.rules("reason_required = true")
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        await stage.slack.types(ALICE, INCIDENTS, "/flows stop all type:call")
        said = await stage.reads("needs a reason")
        assert '/flows stop all type:call "why"' in said.words
        assert bulk.cards() == []
        card = await bulk.asks("type:call they loop")
        await bulk.presses(card)
        assert "they loop" in await bulk.over(card)


async def test_exactly_the_frozen_list_is_touched(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    flow = voipbin.add_flow("Support line")
    loops = bulk.ring(8, flow)
    async with stage.start():
        card = await bulk.asks("type:call")
        ended, moved = loops[3], loops[5]
        born = bulk.ring(2, flow)
        voipbin.ends(ended)
        voipbin.moves_to(moved, "queue_join")
        await bulk.presses(card)
        words = await bulk.over(card)
    assert "6 of 8 ended · 1 had already ended · 1 skipped · 0 left" in words
    assert f"Had already ended: {ended.id.hex[:8]}" in words
    assert f"Moved on, so left alone: {moved.id.hex[:8]}" in words
    assert re.search(r"2 more match, as of 20\S+ \S+ UTC\. They were not on this card and were left alone", words)
    assert bulk.running([*loops, *born]) == [moved, *born]
    assert stage.posts(ended) == stage.posts(moved) == 0


async def test_what_is_only_probable_is_not_stopped_by_what_it_does(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    certain = voipbin.rings(voipbin.add_flow("Menu"), at="digits_receive")
    probable = voipbin.rings(None, at="play", executed=["queue_join", "answer"])
    async with stage.start():
        await stage.slack.types(ALICE, INCIDENTS, "/flows stop all action:queue_join")
        said = await stage.reads("No running activeflow that you can stop in bulk matches")
        assert f"not certain that these match, so they are not stopped: {probable.id.hex[:8]}" in said.words
        await stage.slack.types(ALICE, INCIDENTS, "/flows stop all is:waiting")
        said = await stage.reads("matches is:waiting")
        assert f"so they are not stopped: {probable.id.hex[:8]}" in said.words
        card = await bulk.asks("type:call")
        assert "these 2 activeflows" in card.words
    assert bulk.running([certain, probable]) == [certain, probable]


async def test_those_who_wait_are_stopped_and_those_who_talk_are_left(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    support = voipbin.add_flow("Support line")
    waiting = [voipbin.rings(support, at="queue_join") for _ in range(3)]
    talking = [voipbin.rings(support, at="confbridge_join", executed=["queue_join"]) for _ in range(2)]
    menu = bulk.ring(1, support)
    async with stage.start():
        card = await bulk.asks("is:waiting no agents tonight")
        assert "these 3 activeflows" in card.words
        assert "is:waiting" in card.words
        voipbin.moves_to(waiting[1], "confbridge_join")
        await bulk.presses(card)
        words = await bulk.over(card)
    assert f"Moved on, so left alone: {waiting[1].id.hex[:8]}" in words
    assert bulk.running([*waiting, *talking, *menu]) == [waiting[1], *talking, *menu]
    assert stage.posts(waiting[1]) == 0


async def test_one_listed_because_it_loops_is_left_alone_when_it_loops_no_longer(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    support = voipbin.add_flow("Support line", [Step("talk"), Step("digits_receive")])
    round_ = ["talk", "digits_receive"]
    loops = [voipbin.rings(support, at="talk", executed=round_ * 5) for _ in range(3)]
    others = bulk.ring(2, support)
    async with stage.start():
        card = await bulk.asks("is:looping")
        assert "these 3 activeflows" in card.words
        voipbin.moves_to(loops[1], Step("talk"))
        await bulk.presses(card)
        words = await bulk.over(card)
    assert f"Moved on, so left alone: {loops[1].id.hex[:8]}" in words
    assert bulk.running([*loops, *others]) == [loops[1], *others]


async def test_one_that_is_left_over_only_probably_is_not_stopped_for_it(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    support = voipbin.add_flow("Support line")
    left, probable = (voipbin.rings(support, at="play", created_at=long_ago) for _ in range(2))
    call = voipbin.call_of(left)
    assert call is not None
    call.status, call.tm_hangup = "hangup", long_ago + timedelta(minutes=3)
    async with stage.start():
        listed = (await answers(stage, "list is:left-over")).words
        assert left.id.hex[:8] in listed
        assert probable.id.hex[:8] in listed
        card = await bulk.asks("is:left-over")
        assert "this 1 activeflow" in card.words
        await bulk.presses(card)
        await bulk.over(card)
    assert bulk.running([left, probable]) == [probable]


async def test_a_flow_outside_the_grant_is_never_in_the_list(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    support, sales = voipbin.add_flow("Support line"), voipbin.add_flow("Sales")
    bulk.rules(grants=f'{BULK_POLICY}\n[[grant]]\nto = ["{BOB}"]\nmay = ["view", "bulk"]\nflows = ["{support.id}"]\n')
    mine, others = bulk.ring(3, support), bulk.ring(2, sales)
    async with stage.start():
        card = await bulk.asks("type:call", user=BOB)
        assert "these 3 activeflows" in card.words
        assert "no permission for whoever asked: up to 2" in card.words
        await bulk.presses(card, user=CAROL)
        await bulk.over(card)
        assert bulk.running([*mine, *others]) == others
        wide = await bulk.asks("type:call")
        bulk.ring(1, support)
        wide = await bulk.asks("type:call")
        assert "these 3 activeflows" in wide.words
        await bulk.presses(wide, user=BOB)
        words = await bulk.over(wide)
    assert "1 of 3 ended · 2 left" in words
    assert "No permission for whoever pressed" in words
    assert bulk.running(others) == others


async def test_a_card_that_was_put_away_stops_nothing(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card, user=ALICE, button="bulk.cancel")
        words = await bulk.says(card, "Cancelled")
        assert "@Alice cancelled this card" in words
        await stage.slack.clicks(CAROL, card, "bulk.stop")
        await stage.reads("This card was cancelled", user=CAROL)
    assert voipbin.stops == []


async def test_a_press_after_the_deadline_stops_nothing(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    bulk.rules('confirm_within = "1s"')
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        await asyncio.sleep(1.1)
        await bulk.presses(card)
        await bulk.says(card, "Expired. Nothing was stopped.")
        await stage.reads("This card has expired", user=CAROL)
    assert voipbin.stops == []


async def test_a_card_that_was_called_expired_is_begun_by_nobody_any_more(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    """Carol presses in time and Slack takes long to say who she is; meanwhile somebody else presses too late."""
    bulk.ring(2, voipbin.add_flow("Support line"))
    later = timedelta()
    stage.wall = lambda: datetime.now(UTC) + later
    async with stage.start():
        card = await bulk.asks("type:call")
        known = stage.slack.faults.on("users.info", slack_faults.hold()).hold
        assert known is not None
        await bulk.presses(card)
        await known.arrived()
        later = timedelta(hours=1)
        await bulk.presses(card, user=APPROVER)
        await bulk.says(card, "Expired. Nothing was stopped.")
        known.release()
        await stage.reads("This card has expired", user=CAROL)
        assert "Expired. Nothing was stopped." in bulk.now(card)
    assert voipbin.stops == []


async def test_two_who_press_at_once_start_it_once(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(5, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        await asyncio.gather(bulk.presses(card, user=CAROL), bulk.presses(card, user=APPROVER))
        await bulk.over(card)
        told = [m.words for user in (CAROL, APPROVER) for m in stage.slack.sees(user, INCIDENTS) if m.ephemeral_to]
        assert any("is stopping it already" in words or "carried out already" in words for words in told)
    assert [bulk.stops(each) for each in loops] == [1] * 5


async def test_it_is_not_built_for_those_who_may_only_stop_one(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    stage.policy.write_text(POLICY, encoding="utf-8")
    bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        await stage.slack.types(ALICE, INCIDENTS, "/flows stop all type:call")
        refusal = await stage.reads("You can't")
        assert "the policy gives nobody “bulk”" in refusal.words


async def test_what_starts_when_they_end_is_said_before(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    survey = voipbin.add_flow("Satisfaction survey", [Step("play", lasts=600)])
    bulk.ring(3, voipbin.add_flow("Support line", on_complete=survey))
    bulk.ring(2, voipbin.add_flow("Sales"))
    async with stage.start():
        card = await bulk.asks("type:call")
        assert "Starts 3 other activeflows: flow Satisfaction survey" in card.words


async def test_the_way_out_names_exactly_those_that_are_left(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(3, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        assert not any(str(each.id) in card.words for each in loops)
        assert "Without this bot: vn activeflows list, then vn activeflows stop <id>" in card.words
        named = " ".join(str(each.id) for each in loops)
        assert f"for id in {named}; do vn activeflows stop $id; done" in await bulk.way_out(card)
        voipbin.moves_to(loops[1], "queue_join")
        await bulk.presses(card)
        words = await bulk.over(card)
        commands = await bulk.way_out(card)
    assert f"for id in {loops[1].id}; do vn activeflows stop $id; done" in commands
    assert str(loops[0].id) not in commands
    assert str(loops[1].id) not in words
    assert voipbin.access_key not in commands
