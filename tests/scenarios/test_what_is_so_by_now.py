"""What a card says is so by now carries its time, is followed within a bound that it says, and has the button one wants
then.
"""

from dataclasses import replace

import pytest

from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, BOB, Stage

STOP = "/activeflows/{id}/stop"


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """Where what is so by now is followed for as long as a test takes."""
    stage.patience = replace(stage.patience, follow_for=60.0)
    return stage


async def still_running(bot: Stage, voipbin: World) -> tuple[Activeflow, Message]:
    """A stop that broke on its way each time it was sent."""
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    card = await bot.asks_to_stop(activeflow)
    voipbin.faults.on("POST", STOP, faults.reset_before(), times=2)
    await bot.slack.clicks(ALICE, card, "stop.flow")
    return activeflow, await bot.reads("Still running")


def buttons(card: Message) -> list[str]:
    return [button.label for button in card.buttons]


async def test_still_running_is_told_of_one_outcome_with_its_time_and_until_when_it_is_followed(
    bot: Stage, voipbin: World
) -> None:
    _, said = await still_running(bot, voipbin)
    assert "did not end it (the connection to VoIPBIN broke before the answer was there)" in said.words
    assert "It was still running at 20" in said.words
    assert "The bot keeps checking until 20" in said.words
    assert "may have been carried out" not in said.words
    assert "no effect" not in said.words
    assert buttons(said) == ["Try again…"]


async def test_what_still_ran_is_followed_until_it_ends(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow, said = await still_running(bot, voipbin)
    voipbin.stop(activeflow)
    ended = await bot.reads("@Alice’s stop did not end it: it still ran after that")
    assert ended.ts == said.ts
    assert ended.words.startswith("Ended")
    await slack.until(lambda: "Call: hung up" in slack.message(said.channel, said.ts).words)
    assert bot.posts(activeflow) == 2


async def test_try_again_opens_a_new_card_for_whoever_may(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow, said = await still_running(bot, voipbin)
    await slack.clicks(BOB, said, "activeflow.ask_stop")
    refused = await bot.reads("You don't have permission to", user=BOB)
    assert refused.ephemeral_to == BOB
    await slack.clicks(ALICE, said, "activeflow.ask_stop")
    await slack.until(lambda: bot.card().ts != said.ts)
    await slack.clicks(ALICE, bot.card(), "stop.flow")
    stopped = await bot.reads("Stopped by @Alice")
    assert stopped.ts != said.ts
    await slack.until(lambda: slack.message(said.channel, said.ts).words.startswith("Ended"))
    assert bot.posts(activeflow) == 3


async def test_after_the_time_it_says_nobody_looks_any_more(stage: Stage, slack: Workspace, voipbin: World) -> None:
    stage.patience = replace(stage.patience, follow_every=0.1, follow_for=0.3)
    async with stage.start():
        _, said = await still_running(stage, voipbin)
        over = await stage.reads("The bot has stopped checking. Please check it yourself.")
        assert over.ts == said.ts
        assert buttons(over) == ["Try again…"]
        assert "keeps checking" not in over.words


async def test_a_call_that_is_still_up_is_followed_until_it_is_hung_up(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    voipbin.telephony.loses_hangups = True
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(ALICE, card, "stop.flow")
    up = await bot.reads("Call: still up, as of 20")
    assert "The bot keeps checking until 20" in up.words
    assert buttons(up) == ["Hang up the call"]
    call = voipbin.call_of(activeflow)
    assert call is not None
    voipbin.telephony.hung_up(call, by="remote")
    over = await bot.reads("Call: hung up at")
    assert over.ts == up.ts
    assert buttons(over) == []
    assert "keeps checking" not in over.words


async def test_following_goes_on_after_a_restart(stage: Stage, slack: Workspace, voipbin: World) -> None:
    async with stage.start():
        activeflow, said = await still_running(stage, voipbin)
    async with stage.start():
        voipbin.stop(activeflow)
        await slack.until(
            lambda: (
                "@Alice’s stop did not end it: it still ran after that" in slack.message(said.channel, said.ts).words
            )
        )
    assert stage.posts(activeflow) == 2


@pytest.mark.parametrize("reason", ["ACTIVEFLOW_ALREADY_STOPPED", "A_CONFLICT_OF_TOMORROW"])
async def test_a_stop_that_voipbin_refuses_because_it_had_ended_is_told_as_that(
    reason: str, bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    card = await bot.asks_to_stop(activeflow)
    voipbin.faults.on("POST", STOP, faults.status_after_work(409, reason))
    await slack.clicks(ALICE, card, "stop.flow")
    said = await bot.reads("before @Alice’s stop reached it")
    assert said.words.startswith("Ended")
    assert "answer" not in said.words
    assert bot.posts(activeflow) == 1


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        (402, "PAYMENT_REQUIRED", "VoIPBIN answered 402 PAYMENT_REQUIRED: the customer's account has to be paid first"),
        (409, "FLOW_STATE_INVALID", "VoIPBIN answered 409 FLOW_STATE_INVALID: it refused, because of the state"),
        (405, "", "VoIPBIN answered 405"),
    ],
)
async def test_a_stop_that_voipbin_refuses_is_told_as_refused_and_sent_once(
    status: int, reason: str, told: str, bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    card = await bot.asks_to_stop(activeflow)
    voipbin.faults.on("POST", STOP, faults.status(status, reason), times=None)
    await slack.clicks(ALICE, card, "stop.flow")
    said = await bot.reads("pressed. Nothing was stopped")
    assert said.words.startswith("Nothing was stopped")
    assert told in said.words
    assert buttons(said) == ["Stop flow", "Cancel"]
    assert bot.posts(activeflow) == 1


async def test_a_hang_up_of_a_call_that_had_hung_up_is_told_as_hung_up(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    voipbin.telephony.loses_hangups = True
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(ALICE, card, "stop.flow")
    up = await bot.reads("Call: still up")
    voipbin.faults.on("POST", "/calls/{id}/hangup", faults.status_after_work(409, "CALL_ALREADY_HANGUP"))
    await slack.clicks(ALICE, up, "call.hang_up")
    await bot.reads("Call: hung up")
