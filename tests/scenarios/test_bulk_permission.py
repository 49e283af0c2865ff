"""A permission that is lost in the middle of a bulk stop: nothing further is sent, and everybody reads why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.activeflows.records import Record, RecordKind
from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.faults import delay, hold
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.ledger import audit as chain
from bot.ledger.database import engine_for
from tests.scenarios.bulk_stage import APPROVER, BULK_POLICY, BulkStage, bulk
from tests.scenarios.conftest import ALICE, CAROL, Stage
from tests.scenarios.typing_at import answers

__all__ = ["bulk"]
_STOP = "/activeflows/{id}/stop"
GROUP = BULK_POLICY.replace(f'["{ALICE}", "{CAROL}"]', '["S0ONCALL"]')
NO_LONGER = BULK_POLICY.replace(f'["{ALICE}", "{CAROL}"]', f'["{ALICE}"]')


@asynccontextmanager
async def under_way(
    stage: Stage, bulk: BulkStage, loops: list[Activeflow], *, presser: str = CAROL
) -> AsyncIterator[Message]:
    """One has ended and two are in flight for as long as the block lasts; then those two go on."""
    second, third = hold(), hold()
    for each in (delay(0), second, third):
        stage.voipbin.faults.on("POST", _STOP, each)
    card = await bulk.asks("type:call")
    await bulk.presses(card, user=presser)
    await asyncio.gather(second.arrived(), third.arrived())
    assert len(bulk.running(loops)) == len(loops) - 1
    yield card
    second.release()
    third.release()


async def nobody_else_was_stopped(stage: Stage, bulk: BulkStage, loops: list[Activeflow], card: Message) -> str:
    """Only the first and the two in flight; the words on the card."""
    words = await bulk.over(card)
    assert [stage.posts(each) for each in loops] == [1, 1, 1, *[0] * (len(loops) - 3)]
    assert bulk.running(loops) == loops[3:]
    assert f"3 of {len(loops)} ended · {len(loops) - 3} left" in words
    assert refused_in(words, loops)
    buttons = stage.slack.message(card.channel, card.ts).buttons
    assert [button.action_id for button in buttons] == ["bulk.remainder", "bulk.without_bot"]
    return words


def refused_in(words: str, loops: list[Activeflow]) -> list[Activeflow]:
    """Whose turn came and was refused: of the next two, the one that was judged first, or both. No other had a turn."""
    line = next(line for line in words.splitlines() if "No permission for whoever pressed: " in line)
    named = [each for each in loops if each.id.hex[:8] in line.partition("No permission for whoever pressed: ")[2]]
    assert all(each in loops[3:5] for each in named), line
    return named


def records(url: str) -> list[Record]:
    engine = engine_for(url)
    with engine.begin() as connection:
        assert chain.proof(connection).flaws == ()
        found = [chain.record_of(row["body"]) for row in chain.chain(connection)]
    engine.dispose()
    return found


async def another_policy_is_in_force(stage: Stage, url: str) -> None:
    await stage.slack.until(lambda: sum(record.what is RecordKind.POLICY for record in records(url)) == 2)


@pytest.mark.slow
async def test_a_policy_that_takes_it_away_stops_the_rest_from_being_stopped(
    stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    loops = bulk.ring(12, voipbin.add_flow("Support line"))
    bulk.rules("two_person = []")
    async with stage.start():
        async with under_way(stage, bulk, loops) as card:
            bulk.rules("two_person = []", grants=NO_LONGER)
            await another_policy_is_in_force(stage, sqlite_url)
        words = await nobody_else_was_stopped(stage, bulk, loops, card)
        why = "no “bulk” permission, directly or through a user group"
        assert f"It did not finish: whoever pressed can no longer stop it: {why}. No more stops were started." in words
        told = (await answers(stage, "audit all", user=CAROL)).words
        assert "outcome: 3 of 12 ended" in told
        assert f"it did not finish, because whoever pressed can no longer stop it: {why}" in told
        await bulk.presses(card, user=ALICE, button="bulk.remainder")
        await stage.slack.until(lambda: len(bulk.cards()) == 2)
        rest = bulk.cards()[-1]
        assert "Stop these 9 activeflows?" in rest.words
        await bulk.presses(rest, user=ALICE)
        assert (await bulk.over(rest)).startswith("All 9 have ended")
    assert bulk.running(loops) == []
    refused = refused_in(words, loops)[0]
    written = [r for r in records(sqlite_url) if r.activeflow_id == refused.id]
    assert [r.what for r in written] == [RecordKind.REFUSED, RecordKind.OUTCOME, RecordKind.SENDING, RecordKind.OUTCOME]
    assert (written[0].who, written[0].detail["because"]) == (CAROL, why)
    assert written[1].detail["outcome"] == "not permitted"
    whole = next(r for r in records(sqlite_url) if r.what is RecordKind.OUTCOME and r.activeflow_id is None)
    assert whole.detail["halted"] == f"whoever pressed can no longer stop it: {why}"


@pytest.mark.parametrize("how", ["left the group", "was deactivated", "asked, and left the group"])
async def test_somebody_whom_slack_knows_otherwise_stops_no_further(
    how: str, stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    slack.groups["S0ONCALL"].members[:] = [ALICE, CAROL]
    loops = bulk.ring(8, voipbin.add_flow("Support line"))
    bulk.rules(grants=GROUP)
    presser = APPROVER if how.startswith("asked") else CAROL
    async with stage.start():
        async with under_way(stage, bulk, loops, presser=presser) as card:
            if how == "was deactivated":
                slack.users[CAROL].deleted = True
                await slack.tells({"type": "user_change", "user": {"id": CAROL}})
            else:
                slack.groups["S0ONCALL"].members.remove(ALICE if presser == APPROVER else CAROL)
                await slack.tells({"type": "subteam_members_changed", "subteam_id": "S0ONCALL"})
        words = await nobody_else_was_stopped(stage, bulk, loops, card)
    assert "It did not finish: whoever pressed can no longer stop it: " in words
    why = {"was deactivated": "this account is deactivated", "left the group": "no “bulk” permission"}
    assert why.get(how, "whoever asked can no longer ask: no “") in words


async def test_the_rules_that_come_to_want_two_persons_want_them_at_once(
    stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    loops = bulk.ring(8, voipbin.add_flow("Support line"))
    bulk.rules("two_person = []")
    async with stage.start():
        async with under_way(stage, bulk, loops, presser=ALICE) as card:
            bulk.rules('two_person = ["bulk"]')
            await another_policy_is_in_force(stage, sqlite_url)
        words = await nobody_else_was_stopped(stage, bulk, loops, card)
    assert "whoever pressed can no longer stop it: a second person must press" in words


async def test_when_slack_does_not_say_who_pressed_nothing_further_is_sent(
    stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    stage.patience = replace(stage.patience, unanswered=0.5)
    loops = bulk.ring(8, voipbin.add_flow("Support line"))
    async with stage.start():
        async with under_way(stage, bulk, loops) as card:
            slack.faults.on("users.info", slack_faults.error("fatal_error"), times=None)
            await slack.tells({"type": "user_change", "user": {"id": CAROL}})
        words = await nobody_else_was_stopped(stage, bulk, loops, card)
    assert "Slack did not say who pressed and what groups they are in" in words
    assert "(Slack answered fatal_error)" in words


async def test_a_short_trouble_of_slack_is_waited_for_and_the_card_says_so(
    stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    loops = bulk.ring(8, voipbin.add_flow("Support line"))
    async with stage.start():
        async with under_way(stage, bulk, loops) as card:
            slack.faults.on("users.info", slack_faults.error("fatal_error"), times=None)
            await slack.tells({"type": "user_change", "user": {"id": CAROL}})
        words = await bulk.says(card, "Slack is not answering who can stop them")
        assert "Nothing further is sent until it does." in words
        slack.faults.clear("users.info")
        words = await bulk.over(card)
    assert words.startswith("All 8 have ended")
    assert "Slack is not answering" not in words
    assert [stage.posts(each) for each in loops] == [1] * 8


async def test_an_abort_while_slack_is_waited_for_leaves_the_rest(
    stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    loops = bulk.ring(8, voipbin.add_flow("Support line"))
    point = slack_faults.hold()
    async with stage.start():
        async with under_way(stage, bulk, loops) as card:
            slack.faults.on("users.info", point)
            await slack.tells({"type": "user_change", "user": {"id": CAROL}})
        assert point.hold is not None
        await point.hold.arrived()
        await bulk.presses(card, user=ALICE, button="bulk.abort")
        await stage.reads("Aborting. Stops already sent are finished", user=ALICE)
        point.hold.release()
        words = await bulk.over(card)
    assert words.startswith("Aborted: 5 of 8 could still be running")
    assert [stage.posts(each) for each in loops] == [1, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.slow
async def test_thirty_members_do_not_ask_slack_thirty_times(
    stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World
) -> None:
    slack.groups["S0ONCALL"].members[:] = [ALICE, CAROL]
    bulk.ring(30, voipbin.add_flow("Support line"))
    bulk.rules(grants=GROUP)
    async with stage.start():
        card = await bulk.asks("type:call")
        before = len(slack.calls)
        await bulk.presses(card)
        assert (await bulk.over(card)).startswith("All 30 have ended")
    asked = [call.method for call in slack.calls[before:]]
    assert asked.count("users.info") + asked.count("usergroups.users.list") < 30  # every few seconds, and not for each
