"""Looking for a caller, in a browser: typed, and from the menu of a message, with and without a mouse."""

import pytest
from playwright.async_api import expect

from bot.demo.__main__ import Demo
from bot.demo.cast import INCIDENTS, VIEWER
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.browser.conftest import Opens
from tests.browser.screen import Screen, short

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLER = "+15550192837"


@pytest.fixture
def call(shown: Demo, world: World) -> Activeflow:
    return world.rings(shown.town.clinic.menu, at="digits_receive", source=CALLER)


@pytest.mark.slow
async def test_a_caller_is_found_by_a_typed_number_and_can_be_stopped(
    world: World, call: Activeflow, olive: Screen
) -> None:
    await olive.types("/flows find (555) 019-2837")
    answer = olive.private("Looked for a phone number ending in 37")
    await expect(answer).to_contain_text("Found 1 activeflow")
    await expect(answer).to_contain_text("Call from +1555•••••37")
    await expect(answer).to_contain_text("checked ")
    await answer.get_by_role("button", name=f"Stop Main menu {short(call)}").click()
    await expect(olive.card(call)).to_contain_text("Stop this activeflow?")


async def test_what_somebody_wrote_leads_to_the_caller_from_the_menu_of_the_message(
    shown: Demo, call: Activeflow, olive: Screen, opens: Opens
) -> None:
    shown.workspace.post(INCIDENTS, VIEWER, "The customer at +1 (555) 019-2837 hears nothing")
    vic = await opens("Vic Viewer")
    message = olive.public("hears nothing")
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await olive.page.get_by_role("menuitem", name="Find activeflow").click()
    answer = olive.private("Looked for a phone number ending in 37")
    await expect(answer).to_contain_text(short(call))
    await expect(answer.get_by_role("button", name=f"Show Main menu {short(call)}")).to_be_visible()
    await expect(vic.page.locator(".message", has_text="Looked for")).to_have_count(0)


async def test_the_menu_of_a_message_needs_no_mouse(shown: Demo, call: Activeflow, olive: Screen) -> None:
    shown.workspace.post(INCIDENTS, VIEWER, f"Look at {call.id}")
    message = olive.public("Look at")
    await expect(message).to_be_visible()
    await message.get_by_role("button", name="More actions").focus()
    await olive.page.keyboard.press("Enter")
    await expect(olive.page.get_by_role("menuitem", name="Find activeflow")).to_be_focused()
    await olive.page.keyboard.press("Enter")
    await expect(olive.private("Found 1 activeflow")).to_contain_text(short(call))
