"""Whoever pressed is called, in the card's thread, when it stays unknown for a minute whether the stop worked."""

import asyncio
from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, INCIDENTS, SHORT, Stage
from tests.scenarios.home_stage import opens, published
from tests.scenarios.test_reveal import record_of
from tests.scenarios.test_superseded_run import taken_over
from tests.scenarios.typing_at import answers

CALLED = "@Alice It is still not known whether Support line"


def called(stage: Stage) -> list[str]:
    """What was said in threads."""
    seen = stage.slack.sees(ALICE, INCIDENTS)
    return [message.words for message in seen if message.thread_ts not in {None, message.ts}]


def held_edit(slack: Workspace) -> slack_faults.Hold:
    """Slack takes long for the next edit of a card."""
    edit = slack_faults.hold()
    assert edit.hold is not None
    slack.faults.on("chat.update", edit)
    return edit.hold


async def test_the_presser_is_mentioned_once_below_the_card(stage: Stage, slack: Workspace, voipbin: World) -> None:
    stage.patience = replace(SHORT, call_after=1.0, rest=0.1, looks=100)
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        unreadable(voipbin)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        said = await stage.reads(CALLED)
        assert said.thread_ts == card.ts
        assert str(activeflow.id)[:8] in said.words
        assert slack.message(INCIDENTS, card.ts).words.startswith("Not known")
        voipbin.faults.clear()
        await stage.reads("Receipt")
        assert len(called(stage)) == 1


async def test_nobody_is_called_about_a_stop_that_is_known_in_time(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    stage.patience = replace(SHORT, call_after=20.0)
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        unreadable(voipbin)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await stage.reads("Not known yet")
        voipbin.faults.clear()
        await stage.reads("Receipt")
        assert called(stage) == []


async def test_nobody_is_called_while_the_card_is_being_changed_to_what_is_known(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    stage.patience = replace(SHORT, call_after=3.0, looks=100)
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        unreadable(voipbin)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await stage.reads("Not known yet")
        edit = held_edit(slack)
        voipbin.faults.clear()
        await edit.arrived()
        before = called(stage)
        await asyncio.sleep(3.5)  # past the time at which somebody would be called
        assert called(stage) == before
        edit.release()
        await stage.reads("Receipt")


async def test_nobody_is_called_about_what_was_known_before_the_card_said_that_it_was_not(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    stage.patience = replace(SHORT, call_after=3.0, looks=100)
    activeflow = voipbin.rings(at="play", reference_type="api")  # without a call, of which more would be told
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        unreadable(voipbin)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await stage.reads("Stopping…")
        edit = held_edit(slack)
        await edit.arrived()
        voipbin.faults.clear()
        await slack.until(lambda: any('"what":"outcome"' in body for body in record_of(sqlite_url)))
        edit.release()
        await stage.reads("Receipt")
        await asyncio.sleep(3.5)  # past the time at which somebody would be called
        assert called(stage) == []


async def test_a_run_that_another_one_has_outdone_calls_nobody(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    """The other run may know more by now. Of another stop it is called."""
    stage.patience = replace(SHORT, call_after=4.0, looks=100)
    first, second = (voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive") for _ in range(2))
    async with stage.start():
        card, other = await stage.asks_to_stop(first), await stage.asks_to_stop(second)
        unreadable(voipbin)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await slack.until(lambda: slack.message(INCIDENTS, card.ts).words.startswith("Not known"))
        taken_over(sqlite_url)
        voipbin.faults.clear()
        unreadable(voipbin)
        await slack.clicks(ALICE, other, ids.STOP_FLOW)
        await stage.reads(CALLED)
        assert [str(second.id)[:8] in words for words in called(stage)] == [True]


def unreadable(voipbin: World) -> None:
    """From the stop on, nobody can read whether it ended."""
    forbidden = faults.status(403, "PERMISSION_DENIED")

    async def locks_up(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        voipbin.faults.on("GET", "/activeflows/{id}", forbidden, times=None)
        await work(scope, receive, send)

    voipbin.faults.on("POST", "*", locks_up)


async def test_whoever_chose_so_on_their_home_is_not_mentioned(stage: Stage, slack: Workspace, voipbin: World) -> None:
    stage.patience = replace(SHORT, call_after=1.0, rest=0.1, looks=20)
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    async with stage.start():
        home = await opens(stage)
        assert "You are mentioned below the card when it is not known a minute after your press" in home.words
        assert (await slack.clicks(ALICE, home, ids.HOME_MENTION)).error is None
        assert "You are not mentioned below the card" in (await published(stage, ALICE, home)).words
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        unreadable(voipbin)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await stage.reads("Receipt")  # of what is still not known after twenty looks, which take longer than the second
        assert called(stage) == []
        home = await opens(stage)
        assert "You are not mentioned below the card" in home.words
        assert (await slack.clicks(ALICE, home, ids.HOME_MENTION)).error is None
        assert "You are mentioned below the card" in (await published(stage, ALICE, home)).words
        record = (await answers(stage, "audit all me")).words
        assert "@Alice chose to be mentioned when it is not known whether their stop worked" in record
        assert "@Alice chose not to be mentioned" in record
