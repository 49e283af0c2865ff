"""VoIPBIN misbehaves, by the switches in the demo's own panel: what people read then is true, and comes soon."""

import re

import pytest
from playwright.async_api import expect

from bot.demo.__main__ import Demo
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.browser.screen import Screen

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def call(shown: Demo, world: World) -> Activeflow:
    return world.rings(shown.town.clinic.menu, at="digits_receive")


def _posts(world: World, call: Activeflow) -> int:
    return len(world.requests_to("POST", f"/activeflows/{call.id}/stop"))


async def test_a_lost_answer_is_cleared_up_by_reading_and_said_to_have_been_lost(
    world: World, call: Activeflow, olive: Screen
) -> None:
    card = await olive.asks_to_stop(call)
    await olive.switches("Lose the answer to a stop")
    await olive.presses("Stop flow", card)
    await expect(card).to_contain_text("VoIPBIN shows it ended")
    await expect(card).to_contain_text("@Olive Operator’s stop got no clear answer")
    await expect(card).not_to_contain_text("Stopped by")
    assert world.activeflow(call.id).status == "ended"
    assert _posts(world, call) == 1


@pytest.mark.slow
async def test_a_stop_that_never_arrived_is_sent_once_more_when_that_is_certain(
    world: World, call: Activeflow, olive: Screen
) -> None:
    card = await olive.asks_to_stop(call)
    await olive.switches("Break before a stop")
    await olive.presses("Stop flow", card)
    await expect(card).to_contain_text("it was not known whether it worked")
    await expect(card).to_contain_text("The bot keeps checking")
    assert world.activeflow(call.id).status == "running"
    await olive.switches("Break before a stop")
    await expect(card).to_contain_text("Stopped by @Olive Operator")
    assert world.activeflow(call.id).status == "ended"
    assert _posts(world, call) == 2


@pytest.mark.slow
async def test_a_stop_that_never_arrives_is_said_to_have_had_no_effect(
    world: World, call: Activeflow, olive: Screen
) -> None:
    card = await olive.asks_to_stop(call)
    await olive.switches("Break before a stop")
    await olive.presses("Stop flow", card)
    await expect(card).to_contain_text("It was still running at")
    await expect(card).to_contain_text("This card sends no more stops.")
    await expect(card).to_contain_text(f"vn activeflows stop {call.id}")
    assert world.activeflow(call.id).status == "running"
    assert _posts(world, call) == 2


async def test_a_slow_voipbin_leaves_nobody_without_a_word(world: World, call: Activeflow, olive: Screen) -> None:
    await olive.switches("Slow")
    await olive.types('/flows list flow:"Main menu"')
    await expect(olive.private("Still working on it: asking VoIPBIN. The answer follows.")).to_be_visible()
    assert await olive.page.locator(".message", has_text="Running activeflows").count() == 0
    await olive.switches("Slow")
    await expect(olive.private("Running activeflows")).to_contain_text("Main menu")


@pytest.mark.slow
async def test_a_press_while_voipbin_is_slow_is_said_to_be_recorded_and_carried_out_once(
    world: World, call: Activeflow, olive: Screen
) -> None:
    card = await olive.asks_to_stop(call)
    await olive.switches("Slow")
    await olive.presses("Stop flow", card)
    await expect(olive.private("Your press is recorded. Nothing has been sent yet")).to_be_visible()
    await olive.presses("Stop flow", card)
    await olive.switches("Slow")
    await expect(card).to_contain_text("Stopped by @Olive Operator")
    assert _posts(world, call) == 1


@pytest.mark.slow
async def test_a_rate_limited_list_says_what_it_could_not_read(world: World, call: Activeflow, olive: Screen) -> None:
    await olive.switches("Rate limited")
    await olive.types('/flows list flow:"Main menu"')
    await expect(olive.private("Running activeflows")).to_contain_text("Main menu")
    card = await olive.asks_to_stop(call)
    await olive.presses("Stop flow", card)
    told = re.compile(  # its call may not be read, and the stop itself may find no room
        "Stopped by @Olive Operator|ended at .* after @Olive Operator’s stop|Nothing was stopped: VoIPBIN answered 429"
    )
    await expect(card).to_contain_text(told)
    assert world.limits.refused > 0
    assert len(world.stops) == len({stop.activeflow_id for stop in world.stops})


@pytest.mark.slow
async def test_a_refused_access_key_stops_nothing_and_the_card_can_be_pressed_again(
    world: World, call: Activeflow, olive: Screen
) -> None:
    card = await olive.asks_to_stop(call)
    await olive.switches("Refuse the access key")
    await olive.types(f"/flows show {call.id}")
    await olive.presses("Stop flow", card)
    await expect(olive.private("VoIPBIN does not accept my credential.")).to_be_visible()
    await expect(card).to_contain_text("@Olive Operator pressed. Nothing was stopped:")
    assert world.activeflow(call.id).status == "running"
    assert world.access_key not in await olive.page.locator("#messages").inner_text()
    await olive.switches("Refuse the access key")
    await olive.presses("Stop flow", card)
    await expect(card).to_contain_text("Stopped by @Olive Operator")
    assert [stop.activeflow_id for stop in world.stops].count(call.id) == 1
