"""Slash commands do not work in threads, so an incident that is worked on in one is handled by mentions.

https://github.com/poshbotio/PoshBot/issues/228, https://github.com/PostHog/posthog/pull/73097
https://docs.slack.dev/interactivity/implementing-slash-commands#threads
"""

from pathlib import Path
from typing import Any

import pytest

from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage

AUDITOR = f'\n[[grant]]\nto = ["{ALICE}"]\nmay = ["audit", "bulk"]\n'


@pytest.fixture
def policy(policy: Path) -> Path:
    policy.write_text(policy.read_text() + AUDITOR, encoding="utf-8")
    return policy


@pytest.fixture
def calling(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow("Support line"), at="play")


async def mentions(stage: Stage, words: str, *, user: str = ALICE, thread: str | None = None) -> Message:
    """The answer to `@flows-bot …`, typed in the channel or in a thread."""
    slack = stage.slack
    seen = {m.ts for m in slack.sees(user, INCIDENTS)}
    delivery = await slack.types(user, INCIDENTS, f"@flows-bot {words}".strip(), thread_ts=thread)
    assert (delivery.kind, delivery.error) == ("event_callback", None)
    return await answered(stage, user, INCIDENTS, seen)


async def answered(stage: Stage, user: str, channel: str, seen: set[str]) -> Message:
    """The bot's first word that is more than a word that it takes long."""

    def told() -> Message | None:
        fresh = (m for m in stage.slack.sees(user, channel) if m.ts not in seen and m.user == stage.slack.bot_user_id)
        return next((m for m in fresh if not m.words.startswith("Still working on it")), None)

    found = await stage.slack.until(told)
    assert isinstance(found, Message)
    return found


def incident(slack: Workspace) -> str:
    return slack.post(INCIDENTS, BOB, "Incident: callers hear nothing").ts


async def test_every_command_is_answered_in_its_thread_or_at_the_root(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    root = incident(slack)
    asked = {
        "list": "1 running",
        f"show {calling.id}": "playing audio",
        "find support": "Found 1",
        "whoami": "a full member",
        "help": "What you can do here",
        "": "What you can do here",
        "doctor": "Slack",
        "audit": "",
        "kill it": "Did you mean @flows-bot",
        "unwatch": "",
    }
    for words, begins in asked.items():
        for thread in (root, None):
            answer = await mentions(bot, words, thread=thread)
            assert begins in answer.words
            assert (answer.thread_ts, answer.ephemeral_to) == (thread, ALICE)


async def test_a_stop_asked_for_in_a_thread_happens_there_and_the_record_says_so(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    root = incident(slack)
    card = await mentions(bot, f"stop {calling.id} it loops", thread=root)
    assert (card.thread_ts, card.ephemeral_to) == (root, None)
    await slack.clicks(BOB, card, ids.STOP_FLOW)
    refusal = await bot.reads("You can't stop this", user=BOB)
    assert (refusal.thread_ts, refusal.ephemeral_to) == (root, BOB)
    await slack.clicks(ALICE, card, ids.STOP_FLOW)
    result = await bot.reads("Stopped by @Alice", user=BOB)
    assert (result.ts, result.thread_ts) == (card.ts, root)
    assert bot.posts(calling) == 1
    record = await mentions(bot, "audit all", thread=root)
    assert "in a thread" in record.words


async def test_a_bulk_card_and_a_watch_card_stand_in_the_thread(
    bot: Stage, slack: Workspace, voipbin: World, calling: Activeflow
) -> None:
    root = incident(slack)
    bulk = await mentions(bot, "stop all type:call it loops", thread=root)
    watch = await mentions(bot, f"watch {calling.id}", thread=root)
    assert "Asked by" in bulk.words
    assert "Watching" in watch.words
    assert {bulk.thread_ts, watch.thread_ts} == {root}
    voipbin.ends(calling)
    await slack.until(lambda: "Ended: Support line" in slack.message(INCIDENTS, watch.ts).words)
    assert slack.message(INCIDENTS, watch.ts).thread_ts == root


async def test_what_a_watch_card_in_a_thread_says_to_type_can_be_typed_there(
    bot: Stage, slack: Workspace, voipbin: World, calling: Activeflow
) -> None:
    again = f"@flows-bot watch {str(calling.id)[:8]}"
    watch = await mentions(bot, f"watch {calling.id}", thread=incident(slack))
    await slack.clicks(ALICE, watch, ids.UNWATCH)
    await slack.until(lambda: again in slack.message(INCIDENTS, watch.ts).words)
    assert "/flows" not in slack.message(INCIDENTS, watch.ts).words


async def test_those_who_may_are_asked_in_the_thread_below_its_root(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    root = incident(slack)
    offer = await mentions(bot, f"stop {calling.id}", user=BOB, thread=root)
    assert (offer.thread_ts, offer.ephemeral_to) == (root, BOB)
    await slack.clicks(BOB, offer, ids.ASK_OTHERS)
    card = await slack.until(lambda: next((m for m in _bots(slack) if "Asked by @Bob" in m.words), None))
    assert card.thread_ts == root
    await slack.clicks(BOB, card, ids.STOP_FLOW)
    refusal = await bot.reads("You can't stop this", user=BOB)
    await slack.clicks(BOB, refusal, ids.ASK_OTHERS)
    pointer = await slack.until(lambda: next((m for m in _bots(slack) if "to press this card" in m.words), None))
    assert pointer.thread_ts == root


def _bots(slack: Workspace) -> list[Message]:
    return [m for m in slack.sees(CAROL, INCIDENTS) if m.user == slack.bot_user_id]


async def test_a_button_pressed_in_a_thread_speaks_of_mentions_and_answers_there(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    root = incident(slack)
    listed = await mentions(bot, "list", thread=root)
    seen = {m.ts for m in slack.sees(ALICE, INCIDENTS)}
    await slack.clicks(ALICE, listed, ids.ASK_STOP)
    card = await answered(bot, ALICE, INCIDENTS, seen)
    assert (card.thread_ts, card.ephemeral_to) == (root, None)


async def test_a_mention_that_is_delivered_twice_acts_once(bot: Stage, slack: Workspace, calling: Activeflow) -> None:
    await mentions(bot, f"stop {calling.id}")
    first = slack.deliveries[-1]
    again = await slack.delivers(first.body, {**first.headers, "X-Slack-Retry-Num": "1"})
    assert again.status == 200
    await mentions(bot, "whoami")
    assert len([m for m in _bots(slack) if "Asked by" in m.words]) == 1


async def test_a_command_and_a_press_that_are_delivered_twice_act_once(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    card = await bot.asks_to_stop(calling)
    typed = slack.deliveries[-1]
    pressed = await slack.clicks(ALICE, card, ids.STOP_FLOW)
    for first in (typed, pressed):
        again = await slack.delivers(first.body, {**first.headers, "X-Slack-Retry-Num": "1"})
        assert (again.status, again.answer) == (first.status, first.answer)
    await bot.reads("Stopped by @Alice", user=BOB)
    await mentions(bot, "whoami")
    assert len([m for m in _bots(slack) if "Asked by" in m.words]) == 1
    assert len([m for m in _bots(slack) if "Stopped by" in m.words]) == 1
    assert bot.posts(calling) == 1


async def test_a_direct_message_is_a_command_or_answered_with_help(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    place = slack.direct_channel(ALICE).id
    for words, begins in {
        "list": "1 running",
        "hello there": "What you can do here",
        "show": "Show which activeflow?",
    }.items():
        seen = {m.ts for m in slack.sees(ALICE, place)}
        await slack.types(ALICE, place, words)
        answer = await answered(bot, ALICE, place, seen)
        assert begins in answer.words
        assert answer.ephemeral_to is None


@pytest.mark.parametrize(
    "event",
    [
        {"type": "app_mention", "bot_id": "B0OTHER", "user": "U0OTHERBOT"},
        {"type": "app_mention"},
        {"type": "message", "channel_type": "channel", "user": ALICE},
    ],
)
async def test_what_other_bots_and_slack_itself_say_is_not_answered(
    bot: Stage, slack: Workspace, event: dict[str, Any]
) -> None:
    slack.events |= {"message.channels"}
    slack.scopes |= {"channels:history"}
    told = {"text": f"<@{slack.bot_user_id}> whoami", "channel": INCIDENTS, "ts": slack.new_ts(), **event}
    assert (await slack.tells(told)).status == 200
    await mentions(bot, "help")
    assert [m for m in slack.sees(ALICE, INCIDENTS) if "a full member" in m.words] == []
