"""A press that takes long is said on the card itself, for everybody, and nothing older is ever drawn over its end."""

from collections.abc import Callable
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


async def pressed_slowly(bot: Stage, slack: Workspace, card: Message) -> Callable[[], None]:
    """Somebody who may not presses; the card says so until what this gives is called, and is then to be as it was."""
    slow = slack.faults.on("users.info", slack_faults.hold(), times=None)
    await slack.clicks(BOB, card, "stop.flow")
    await bot.reads(PRESSED)
    assert slow.hold is not None
    return slow.hold.release


@pytest.mark.parametrize(
    "fault",
    [
        slack_faults.status(503),
        slack_faults.reset_before(),
        pytest.param(slack_faults.rate_limited(11), marks=pytest.mark.slow),  # longer than any call waits
    ],
    ids=["503", "reset", "429"],
)
async def test_a_question_that_slack_does_not_draw_again_at_first_is_drawn_again_later(
    fault: slack_faults.Fault, bot: Stage, slack: Workspace, activeflow: Activeflow
) -> None:
    card = await bot.asks_to_stop(activeflow)
    before = words(slack, card)
    release = await pressed_slowly(bot, slack, card)
    for way in ("chat.update", "response_url"):
        slack.faults.on(way, fault, times=2)
    release()
    await slack.until(lambda: words(slack, card) == before)


async def test_whoever_pressed_is_told_when_slack_never_draws_the_question_again(
    bot: Stage, slack: Workspace, activeflow: Activeflow
) -> None:
    card = await bot.asks_to_stop(activeflow)
    release = await pressed_slowly(bot, slack, card)
    for way in ("chat.update", "response_url"):
        slack.faults.on(way, slack_faults.status(503), times=None)
    release()
    told = await bot.reads("Only you see this. Slack did not say whether the card in the channel was changed", user=BOB)
    assert told.ephemeral_to == BOB
    assert told.words.startswith("Stop this activeflow?")
    still = [button.action_id for button in next(m for m in slack.sees(BOB, INCIDENTS) if m.ts == card.ts).buttons]
    assert still == ["stop.flow", "stop.cancel"]
    slack.faults.clear()
    await slack.clicks(ALICE, card, "stop.flow")  # whoever may can press it all the same
    await bot.reads("Stopped by @Alice")


@pytest.mark.parametrize("presser", [ALICE, BOB])
async def test_what_came_of_a_press_is_told_even_if_slack_takes_nothing_for_a_while(
    presser: str, bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play", reference_type="api")  # without a call, of which more would be told
    card = await bot.asks_to_stop(activeflow)
    ways = ("chat.update", "response_url", "chat.postEphemeral", "chat.postMessage")
    for way in ways:
        slack.faults.on(way, slack_faults.status(503), times=5 if presser == ALICE else 3)
    await slack.clicks(presser, card, "stop.flow")
    await bot.reads("Stopped by @Alice" if presser == ALICE else "You can't stop this", user=presser)


async def test_an_end_that_only_its_presser_was_told_of_is_drawn_when_slack_takes_it(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play", reference_type="api")
    card = await bot.asks_to_stop(activeflow)
    for way in ("chat.update", "response_url"):
        slack.faults.on(way, slack_faults.status(503), times=4)
    await slack.clicks(ALICE, card, "stop.flow")
    await slack.until(lambda: words(slack, card).startswith("Stopped"))


async def test_an_end_is_drawn_later_although_another_card_of_the_same_activeflow_changed_meanwhile(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    stage.patience = replace(stage.patience, told_again=(0.2,) * 50)
    activeflow = voipbin.rings(at="play", reference_type="api")
    async with stage.start():
        first, second = await stage.asks_to_stop(activeflow), await stage.asks_to_stop(activeflow, user=CAROL)
        for way in ("chat.update", "response_url"):
            slack.faults.on(way, slack_faults.status(503), times=None)
        for presser, card in ((ALICE, first), (CAROL, second)):
            await slack.clicks(presser, card, "stop.flow")
            await stage.reads("Only you see this. Slack did not say whether the card", user=presser)
        slack.faults.clear()
        await slack.until(lambda: words(slack, second).startswith("Ended"))
        await slack.until(lambda: words(slack, first).startswith("Stopped"))
