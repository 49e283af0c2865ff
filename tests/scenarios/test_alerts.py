"""Alerts: what is wrong is posted once, where the policy says so, and nothing is posted unless it does."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bot.activeflows.anomalies import Durations
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Flow, Step
from bot.demo.voipbin.world import World
from bot.ledger.baseline_store import BaselineStore
from bot.ledger.database import Database
from bot.slack import ids
from tests.scenarios.alert_stage import (
    CALLER,
    ago,
    alerted,
    alerts,
    is_nearly_out_of_steps,
    loops,
    menu,
    nothing_more,
    ruled,
)
from tests.scenarios.conftest import ALICE, BOB, LOBBY, POLICY, Stage
from tests.scenarios.test_policy_reload import policies

__all__ = ["menu"]


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[Stage]:
    """With an event stream, and whatever the policy says by then."""
    async with stage.start(voipbin_events=True):
        yield stage


# ---------------------------------------------------------------- the four reasons


async def test_going_round_in_circles_is_posted_with_its_buttons_and_nobody_is_called(
    stage: Stage, voipbin: World, menu: Flow
) -> None:
    ruled(stage)
    looping = loops(voipbin, menu)
    async with stage.start(voipbin_events=True):
        (alert,) = await alerted(stage, 1)
    assert "Going round in circles" in alert.words
    assert "Night menu" in alert.words
    assert str(looping.id)[:8] in alert.words
    assert "waiting for keypad input, 6th time round: keypad input → text" in alert.words
    assert alert.words.count("6th time round") == 1
    assert alert.text.startswith(
        f"Going round in circles Night menu {str(looping.id)[:8]}: 6th time round: keypad input"
    )
    assert [button.action_id for button in alert.buttons] == [ids.SHOW, ids.ASK_STOP]
    assert CALLER not in stage.slack.dump()
    assert "<!" not in alert.text.replace("<!date", "")


async def test_nearly_out_of_steps_is_posted(stage: Stage, voipbin: World, menu: Flow) -> None:
    ruled(stage)
    is_nearly_out_of_steps(voipbin, menu)
    async with stage.start(voipbin_events=True):
        (alert,) = await alerted(stage, 1)
        assert "Nearly out of steps 86 of 101 steps used, VoIPBIN will end it" in alert.words


async def test_stuck_is_posted_in_the_words_of_the_list(
    stage: Stage, voipbin: World, menu: Flow, sqlite_url: str
) -> None:
    ruled(stage, 'about = ["stuck"]')
    stuck = voipbin.rings(menu, at="talk", executed=[], created_at=ago(minutes=40), updated_at=ago(minutes=11))
    usual, database = Durations(), Database(sqlite_url)
    for _ in range(30):
        usual.add(40)
    await database.prepare()
    await BaselineStore(database).add({(UUID(str(menu.id)), str(stuck.current_action.id)): usual}, datetime.now(UTC))
    await database.close()
    async with stage.start(voipbin_events=True):
        (alert,) = await alerted(stage, 1)
    assert "Stuck? 11 min speaking a text, usually about 39 s" in alert.words


async def test_left_over_is_posted_only_when_voipbin_says_that_the_call_is_over(
    stage: Stage, voipbin: World, menu: Flow
) -> None:
    ruled(stage)
    voipbin.rings(menu, at="play", created_at=ago(hours=2), updated_at=ago(hours=2))  # its call is still up
    stale = voipbin.rings(menu, at="play", created_at=ago(hours=5), updated_at=ago(hours=5))
    call = voipbin.call_of(stale)
    assert call is not None
    call.status, call.tm_hangup = "hangup", ago(hours=3, minutes=1)
    async with stage.start(voipbin_events=True):
        (alert,) = await alerted(stage, 1)
        assert "Left over? call ended 3 h 1 min ago: stale" in alert.words
        assert await nothing_more(stage, voipbin) == 1


async def test_a_call_that_cannot_be_asked_about_is_no_alert(stage: Stage, voipbin: World, menu: Flow) -> None:
    ruled(stage)
    voipbin.rings(menu, at="play", created_at=ago(hours=5), updated_at=ago(hours=5))
    asked = voipbin.faults.on("GET", "/calls/{id}", faults.status(500, "INTERNAL"), times=None)
    async with stage.start(voipbin_events=True):
        await stage.slack.until(lambda: voipbin.requests_to("GET", "/calls/{id}"))
        assert await nothing_more(stage, voipbin) == 0
    asked.clear()


# ---------------------------------------------------------------- once, and only where the policy says so


async def test_it_is_posted_once_and_not_again_after_a_restart(stage: Stage, voipbin: World, menu: Flow) -> None:
    ruled(stage)
    looping = loops(voipbin, menu)
    async with stage.start(voipbin_events=True):
        await alerted(stage, 1)
        voipbin.moves_to(looping, "talk")
        assert await nothing_more(stage, voipbin) == 1
    async with stage.start(voipbin_events=True):
        assert await nothing_more(stage, voipbin) == 1


async def test_each_reason_of_the_same_one_is_posted_for_itself(stage: Stage, voipbin: World, menu: Flow) -> None:
    ruled(stage)
    voipbin.rings(menu, at="talk", executed=["talk", "digits_receive"] * 44)
    async with stage.start(voipbin_events=True):
        first, second = await alerted(stage, 2)
        titles = {each.words.splitlines()[0].partition(" ")[0] for each in (first, second)}
        assert titles == {"Going", "Nearly"}


async def test_without_a_rule_nothing_is_posted_and_one_that_is_added_counts_at_once(
    bot: Stage, voipbin: World, menu: Flow, sqlite_url: str
) -> None:
    loops(voipbin, menu)
    assert await nothing_more(bot, voipbin) == 0
    ruled(bot, 'about = ["looping"]')
    (alert,) = await alerted(bot, 1)
    assert "Going round in circles" in alert.words
    bot.policy.write_text(POLICY, encoding="utf-8")
    ruled(bot, 'about = ["steps"]', "at_most = 20", to=LOBBY)  # as no policy was before
    await bot.slack.until(lambda: policies(sqlite_url)[-1]["detail"]["sha256"] == _digest(bot))
    loops(voipbin, menu)
    assert await nothing_more(bot, voipbin) == 1, "and one that is taken away counts no more"


def _digest(stage: Stage) -> str:
    return hashlib.sha256(stage.policy.read_bytes()).hexdigest()


async def test_a_rule_for_some_flows_posts_only_these_and_two_channels_have_each_their_own(
    stage: Stage, voipbin: World, menu: Flow
) -> None:
    day = voipbin.add_flow("Day menu", [Step("talk"), Step("digits_receive")])
    ruled(stage, f'flows = ["{day.id}"]')
    ruled(stage, 'about = ["looping"]', to=LOBBY)
    loops(voipbin, menu)
    loops(voipbin, day)
    async with stage.start(voipbin_events=True):
        here, there = await alerted(stage, 1), await alerted(stage, 2, LOBBY)
        assert ["Day menu" in each.words for each in here] == [True]
        assert {("Day" if "Day menu" in each.words else "Night") for each in there} == {"Day", "Night"}


# ---------------------------------------------------------------- the buttons


async def test_its_buttons_decide_at_the_press_who_may(
    stage: Stage, slack: Workspace, voipbin: World, menu: Flow
) -> None:
    ruled(stage)
    looping = loops(voipbin, menu)
    async with stage.start(voipbin_events=True):
        (alert,) = await alerted(stage, 1)
        await slack.clicks(BOB, alert, ids.SHOW)
        assert (await stage.reads("Steps so far", user=BOB)).ephemeral_to == BOB
        await slack.clicks(BOB, alert, ids.ASK_STOP)
        await stage.reads("You don't have permission to stop activeflows", user=BOB)
        await slack.clicks(ALICE, alert, ids.ASK_STOP)
        await slack.until(lambda: any("Asked by" in each.words for each in alerts(stage)))
        await slack.clicks(ALICE, stage.card(), ids.STOP_FLOW)
        await stage.reads("Receipt")
        assert stage.posts(looping) == 1
