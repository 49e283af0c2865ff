"""Decided, then waited, then acted: whatever has changed during the wait counts, and nothing goes out on what was so
before.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, select
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.activeflows.records import Record, RecordKind
from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.faults import Fault
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.ledger import audit
from bot.ledger.tables import audit as audit_table
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, POLICY, Stage

__all__ = ["bulk"]
STOP, HANG_UP = "/activeflows/{id}/stop", "/calls/{id}/hangup"
THROTTLED = faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=1)
LOOKED_UP_BADLY = faults.status(401, "INVALID_CREDENTIALS")
UNAVAILABLE = faults.status(503, "REQUEST_TIMEOUT")
ONLY_VIEW = POLICY.replace('"view", "stop"', '"view"')
BOTH = f'[[grant]]\nto = ["{ALICE}", "{BOB}"]\nmay = ["view", "stop"]\n'


def then(answer: Fault, happens: Callable[[], Awaitable[None] | None]) -> Fault:
    """The answer, and what happens while the bot waits after it."""

    async def fault(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        happening = happens()
        if happening is not None:
            await happening
        await answer(work, scope, receive, send)

    return fault


def records(url: str) -> list[Record]:
    engine = create_engine(url)
    with engine.begin() as connection:
        found = [
            audit.record_of(body)
            for body in connection.execute(select(audit_table.c.body).order_by(audit_table.c.seq)).scalars()
        ]
    engine.dispose()
    return found


async def takes_effect(stage: Stage, url: str, policy: str) -> None:
    """Another policy is written, and in force when this returns."""
    before = sum(record.what is RecordKind.POLICY for record in records(url))
    stage.policy.write_text(policy, encoding="utf-8")
    await stage.slack.until(lambda: sum(record.what is RecordKind.POLICY for record in records(url)) > before)


@pytest.fixture
def caller(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")


# ---------------------------------------------------------------- it moves on during a wait


@pytest.mark.parametrize("answer", [THROTTLED, LOOKED_UP_BADLY], ids=["429", "401"])
async def test_a_caller_who_reaches_an_agent_after_a_stop_was_refused_is_asked_about_once_more(
    answer: Fault, bot: Stage, slack: Workspace, voipbin: World, caller: Activeflow
) -> None:
    voipbin.faults.on("POST", STOP, then(answer, lambda: voipbin.moves_to(caller, "confbridge_join")))
    await slack.clicks(ALICE, await bot.asks_to_stop(caller), "stop.flow")
    await bot.reads("This call has moved on")
    assert voipbin.stops == []
    assert bot.posts(caller) == 1
    await slack.clicks(ALICE, bot.card(), "stop.flow")
    await bot.reads("Stopped by")


async def test_a_stop_refused_again_and_again_is_looked_at_before_each_try(
    bot: Stage, slack: Workspace, voipbin: World, caller: Activeflow
) -> None:
    quickly = faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=0)
    voipbin.faults.on("POST", STOP, quickly, times=2)
    voipbin.faults.on("POST", STOP, then(quickly, lambda: voipbin.moves_to(caller, "confbridge_join")))
    await slack.clicks(ALICE, await bot.asks_to_stop(caller), "stop.flow")
    await bot.reads("This call has moved on")
    assert voipbin.stops == []
    assert bot.posts(caller) == 3


async def test_a_caller_who_reaches_an_agent_while_a_lost_stop_is_cleared_up_is_left_alone(
    bot: Stage, slack: Workspace, voipbin: World, caller: Activeflow
) -> None:
    voipbin.faults.on("POST", STOP, then(UNAVAILABLE, lambda: voipbin.moves_to(caller, "confbridge_join")))
    await slack.clicks(ALICE, await bot.asks_to_stop(caller), "stop.flow")
    await bot.reads("it has moved on, so no other stop was sent")
    assert voipbin.stops == []
    assert bot.posts(caller) == 1


async def test_a_caller_who_reaches_an_agent_while_the_stop_waits_for_its_turn_is_asked_about_once_more(
    bot: Stage, slack: Workspace, voipbin: World, caller: Activeflow
) -> None:
    """Another question is told to wait, so the whole bot does."""
    card, other = await bot.asks_to_stop(caller), voipbin.rings(at="play")
    voipbin.faults.on("GET", "/activeflows/{id}", THROTTLED)
    await slack.types(BOB, INCIDENTS, f"/flows show {other.id}")
    await slack.until(lambda: any(seen.status == 429 for seen in voipbin.requests))
    await slack.clicks(ALICE, card, "stop.flow")
    voipbin.moves_to(caller, "confbridge_join")
    await bot.reads("This call has moved on")
    assert bot.posts(caller) == 0


async def test_a_look_that_took_too_long_stops_nothing(
    bot: Stage, slack: Workspace, voipbin: World, caller: Activeflow
) -> None:
    """What was read is as old as the question."""
    card, slow = await bot.asks_to_stop(caller), faults.hold(after_work=True)
    voipbin.faults.on("GET", "/activeflows/{id}", slow)
    await slack.clicks(ALICE, card, "stop.flow")
    await slow.arrived()
    voipbin.moves_to(caller, "confbridge_join")
    await bot.reads("This call has moved on")
    slow.release()
    assert bot.posts(caller) == 0


async def test_a_caller_whose_call_is_in_another_activeflow_by_now_is_not_hung_up(
    bot: Stage, slack: Workspace, voipbin: World, caller: Activeflow
) -> None:
    voipbin.telephony.loses_hangups = True
    await slack.clicks(ALICE, await bot.asks_to_stop(caller), "stop.flow")
    up = await bot.reads("Call: still up")
    call = voipbin.call_of(caller)
    assert call is not None
    call.activeflow_id = voipbin.rings(at="play").id
    await slack.clicks(ALICE, up, "call.hang_up")
    await bot.reads("the call is in another activeflow by now")
    assert not any(seen.method == "POST" and seen.path.endswith("/hangup") for seen in voipbin.requests)


# ---------------------------------------------------------------- a permission is lost during a wait


@pytest.mark.parametrize("answer", [THROTTLED, UNAVAILABLE], ids=["429", "503"])
async def test_a_permission_lost_after_the_first_try_means_no_second_stop(
    answer: Fault, bot: Stage, slack: Workspace, voipbin: World, caller: Activeflow, sqlite_url: str
) -> None:
    voipbin.faults.on("POST", STOP, then(answer, lambda: takes_effect(bot, sqlite_url, ONLY_VIEW)))
    await slack.clicks(ALICE, await bot.asks_to_stop(caller), "stop.flow")
    said = await bot.reads("the policy gives nobody “stop”")
    assert "Stopped" not in said.words
    assert bot.posts(caller) == 1
    assert voipbin.stops == []


async def test_a_permission_lost_after_the_first_try_means_no_second_hang_up(
    bot: Stage, slack: Workspace, voipbin: World, caller: Activeflow, sqlite_url: str
) -> None:
    voipbin.telephony.loses_hangups = True
    await slack.clicks(ALICE, await bot.asks_to_stop(caller), "stop.flow")
    voipbin.faults.on("POST", HANG_UP, then(UNAVAILABLE, lambda: takes_effect(bot, sqlite_url, ONLY_VIEW)))
    await slack.clicks(ALICE, await bot.reads("Call: still up"), "call.hang_up")
    await bot.reads("@Alice pressed Hang up the call")
    assert sum(seen.method == "POST" and seen.path.endswith("/hangup") for seen in voipbin.requests) == 1


async def test_a_policy_that_changes_while_slack_is_asked_decides_whole_and_is_named_in_the_record(
    bot: Stage, slack: Workspace, voipbin: World, caller: Activeflow, sqlite_url: str
) -> None:
    card, point = await bot.asks_to_stop(caller), slack_faults.hold(after_work=True)
    slack.faults.on("users.info", point)
    await slack.clicks(ALICE, card, "stop.flow")
    assert point.hold is not None
    await point.hold.arrived()
    await takes_effect(bot, sqlite_url, ONLY_VIEW)
    point.hold.release()
    await bot.reads("You can't stop this")
    assert not [record for record in records(sqlite_url) if record.what is RecordKind.PRESSED]
    await takes_effect(bot, sqlite_url, POLICY + "# as before\n")
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Stopped by")
    written = records(sqlite_url)
    named = [str(record.detail["sha256"])[:12] for record in written if record.what is RecordKind.POLICY][-1]
    told = [record.detail for record in written if record.what in {RecordKind.PRESSED, RecordKind.SENDING}]
    assert [(detail["because"], detail["policy"]) for detail in told] == [("allowed by grant 1", named)] * 2
    assert bot.posts(caller) == 1


# ---------------------------------------------------------------- the rules of now


async def test_one_person_alone_stops_no_list_where_stops_need_two(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    loops = bulk.ring(3, voipbin.add_flow("Support line"))
    bulk.rules('two_person = ["stop"]')
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card, user=ALICE)
        await stage.reads("A stop needs two people here", user=ALICE)
        assert bulk.running(loops) == loops
        await bulk.presses(card, user=CAROL)
        assert "All 3 have ended" in await bulk.over(card)


async def test_the_ceiling_is_the_one_of_the_press(
    stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    loops = bulk.ring(6, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        bulk.rules("bulk_limit = 2")
        await takes_effect(stage, sqlite_url, stage.policy.read_text(encoding="utf-8"))
        await bulk.presses(card, user=CAROL)
        await stage.reads("6 would be stopped, and the policy allows 2 at once", user=CAROL)
    assert bulk.running(loops) == loops


@pytest.mark.parametrize("later", [False, True], ids=["at the press", "during a wait"])
async def test_nothing_is_stopped_that_a_deactivated_account_has_asked_for(
    later: bool, stage: Stage, slack: Workspace, voipbin: World, caller: Activeflow
) -> None:
    stage.policy.write_text(BOTH, encoding="utf-8")

    def leaves() -> None:
        slack.users[ALICE] = replace(slack.users[ALICE], deleted=True)

    async with stage.start():
        card = await stage.asks_to_stop(caller)
        if later:
            voipbin.faults.on("POST", STOP, then(faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=6), leaves))
        else:
            leaves()
        await slack.clicks(BOB, card, "stop.flow")
        await stage.reads("whoever asked has been deactivated", user=BOB)
    assert voipbin.stops == []
    assert stage.posts(caller) == int(later)
