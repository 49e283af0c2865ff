"""axe-core finds nothing serious on any screen of the demo, by day and by night."""

import pytest
from playwright.async_api import expect

from bot.demo.__main__ import Demo
from bot.demo.voipbin.world import World
from tests.browser.accessibility import axe_core, faults_of
from tests.browser.conftest import Opens

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest) -> str:
    return axe_core(request.config.cache.mkdir("axe-core"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_nothing_serious_is_found_on_any_screen(
    shown: Demo, world: World, opens: Opens, axe: str, dark: bool
) -> None:
    call = world.rings(shown.town.clinic.menu, at="digits_receive")
    olive = await opens(dark=dark)
    page, found = olive.page, {}

    async def looked_at(screen: str) -> None:
        found[screen] = await faults_of(page, axe, colours=dark)  # by night nothing else is otherwise

    await looked_at("the first screen")
    await page.locator("#scenario-list summary").click()
    await page.locator("#place-call > summary").click()
    await page.locator("#curl summary").click()
    await looked_at("the panel, unfolded")
    await olive.line.fill("/")
    await expect(page.get_by_role("listbox")).to_be_visible()
    await looked_at("the menu of commands")
    await olive.line.fill("")
    await olive.lists("/flows list sort:newest", call)
    await looked_at("a list")
    await olive.types(f"/flows show {call.id}")
    await expect(olive.private(str(call.id))).to_be_visible()
    card = await olive.asks_to_stop(call)
    await looked_at("details, and a stop card")
    await olive.presses("Stop flow", card)
    await expect(card).to_contain_text("Stopped by")
    await looked_at("the result")
    crowd = world.add_flow("Crowded")
    for _ in range(3):
        world.rings(crowd, at="talk")
    await olive.types('/flows stop all flow:"Crowded" too many')
    await expect(olive.public("too many")).to_be_visible()
    await looked_at("a bulk card")
    await page.locator("#you").click()
    await looked_at("the people to be")
    await page.keyboard.press("Escape")
    await olive.becomes("Gwen Guest")
    await olive.types("/flows list")
    await looked_at("a refusal")
    await olive.becomes("Olive Operator")
    await page.locator("#sidebar").get_by_role("button", name="flows-bot").click()
    await expect(page.locator("#home")).to_contain_text("running")
    await looked_at("the Home")
    assert "\n".join(f"{screen}: {fault}" for screen, faults in found.items() for fault in faults) == ""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_nothing_serious_is_found_where_somebody_chooses(
    shown: Demo, world: World, opens: Opens, axe: str, dark: bool
) -> None:
    world.rings(shown.town.clinic.menu, at="digits_receive")
    olive = await opens(dark=dark)
    page, found = olive.page, {}

    async def looked_at(screen: str) -> None:
        found[screen] = await faults_of(page, axe, colours=dark)  # by night nothing else is otherwise

    await olive.types("/flows show")
    await olive.private("Show which activeflow?").get_by_role("combobox").click()
    await expect(page.get_by_role("listbox", name="Options").get_by_role("option").first).to_be_visible()
    await looked_at("an open menu to choose from")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Shortcuts").click()
    await looked_at("the menu of shortcuts")
    await page.get_by_role("menuitem", name="Stop an activeflow…").click()
    await page.get_by_role("combobox", name="Activeflow").press("ArrowDown")
    await expect(page.get_by_role("listbox", name="Options").get_by_role("option").first).to_be_visible()
    await looked_at("the form of the shortcut, with its menu open")
    await page.keyboard.press("Escape")
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert "\n".join(f"{screen}: {fault}" for screen, faults in found.items() for fault in faults) == ""
