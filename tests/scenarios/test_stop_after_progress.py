"""Between card and press it went on: in the menu, or round in a circle, that is progress; out of them it has moved
on.
"""

import pytest

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow, Flow, Step
from bot.demo.voipbin.world import World
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import ALICE, Stage

__all__ = ["bulk"]
OUT = ("connect", "confbridge_join", "queue_join", "email_send")


@pytest.fixture
def menu(voipbin: World) -> Flow:
    return voipbin.add_flow("Night menu", [Step("talk"), Step("digits_receive"), Step("play"), *map(Step, OUT)])


@pytest.fixture
def reports(voipbin: World) -> Flow:
    return voipbin.add_flow("Reports", [Step("message_send"), Step("webhook_send"), *map(Step, OUT)])


def goes_round(voipbin: World, flow: Flow, *, laps: int = 4) -> Activeflow:
    lap = ("message_send", "webhook_send")
    return voipbin.rings(flow, at="webhook_send", executed=[*lap * (laps - 1), "message_send"])


async def presses(bot: Stage, slack: Workspace, voipbin: World, activeflow: Activeflow, now_at: str) -> None:
    """The card is drawn, the activeflow goes on, *Stop flow* is pressed."""
    card = await bot.asks_to_stop(activeflow)
    voipbin.moves_to(activeflow, now_at)
    await slack.clicks(ALICE, card, "stop.flow")


@pytest.mark.parametrize(
    ("shown", "by_then"), [("talk", "digits_receive"), ("digits_receive", "play"), ("play", "talk")]
)
async def test_speaking_and_listening_by_turns_is_one_situation(
    bot: Stage, slack: Workspace, voipbin: World, menu: Flow, shown: str, by_then: str
) -> None:
    activeflow = voipbin.rings(menu, at=shown, executed=[])
    await presses(bot, slack, voipbin, activeflow, by_then)
    await bot.reads("Stopped by")
    assert bot.posts(activeflow) == 1


@pytest.mark.parametrize("way_out", OUT)
async def test_who_left_the_menu_is_asked_about_once_more(
    bot: Stage, slack: Workspace, voipbin: World, menu: Flow, way_out: str
) -> None:
    activeflow = voipbin.rings(menu, at="digits_receive", executed=["talk", "digits_receive", "talk"] * 2)
    await presses(bot, slack, voipbin, activeflow, way_out)
    await bot.reads("This call has moved on")
    assert bot.posts(activeflow) == 0


async def test_the_next_step_of_a_circle_does_not_ask_again(
    bot: Stage, slack: Workspace, voipbin: World, reports: Flow
) -> None:
    activeflow = goes_round(voipbin, reports)
    await presses(bot, slack, voipbin, activeflow, "message_send")
    await bot.reads("Stopped by")
    assert bot.posts(activeflow) == 1


@pytest.mark.parametrize("way_out", OUT)
async def test_who_left_the_circle_is_asked_about_once_more(
    bot: Stage, slack: Workspace, voipbin: World, reports: Flow, way_out: str
) -> None:
    activeflow = goes_round(voipbin, reports)
    await presses(bot, slack, voipbin, activeflow, way_out)
    await bot.reads("This call has moved on")
    assert bot.posts(activeflow) == 0


async def test_the_second_lap_is_no_circle_yet(bot: Stage, slack: Workspace, voipbin: World, reports: Flow) -> None:
    activeflow = goes_round(voipbin, reports, laps=2)
    await presses(bot, slack, voipbin, activeflow, "message_send")
    await bot.reads("This call has moved on")


async def test_all_are_stopped_wherever_in_the_circle_they_are_by_then(
    stage: Stage, bulk: BulkStage, voipbin: World, reports: Flow
) -> None:
    loops = [goes_round(voipbin, reports) for _ in range(6)]
    async with stage.start():
        card = await bulk.asks("type:call")
        for each in loops:
            voipbin.moves_to(each, "message_send")
        voipbin.moves_to(loops[3], "connect")
        await bulk.presses(card)
        words = await bulk.over(card)
    assert "5 of 6 ended · 1 skipped" in words
    assert bulk.running(loops) == [loops[3]]
