"""Going round in a menu: the next step of the circle is what was shown; out of the circle it has moved on."""

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow, Flow, Step
from bot.demo.voipbin.world import World
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import ALICE, Stage

__all__ = ["bulk"]
_LAP = ("talk", "digits_receive")


def menu(voipbin: World) -> Flow:
    bridge = Step("confbridge_join")
    return voipbin.add_flow(
        "Night menu", [Step("talk"), Step("digits_receive"), Step("play"), Step("connect", pushes=(bridge,)), bridge]
    )


def goes_round(voipbin: World, flow: Flow, *, laps: int = 4) -> Activeflow:
    return voipbin.rings(flow, at="digits_receive", executed=[*_LAP * (laps - 1), "talk"])


async def test_the_next_step_of_the_circle_does_not_ask_again(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = goes_round(voipbin, menu(voipbin))
    card = await bot.asks_to_stop(activeflow)
    assert "4th lap of keypad input" in card.words
    voipbin.moves_to(activeflow, "talk")
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Stopped by")
    assert bot.posts(activeflow) == 1


async def test_who_found_the_way_out_of_the_circle_is_asked_about_once_more(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    flow = menu(voipbin)
    for way_out in ("play", "connect", "confbridge_join"):
        activeflow = goes_round(voipbin, flow)
        card = await bot.asks_to_stop(activeflow)
        voipbin.moves_to(activeflow, way_out)
        await slack.clicks(ALICE, card, "stop.flow")
        await bot.reads("It has moved on")
        assert bot.posts(activeflow) == 0
        await slack.clicks(ALICE, bot.card(), "stop.cancel")
        await bot.reads("put this card away")


async def test_the_second_lap_is_no_circle_yet(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = goes_round(voipbin, menu(voipbin), laps=2)
    card = await bot.asks_to_stop(activeflow)
    voipbin.moves_to(activeflow, "talk")
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("It has moved on")


async def test_all_who_go_round_are_stopped_wherever_in_the_circle_they_are_by_then(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    flow = menu(voipbin)
    loops = [goes_round(voipbin, flow) for _ in range(6)]
    async with stage.start():
        card = await bulk.asks("type:call")
        for each in loops:
            voipbin.moves_to(each, "talk")
        voipbin.moves_to(loops[3], "connect")
        await bulk.presses(card)
        words = await bulk.over(card)
    assert "5 of 6 ended · 1 skipped" in words
    assert bulk.running(loops) == [loops[3]]
