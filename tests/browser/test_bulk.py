"""Many at once, and callers who stay: the nights that need more than one press, as people see them."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from bot.demo.__main__ import Demo
from bot.demo.voipbin.world import World
from tests.browser.conftest import Opens
from tests.browser.screen import Screen, short

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_operator_asks_the_approver_presses_and_everybody_sees_the_bar_fill(
    world: World, olive: Screen, opens: Opens
) -> None:
    flow = world.add_flow("Loops since the deploy")
    loops = [world.rings(flow, at="digits_receive") for _ in range(6)]
    ava = await opens("Ava Approver")
    await olive.types('/flows stop all flow:"Loops since the deploy" bad deploy')
    card = olive.public("Asked by")
    for words in ("Stop these 6 activeflows?", "6 × Loops since the deploy", "Hangs up on 6 callers", "bad deploy"):
        await expect(card).to_contain_text(words)
    await olive.presses("Stop all 6", card)
    await expect(olive.private("A stop needs two people here")).to_be_visible()
    await ava.presses("Stop all 6", ava.public("Asked by"))
    for screen in (olive, ava):
        over = screen.public("Asked by")
        await expect(over).to_contain_text("All 6 have ended")
        await expect(over).to_contain_text("6 of 6 ended · 0 left")
        await expect(over).to_contain_text("@Ava Approver pressed Stop all")
    assert {world.activeflow(each.id).status for each in loops} == {"ended"}


@pytest.mark.slow
async def test_a_caller_who_stays_on_the_line_is_hung_up(shown: Demo, world: World, olive: Screen) -> None:
    call = world.rings(shown.town.clinic.menu, at="digits_receive")
    await olive.switches("Leave the caller on the line")
    card = await olive.asks_to_stop(call)
    await olive.presses("Stop flow", card)
    await expect(card).to_contain_text("Call: still up")
    await olive.switches("Leave the caller on the line")
    await olive.presses("Hang up the call", card)
    await expect(card).to_contain_text("after @Olive Operator pressed")
    found = world.call_of(call)
    assert found is not None
    assert found.status == "hangup"


@pytest.mark.slow
async def test_callers_who_stay_on_the_line_after_many_are_hung_up_one_by_one(
    world: World, olive: Screen, opens: Opens
) -> None:
    flow = world.add_flow("Stays on the line")
    stay = [world.rings(flow, at="digits_receive") for _ in range(2)]
    await olive.switches("Leave the caller on the line")
    ava = await opens("Ava Approver")
    await olive.types('/flows stop all flow:"Stays on the line"')
    await ava.presses("Stop all 2", ava.public("Asked by"))
    card = olive.public("Asked by")
    await expect(card).to_contain_text("the caller is still on the line")
    await olive.switches("Leave the caller on the line")
    for gone in stay:
        button = card.get_by_role("button", name=f"Hang up the call of {short(gone)}")
        await button.click()
        await expect(button).to_have_count(0)
    await expect(card).not_to_contain_text("still on the line")
    await expect(card).to_contain_text("Hung up, after @Olive Operator pressed Hang up the call")
    async with asyncio.timeout(30):  # the card says of the last one that it is being hung up, and so it is
        while [getattr(world.call_of(each), "status", None) for each in stay] != ["hangup"] * 2:  # noqa: ASYNC110 # the world tells nobody
            await asyncio.sleep(0.05)


async def test_a_card_of_fifty_is_on_one_screen_and_its_commands_are_shown_when_asked_for(
    world: World, olive: Screen
) -> None:
    flow = world.add_flow("Loops since the deploy")
    loops = [world.rings(flow, at="digits_receive") for _ in range(50)]
    world.campaign_dials(world.add_campaign("Spring promo"), loops[0])
    await olive.page.set_viewport_size({"width": 1280, "height": 800})
    await olive.types('/flows stop all flow:"Loops since the deploy" bad deploy')
    card = olive.public("Asked by")
    await expect(card).to_contain_text(
        re.compile("Campaign Spring promo is still dialling, as of .+: new ones will come.")
    )
    await expect(card).not_to_contain_text(str(loops[0].id))
    for part in (
        card.get_by_text("Stop these 50 activeflows?"),
        card.get_by_text("Hangs up on 50 callers"),
        card.get_by_role("button", name="Stop all 50"),
        card.get_by_role("button", name="Without this bot"),
    ):
        await expect(part.first).to_be_in_viewport(ratio=1)
    await olive.presses("Without this bot…", card)
    await expect(olive.page.get_by_role("dialog")).to_contain_text(str(loops[0].id))
