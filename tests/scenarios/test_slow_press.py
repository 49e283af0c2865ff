"""A press that takes long is said on the card itself, for everybody, and nothing older is ever drawn over its end."""

from dataclasses import replace

import pytest

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage

PRESSED = "Stop flow was pressed"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """Where a press is called slow sooner than in life."""
    stage.patience = replace(stage.patience, in_hand_after=0.2)
    return stage


@pytest.fixture
def activeflow(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")


def words(slack: Workspace, card: Message, user: str = BOB) -> str:
    """What everybody reads on it now."""
    return next(message.words for message in slack.sees(user, INCIDENTS) if message.ts == card.ts)


async def test_while_voipbin_is_slow_the_card_says_who_pressed_and_that_nothing_was_sent(
    bot: Stage, slack: Workspace, voipbin: World, activeflow: Activeflow
) -> None:
    card = await bot.asks_to_stop(activeflow)
    look = faults.hold()
    voipbin.faults.on("GET", "/activeflows/{id}", look)
    await slack.clicks(CAROL, card, "stop.flow")
    said = await bot.reads(PRESSED, user=BOB)
    assert (said.ts, said.ephemeral_to) == (card.ts, None)
    assert "@Carol pressed Stop flow at 20" in said.words
    assert "Nothing had been sent as of 20" in said.words
    assert "What stopping it does" in said.words
    assert [button.action_id for button in said.buttons] == ["stop.flow", "stop.cancel"]
    assert bot.posts(activeflow) == 0
    look.release()
    await bot.reads("Stopped by @Carol")
    assert PRESSED not in words(slack, card)


async def test_while_slack_does_not_say_who_pressed_the_card_says_the_same(
    bot: Stage, slack: Workspace, activeflow: Activeflow
) -> None:
    card = await bot.asks_to_stop(activeflow)
    slow = slack.faults.on("users.info", slack_faults.hold(), times=None)
    await slack.clicks(CAROL, card, "stop.flow")
    said = await bot.reads(PRESSED, user=BOB)
    assert "@Carol pressed Stop flow at 20" in said.words
    assert slow.hold is not None
    slow.hold.release()
    await bot.reads("Stopped by @Carol")


async def test_a_slow_press_that_was_refused_leaves_the_question_as_it_was(
    bot: Stage, slack: Workspace, activeflow: Activeflow
) -> None:
    card = await bot.asks_to_stop(activeflow)
    before = words(slack, card)
    slow = slack.faults.on("users.info", slack_faults.hold(), times=None)
    await slack.clicks(BOB, card, "stop.flow")
    await bot.reads(PRESSED)
    assert slow.hold is not None
    slow.hold.release()
    await bot.reads("You can't stop this", user=BOB)
    await slack.until(lambda: words(slack, card) == before)
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Stopped by @Alice")


async def test_an_edit_that_slack_takes_long_for_is_not_drawn_over_the_end(
    bot: Stage, slack: Workspace, voipbin: World, activeflow: Activeflow
) -> None:
    card = await bot.asks_to_stop(activeflow)
    look = faults.hold()
    voipbin.faults.on("GET", "/activeflows/{id}", look)
    slow = slack.faults.on("chat.update", slack_faults.hold(), times=1)
    await slack.clicks(ALICE, card, "stop.flow")
    assert slow.hold is not None
    await slow.hold.arrived()
    look.release()
    await slack.until(lambda: bot.posts(activeflow) == 1)
    slow.hold.release()
    await bot.reads("Call: hung up")
    assert words(slack, card).startswith("Stopped")


async def test_once_the_stop_is_on_its_way_the_card_says_that(
    bot: Stage, slack: Workspace, voipbin: World, activeflow: Activeflow
) -> None:
    card = await bot.asks_to_stop(activeflow)
    post = faults.hold()
    voipbin.faults.on("POST", "/activeflows/{id}/stop", post, times=1)
    await slack.clicks(ALICE, card, "stop.flow")
    said = await bot.reads("Stopping…", user=BOB)
    assert "The stop is being sent. Then the bot checks whether it ended." in said.words
    assert "Nothing had been sent" not in said.words
    post.release()
    await bot.reads("Stopped by @Alice")
