"""What people read who may not, and that nothing happened: on somebody else's card, on a shared list, in the wrong
place.
"""

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


def _untouched(world: World, call: Activeflow) -> bool:
    posts = world.requests_to("POST", f"/activeflows/{call.id}/stop")
    return world.activeflow(call.id).status == "running" and posts == []


async def test_the_viewer_presses_the_operators_card_and_reads_the_rule_and_whom_to_ask(
    world: World, call: Activeflow, olive: Screen, opens: Opens
) -> None:
    await olive.asks_to_stop(call)
    vic = await opens("Vic Viewer")
    await vic.presses("Stop flow", vic.card(call))
    refusal = vic.private("You can't stop this")
    await expect(refusal).to_contain_text("no “stop” permission")
    await expect(refusal).to_contain_text("Nothing was stopped by your press.")
    await expect(refusal).to_contain_text("@Olive Operator")
    await expect(refusal).to_contain_text("@oncall")
    await expect(olive.page.locator(".message", has_text="You can't stop this")).to_have_count(0)
    await expect(olive.card(call)).to_contain_text("Stop this activeflow?")
    assert _untouched(world, call)


@pytest.mark.slow
async def test_the_viewer_is_offered_no_stop_of_their_own(world: World, call: Activeflow, opens: Opens) -> None:
    vic = await opens("Vic Viewer")
    rows = await vic.lists("/flows list sort:newest", call)
    await expect(rows.get_by_role("button", name=f"Show Main menu {short(call)}")).to_be_visible()
    await expect(rows.locator("button", has_text="Stop…")).to_have_count(0)
    await vic.types(f"/flows stop {short(call)}")
    await expect(vic.private("You don't have permission to")).to_contain_text("@Olive Operator")
    await expect(vic.card(call)).to_have_count(0)
    assert _untouched(world, call)


@pytest.mark.slow
async def test_a_guest_is_told_that_guests_may_not(call: Activeflow, opens: Opens) -> None:
    gwen = await opens("Gwen Guest")
    await gwen.types("/flows list")
    await expect(gwen.private("You can't")).to_contain_text("guest")
    await expect(gwen.page.locator(".message", has_text=short(call))).to_have_count(0)


@pytest.mark.slow
async def test_a_stranger_has_no_command_and_no_press(
    world: World, call: Activeflow, olive: Screen, opens: Opens
) -> None:
    await olive.asks_to_stop(call)
    stan = await opens("Stan Stranger")
    await stan.types("/flows list")
    await expect(stan.page.get_by_text("/flows is not a valid command.")).to_be_visible()
    await stan.presses("Stop flow", stan.card(call))
    await expect(stan.private("You can't stop this")).to_contain_text("another")
    assert _untouched(world, call)


@pytest.mark.slow
async def test_the_operator_may_not_stop_in_a_channel_that_is_not_for_it(
    world: World, call: Activeflow, olive: Screen
) -> None:
    await olive.goes_to("support")
    await olive.types(f"/flows stop {short(call)}")
    await expect(olive.private("You can't stop activeflows from this channel")).to_contain_text("Nothing was done")
    assert _untouched(world, call)


@pytest.mark.slow
async def test_a_shared_list_is_everybodys_and_each_press_is_checked(
    world: World, call: Activeflow, olive: Screen, opens: Opens
) -> None:
    await olive.presses("Share to channel", await olive.lists('/flows list flow:"Main menu"', call))
    vic, onno = await opens("Vic Viewer"), await opens("Onno Oncall")
    shared = vic.public("Running activeflows")
    await expect(shared).to_contain_text("read by @Olive Operator")
    await shared.get_by_role("button", name=f"Show Main menu {short(call)}").click()
    await expect(vic.private(str(call.id))).to_contain_text("waiting for keypad input")
    await shared.get_by_role("button", name=f"Stop Main menu {short(call)}").click()
    await expect(vic.private("You don't have permission to")).to_be_visible()
    await expect(olive.card(call)).to_have_count(0)

    theirs = onno.public("Running activeflows")
    await theirs.get_by_role("button", name=f"Stop Main menu {short(call)}").click()
    await expect(olive.card(call)).to_contain_text("Asked by @Onno Oncall")
    assert _untouched(world, call)
    await olive.presses("Stop flow", olive.card(call))
    await expect(vic.card(call)).to_contain_text("Stopped by @Olive Operator")
    await vic.presses("Refresh", shared)
    await expect(olive.public("Running activeflows")).to_contain_text("read by @Vic Viewer")
    await expect(olive.public("Running activeflows")).not_to_contain_text(short(call))


@pytest.mark.slow
async def test_a_list_is_shared_even_where_the_bot_is_no_member(call: Activeflow, olive: Screen, opens: Opens) -> None:
    await olive.goes_to("general")
    await olive.presses("Share to channel", await olive.lists("/flows list sort:newest", call))
    vic = await opens("Vic Viewer")
    await vic.goes_to("general")
    await vic.presses("Refresh", vic.public("Running activeflows"))
    await expect(olive.public("Running activeflows")).to_contain_text("read by @Vic Viewer")
