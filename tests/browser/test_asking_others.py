"""Somebody who may not stop asks somebody who may; somebody who may only approve presses what another has asked for."""

import pytest
from playwright.async_api import expect

from bot.demo.__main__ import Demo
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.browser.conftest import Opens
from tests.browser.screen import Screen, short

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def call(shown: Demo, world: World) -> Activeflow:
    return world.rings(shown.town.clinic.menu, at="digits_receive")


def _posts(world: World, call: Activeflow) -> int:
    return len(world.requests_to("POST", f"/activeflows/{call.id}/stop"))


async def test_the_viewer_asks_the_operator_presses_and_everybody_reads_who_wanted_what(
    world: World, call: Activeflow, olive: Screen, opens: Opens
) -> None:
    vic = await opens("Vic Viewer")
    await vic.types(f"/flows stop {short(call)} the caller hears silence")
    refusal = vic.private("You don't have permission to")
    await vic.presses("Ask someone who can", refusal)
    await expect(vic.private("Asked in #incidents")).to_be_visible()

    card = olive.card(call)
    for words in (
        "Stop this activeflow?",
        "@Vic Viewer can't stop this and asks @oncall, @Olive Operator to.",
        "Asked by @Vic Viewer, who can't stop it: the caller hears silence",
    ):
        await expect(card).to_contain_text(words)
    await vic.presses("Stop flow", vic.card(call))
    await expect(vic.private("You can't stop this")).to_be_visible()
    assert (world.activeflow(call.id).status, _posts(world, call)) == ("running", 0)

    await olive.presses("Stop flow", card)
    for screen in (olive, vic):
        await expect(screen.card(call)).to_contain_text("Stopped by @Olive Operator. VoIPBIN shows it ended at")
        await expect(screen.card(call)).to_contain_text("Asked by @Vic Viewer, who can't stop it")
    assert (world.activeflow(call.id).status, _posts(world, call)) == ("ended", 1)


@pytest.mark.slow
async def test_the_viewer_asks_for_many_at_once_and_the_operators_press_stops_exactly_those(
    world: World, olive: Screen, opens: Opens
) -> None:
    flow = world.add_flow("Hangs since the update")
    loops = [world.rings(flow, at="digits_receive") for _ in range(4)]
    vic = await opens("Vic Viewer")
    await vic.types('/flows stop all flow:"Hangs since the update" they hang')
    refusal = vic.private("You don't have permission to")
    await expect(refusal).to_contain_text("@Olive Operator")
    late = world.rings(flow, at="digits_receive")
    await vic.presses("Ask someone who can", refusal)
    await expect(vic.private("Asked in #incidents")).to_be_visible()

    card = olive.public("Asked by @Vic Viewer")
    for words in (
        "Stop these 5 activeflows?",
        "@Vic Viewer can't stop these in bulk and asks @Olive Operator to.",
        "5 × Hangs since the update",
        "Asked by @Vic Viewer, who can't stop in bulk: they hang",
    ):
        await expect(card).to_contain_text(words)
    await vic.presses("Stop all 5", vic.public("Asked by @Vic Viewer"))
    await expect(vic.private("You can't stop this")).to_be_visible()
    assert {world.activeflow(each.id).status for each in (*loops, late)} == {"running"}

    await olive.presses("Stop all 5", card)
    for screen in (olive, vic):
        over = screen.public("Asked by @Vic Viewer, who can't stop in bulk")
        await expect(over).to_contain_text("All 5 have ended")
        await expect(over).to_contain_text("@Olive Operator pressed Stop all")
    assert {world.activeflow(each.id).status for each in (*loops, late)} == {"ended"}


@pytest.mark.slow
async def test_the_viewer_presses_a_card_that_stands_there_and_then_asks_for_it_to_be_pressed(
    world: World, call: Activeflow, olive: Screen, opens: Opens
) -> None:
    await olive.asks_to_stop(call)
    vic = await opens("Vic Viewer")
    await vic.presses("Stop flow", vic.card(call))
    await vic.presses("Ask someone who can", vic.private("You can't stop this"))
    await expect(olive.page.get_by_text("asks @oncall, @Olive Operator to press this card")).to_be_attached()
    assert (world.activeflow(call.id).status, _posts(world, call)) == ("running", 0)


@pytest.mark.slow
async def test_the_approver_asks_for_nothing_and_approves_what_the_operator_asked_for(
    world: World, call: Activeflow, olive: Screen, opens: Opens
) -> None:
    ava = await opens("Ava Approver")
    await ava.types(f"/flows stop {short(call)}")
    await expect(ava.private("You don't have permission to")).to_contain_text("@Olive Operator")
    await olive.asks_to_stop(call)
    await ava.presses("Stop flow", ava.card(call))
    await expect(olive.card(call)).to_contain_text("Stopped by @Ava Approver. VoIPBIN shows it ended at")
    await expect(olive.card(call)).to_contain_text("Asked by @Olive Operator")
    assert _posts(world, call) == 1


@pytest.mark.slow
async def test_the_approver_cannot_press_what_somebody_asked_for_who_may_not_stop(
    world: World, call: Activeflow, opens: Opens
) -> None:
    vic, ava = await opens("Vic Viewer"), await opens("Ava Approver")
    await vic.types(f"/flows stop {short(call)}")
    await vic.presses("Ask someone who can", vic.private("You don't have permission to"))
    await ava.presses("Stop flow", ava.card(call))
    await expect(ava.private("You can't stop this")).to_contain_text("Nothing was stopped by your press.")
    assert (world.activeflow(call.id).status, _posts(world, call)) == ("running", 0)
