"""A watch outlives the bot; Slack's troubles delay a card and never make it lie; one without a card ends."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, BOB, BRISK, INCIDENTS, Stage
from tests.scenarios.outage import locked
from tests.scenarios.test_alerts_held_back import comes_into_force
from tests.scenarios.test_watch import says, watched
from tests.scenarios.typing_at import answers

ONLY_ALICE = f'[[grant]]\nto = ["{ALICE}"]\nmay = ["view", "stop"]\n'


@pytest.fixture
def ringing(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow("Support line"), at="play")


def edits(slack: Workspace, card: Message) -> int:
    """How often somebody tried to edit it."""
    return sum(1 for call in slack.calls if call.method == "chat.update" and call.arguments.get("ts") == card.ts)


def state(url: str) -> str:
    """The state of the only watch."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as ledger:
        return str(ledger.execute("SELECT state FROM watches").fetchone()[0])


@pytest.mark.parametrize("events", [True, False], ids=["events", "reading"])
async def test_after_a_restart_the_card_catches_up_and_goes_on(
    stage: Stage, voipbin: World, ringing: Activeflow, events: bool
) -> None:
    async with stage.start(voipbin_events=events):
        card = await watched(stage, ringing)
        voipbin.moves_to(ringing, "digits_receive")
        await says(stage, card, "waiting for keypad input")
    before = stage.slack.message(card.channel, card.ts)
    voipbin.moves_to(ringing, "queue_join")
    assert stage.slack.message(card.channel, card.ts) == before  # nothing is said at a shutdown
    async with stage.start(voipbin_events=events):
        await says(stage, card, "playing", "waiting for keypad input", "entering a queue")
        assert "is watched here already" in (await answers(stage, f"watch {ringing.id}")).words
        voipbin.ends(ringing)
        await says(stage, card, "Ended by itself")


async def test_an_end_while_the_bot_was_away_is_told_when_it_is_back(
    stage: Stage, voipbin: World, ringing: Activeflow, sqlite_url: str
) -> None:
    async with stage.start(voipbin_events=True):
        card = await watched(stage, ringing)
    voipbin.caller_hangs_up(ringing)
    async with stage.start(voipbin_events=True):
        await says(stage, card, "Ended while playing")
        await stage.slack.until(lambda: state(sqlite_url) == "over")  # else the next bot says it once more
    async with stage.start(voipbin_events=True):
        told = edits(stage.slack, card)
        assert "No card follows anything" in (await answers(stage, "unwatch")).words
    assert edits(stage.slack, card) == told


async def test_a_card_that_was_deleted_ends_its_watch(
    stage: Stage, slack: Workspace, voipbin: World, ringing: Activeflow
) -> None:
    async with stage.start():
        card = await watched(stage, ringing)
        slack.delete(card.channel, card.ts)
        voipbin.moves_to(ringing, "digits_receive")
        async with asyncio.timeout(30):
            while "No card follows" not in (await answers(stage, "unwatch")).words:  # noqa: ASYNC110 # nobody tells when a watch is over
                await asyncio.sleep(0.05)
        await watched(stage, ringing)


@pytest.mark.parametrize(
    "fault", [slack_faults.rate_limited(1), slack_faults.error("fatal_error"), slack_faults.lose_answer()]
)
async def test_an_edit_that_failed_is_made_up_for(
    stage: Stage, slack: Workspace, voipbin: World, ringing: Activeflow, fault: slack_faults.Fault
) -> None:
    async with stage.start(voipbin_events=True):
        card = await watched(stage, ringing)
        slack.faults.on("chat.update", fault, times=2)
        voipbin.moves_to(ringing, "digits_receive")
        await says(stage, card, "waiting for keypad input")
        voipbin.ends(ringing)
        await says(stage, card, "Ended by itself")


async def test_a_429_of_a_minute_is_obeyed_by_every_card(
    stage: Stage, slack: Workspace, voipbin: World, ringing: Activeflow
) -> None:
    other = voipbin.rings(at="play", reference_type="api")
    async with stage.start(voipbin_events=True):
        cards = [await watched(stage, each) for each in (ringing, other)]
        await slack.until(lambda: all(edits(slack, card) for card in cards))  # caught up
        slack.faults.on("chat.update", slack_faults.rate_limited(60), times=None)
        voipbin.moves_to(ringing, "digits_receive")
        tried = sum(edits(slack, card) for card in cards)
        await slack.until(lambda: sum(edits(slack, card) for card in cards) > tried)
        voipbin.moves_to(other, "talk")
        for _ in range(20):
            voipbin.moves_to(ringing, "digits_receive")
            await asyncio.sleep(0.02)
        assert sum(edits(slack, card) for card in cards) == tried + 1


def taken(slack: Workspace, card: Message) -> list[str]:
    """All that the card has said since it was posted."""
    edited = [call for call in slack.calls if call.method == "chat.update" and call.arguments.get("ts") == card.ts]
    return [str(call.arguments) for call in edited if call.answered.get("ok")]


async def test_what_may_not_be_seen_any_more_is_not_said_when_slack_takes_messages_again(
    stage: Stage, slack: Workspace, voipbin: World, ringing: Activeflow
) -> None:
    async with stage.start(voipbin_events=True):
        card = await watched(stage, ringing, user=BOB)
        await slack.until(lambda: edits(slack, card))  # caught up
        slack.faults.on("chat.update", slack_faults.rate_limited(2))
        tried = edits(slack, card)
        voipbin.moves_to(ringing, "digits_receive")
        await slack.until(lambda: edits(slack, card) > tried)
        stage.policy.write_text(ONLY_ALICE, encoding="utf-8")
        await says(stage, card, "No longer watched", "can't view it here any more")
        assert not [words for words in taken(slack, card) if "keypad" in words]


async def test_what_may_not_be_seen_any_more_once_it_is_written_down_is_not_said(
    stage: Stage,
    slack: Workspace,
    voipbin: World,
    ringing: Activeflow,
    sqlite_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with stage.start(voipbin_events=True):
        card = await watched(stage, ringing, user=BOB)
        await slack.until(lambda: edits(slack, card))  # caught up
        with locked(sqlite_url):
            voipbin.moves_to(ringing, "digits_receive")
            await comes_into_force(stage, ONLY_ALICE, capsys)
        await says(stage, card, "No longer watched", "can't view it here any more")
        assert not [words for words in taken(slack, card) if "keypad" in words]


async def test_how_one_ended_is_not_said_to_a_channel_whose_watcher_may_not_view_it_any_more(
    stage: Stage, slack: Workspace, voipbin: World, ringing: Activeflow, sqlite_url: str
) -> None:
    async with stage.start(voipbin_events=True):
        card = await watched(stage, ringing, user=BOB)
        await slack.until(lambda: edits(slack, card))  # caught up
        slack.faults.on("chat.update", slack_faults.rate_limited(2))
        voipbin.caller_hangs_up(ringing)
        await slack.until(lambda: state(sqlite_url) == "closing")
        stage.policy.write_text(ONLY_ALICE, encoding="utf-8")
        await says(stage, card, "No longer watched", "can't view it here any more")
        await slack.until(lambda: state(sqlite_url) == "over")
        assert not [words for words in taken(slack, card) if "Ended" in words]


async def test_many_changes_are_few_edits_and_the_last_one_is_shown(
    stage: Stage, slack: Workspace, voipbin: World, ringing: Activeflow
) -> None:
    stage.watch_pace = replace(BRISK, card_every=0.5)
    async with stage.start(voipbin_events=True):
        card = await watched(stage, ringing)
        for number in range(30):
            voipbin.moves_to(ringing, "digits_receive" if number % 2 else "talk")
            await asyncio.sleep(0.01)
        await says(stage, card, "31 of 101 steps used")
        assert edits(slack, card) <= 5


async def test_a_watch_that_lasts_too_long_says_that_it_no_longer_watches(
    stage: Stage, voipbin: World, ringing: Activeflow
) -> None:
    stage.watch_pace = replace(BRISK, lasts=0.3)
    async with stage.start():
        card = await watched(stage, ringing)
        await says(stage, card, "No longer watched", "It could still be running", f"/flows watch {str(ringing.id)[:8]}")


@pytest.mark.slow
async def test_no_more_than_twenty_in_a_channel(stage: Stage, voipbin: World) -> None:
    flow = voipbin.add_flow("Support line")
    async with stage.start(voipbin_events=True):
        for _ in range(20):
            await watched(stage, voipbin.rings(flow, at="play"))
        answer = await answers(stage, f"watch {voipbin.rings(flow, at='play').id}")
        assert answer.ephemeral_to == ALICE
        assert "I already follow 20 cards in this channel" in answer.words
        assert "Nothing was started" in answer.words
        assert len([m for m in stage.slack.sees(ALICE, INCIDENTS) if m.words.startswith("Watching")]) == 20
