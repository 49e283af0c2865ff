"""A press that gets stuck half-way is never silent: its presser and its card are told what is known, and it goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.activeflows.stopping.follow_up import Aftermath
from bot.activeflows.stopping.read_back import Readback
from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, BOB, CAROL, Stage
from tests.scenarios.outage import locked, relayed

STOP = "/activeflows/{id}/stop"


async def asked(bot: Stage, voipbin: World) -> tuple[Activeflow, Message]:
    activeflow = voipbin.rings(at="play")
    return activeflow, await bot.asks_to_stop(activeflow)


async def both_read(bot: Stage, words: str) -> None:
    """The presser alone, and everybody below the card."""
    assert (await bot.reads(words)).ephemeral_to in {ALICE, None}
    assert (await bot.reads(words, user=BOB)).ephemeral_to is None


@pytest.mark.parametrize("where", ["before the stop", "after the stop"])
async def test_a_database_that_is_locked_in_the_middle_is_told_and_waited_for(
    where: str, stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    stage.silent_after = 1.0
    sent = where == "after the stop"
    held = faults.hold(after_work=sent)
    async with stage.start():
        activeflow, card = await asked(stage, voipbin)
        voipbin.faults.on("POST" if sent else "GET", STOP if sent else "/activeflows/{id}", held)
        await slack.clicks(ALICE, card, "stop.flow")
        await held.arrived()
        with locked(sqlite_url):
            held.release()
            await both_read(stage, "My database does not answer")
            said = await stage.reads("My database does not answer", user=BOB)
            told = "may or may not have been sent" if sent else "Nothing has been sent for @Alice’s stop yet"
            assert told in said.words
            assert stage.posts(activeflow) == int(sent)
        await slack.until(lambda: "Stopped by @Alice" in slack.message(card.channel, card.ts).words, seconds=60)
    assert stage.posts(activeflow) == 1


async def test_a_hang_up_that_was_sent_before_the_database_was_locked_may_have_been_sent(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    stage.silent_after = 1.0
    voipbin.telephony.loses_hangups = True
    async with stage.start():
        _, card = await asked(stage, voipbin)
        await slack.clicks(ALICE, card, "stop.flow")
        up = await stage.reads("Call: still up")
        held = faults.hold(after_work=True)
        voipbin.faults.on("POST", "/calls/{id}/hangup", held)
        await slack.clicks(ALICE, up, "call.hang_up")
        await held.arrived()
        with locked(sqlite_url):
            said = await stage.reads("@Alice’s hang-up", user=BOB)
            held.release()
        await stage.reads("after @Alice pressed")
    assert "My database does not answer" in said.words
    assert "may or may not have been sent" in said.words


@pytest.mark.slow
async def test_a_file_that_somebody_keeps_locked_is_said_in_the_log_by_the_durable_workflows_too(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    held = faults.hold()
    async with stage.start():
        activeflow, card = await asked(stage, voipbin)
        voipbin.faults.on("GET", "/activeflows/{id}", held)
        await slack.clicks(ALICE, card, "stop.flow")
        await held.arrived()
        with locked(sqlite_url):
            held.release()
            await slack.until(lambda: "database is locked" in caplog.text, seconds=15)
        await slack.until(lambda: "Nothing was stopped" in slack.message(card.channel, card.ts).words, seconds=60)
    assert stage.posts(activeflow) == 0


async def test_a_database_that_is_gone_in_the_middle_is_told_and_waited_for(
    stage: Stage, slack: Workspace, voipbin: World, postgresql_url: str
) -> None:
    stage.silent_after = 1.0
    async with relayed(postgresql_url) as relay, stage.start(flows_bot_database_url=relay.url):
        activeflow, card = await asked(stage, voipbin)
        held = faults.hold(after_work=True)
        voipbin.faults.on("POST", STOP, held)
        await slack.clicks(ALICE, card, "stop.flow")
        await held.arrived()
        await relay.down()
        held.release()
        await both_read(stage, "My database does not answer")
        await relay.up()
        await slack.until(lambda: "Ended" in slack.message(card.channel, card.ts).words, seconds=60)
        assert "the bot was cut off while the stop was being sent" in slack.message(card.channel, card.ts).words
    assert stage.posts(activeflow) == 1


async def test_a_stop_that_is_only_followed_since_before_the_bot_was_started_anew_is_not_called_stuck(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    """Another one, which is told of after it, is."""
    stage.silent_after, stage.patience = 1.0, replace(stage.patience, follow_every=0.1, follow_for=60.0)
    async with stage.start():
        _, card = await asked(stage, voipbin)
        voipbin.faults.on("POST", STOP, faults.reset_before(), times=None)
        await slack.clicks(ALICE, card, "stop.flow")
        await stage.reads("The bot keeps checking until")
    voipbin.faults.clear()
    async with stage.start():
        _, other = await asked(stage, voipbin)
        known = slack.faults.on("users.info", slack_faults.hold()).hold
        assert known is not None
        await slack.clicks(CAROL, other, "stop.flow")
        await known.arrived()
        look = faults.hold()
        voipbin.faults.on("GET", "/activeflows/{id}", look)
        await look.arrived()
        with locked(sqlite_url):
            look.release()
            known.release()
            await stage.reads("My database does not answer. Nothing has been sent for @Carol’s stop yet", user=BOB)
        await stage.reads("Stopped by @Carol")
    assert not [m for user in (ALICE, BOB) for m in slack.sees(user, card.channel) if "@Alice’s stop may" in m.words]


async def test_that_several_presses_are_stuck_is_told_of_each_at_once(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    """Else the last would be told of when the database has answered long since."""
    stage.silent_after = 1.0
    async with stage.start():
        cards = [(await asked(stage, voipbin))[1] for _ in range(2)]
        held = faults.hold()
        voipbin.faults.on("GET", "/activeflows/{id}", held, times=None)
        for presser, card in zip((ALICE, CAROL), cards, strict=True):
            await slack.clicks(presser, card, "stop.flow")
        for presser in (ALICE, CAROL):
            await stage.reads("Your press is recorded. Nothing has been sent yet", user=presser)
        with locked(sqlite_url):
            slow = [slack.faults.on("response_url", slack_faults.hold()).hold for _ in cards]
            for each in slow:
                assert each is not None
                await each.arrived()
            assert not [message for message in slack.sees(BOB, cards[0].channel) if "My database" in message.words]
            held.release()
        for each in slow:
            assert each is not None
            each.release()
        voipbin.faults.clear()
        for name in ("Alice", "Carol"):
            await stage.reads(f"Stopped by @{name}")


@asynccontextmanager
async def with_a_bug(monkeypatch: pytest.MonkeyPatch, thing: type, method: str) -> AsyncIterator[None]:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(thing, method, broken)
        yield


async def test_that_a_press_is_stuck_is_told_even_if_slack_takes_nothing_for_a_while(
    stage: Stage, slack: Workspace, voipbin: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with with_a_bug(monkeypatch, Readback, "once"), stage.start():
        _, card = await asked(stage, voipbin)
        for way in ("response_url", "chat.postEphemeral", "chat.postMessage"):
            slack.faults.on(way, slack_faults.status(503), times=2)
        await slack.clicks(ALICE, card, "stop.flow")
        await both_read(stage, "This bot hit a bug in the middle of @Alice’s stop")


@pytest.mark.parametrize("thing", [Readback, Aftermath])
async def test_a_bug_in_the_middle_is_told_and_the_press_goes_on_at_the_next_start(
    thing: type, stage: Stage, slack: Workspace, voipbin: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = "once" if thing is Readback else "_call"
    async with with_a_bug(monkeypatch, thing, method), stage.start():
        activeflow, card = await asked(stage, voipbin)
        await slack.clicks(ALICE, card, "stop.flow")
        await both_read(stage, "This bot hit a bug in the middle of @Alice’s stop")
        said = await stage.reads("This bot hit a bug", user=BOB)
        assert "may or may not have been sent" in said.words
        assert "incident" in said.words
    async with stage.start():
        await slack.until(lambda: "Call: hung up" in slack.message(card.channel, card.ts).words, seconds=60)
    assert "Stopped by @Alice" in slack.message(card.channel, card.ts).words
    assert stage.posts(activeflow) == 1
