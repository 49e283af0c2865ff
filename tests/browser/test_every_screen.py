"""Small screens, dark screens, and no mouse: everything can be reached and read."""

import pytest
from playwright.async_api import Locator, expect

from bot.demo.__main__ import Demo
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.browser.conftest import Opens
from tests.browser.screen import Screen, short

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEAST_CONTRAST = 4.5  # https://www.w3.org/TR/WCAG22/#contrast-minimum
FAINTEST = """
root => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const numbers = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
  const behind = node => {
    if (!node) return [255, 255, 255];
    const own = numbers(getComputedStyle(node).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(node.parentElement));
  };
  const light = colour => colour.slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const seen = [...root.querySelectorAll('*')].filter(node => node.getClientRects().length
    && [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()));
  return seen.map(node => {
    const back = behind(node);
    const [one, other] = [light(over(numbers(getComputedStyle(node).color), back)), light(back)];
    return [(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), node.textContent.trim().slice(0, 40)];
  }).sort((one, other) => one[0] - other[0])[0];
}
"""


@pytest.fixture
def call(shown: Demo, world: World) -> Activeflow:
    return world.rings(shown.town.clinic.menu, at="digits_receive")


async def _tabs_to(screen: Screen, wanted: Locator, key: str = "Tab") -> None:
    for _ in range(120):
        if await wanted.evaluate("node => node === document.activeElement"):
            return
        await screen.page.keyboard.press(key)
    pytest.fail(f"{wanted} is not reached by {key}")


async def test_a_stop_needs_no_mouse_and_is_read_aloud(world: World, call: Activeflow, olive: Screen) -> None:
    await expect(olive.line).to_be_focused()
    await olive.page.keyboard.type("/fl")
    await olive.page.keyboard.press("Tab")
    await olive.page.keyboard.type("list sort:newest")
    await olive.page.keyboard.press("Enter")
    ask = olive.page.get_by_role("button", name=f"Stop Main menu {short(call)}")
    await expect(ask).to_be_visible()
    await _tabs_to(olive, ask, "Shift+Tab")
    await olive.page.keyboard.press("Enter")
    log = olive.page.get_by_role("log", name="Messages")
    await expect(log).to_have_attribute("aria-live", "polite")
    await expect(log).to_contain_text("Stop this activeflow?")
    await _tabs_to(olive, olive.page.get_by_role("button", name=f"Stop flow Main menu {short(call)}"))
    await olive.page.keyboard.press("Enter")
    await expect(log).to_contain_text("Stopped by @Olive Operator")
    assert world.activeflow(call.id).status == "ended"


async def test_the_first_screen_says_what_to_type(olive: Screen) -> None:
    await expect(olive.page.locator(".beginning")).to_contain_text("Type /flows list to see what is running.")
    await olive.goes_to("support")
    await expect(olive.page.locator(".beginning")).to_contain_text("stopping is for #incidents")


async def test_on_a_telephone_everything_is_within_reach(world: World, call: Activeflow, opens: Opens) -> None:
    olive = await opens(width=400)
    banner = olive.page.locator(".top p")
    await expect(banner).to_contain_text("Nothing here reaches Slack")
    assert await banner.evaluate("words => words.scrollWidth <= words.clientWidth")
    rows = await olive.lists("/flows list sort:newest", call)
    await rows.get_by_role("button", name=f"Stop Main menu {short(call)}").click()
    card = olive.card(call)
    await expect(card).to_contain_text("Stop this activeflow?")
    await olive.page.get_by_role("button", name="New messages").click()
    for button in await card.locator(".content").get_by_role("button").all():
        await expect(button).to_be_in_viewport(ratio=1)
        box = await button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 400
    await expect(olive.line).to_be_in_viewport(ratio=1)
    await olive.page.get_by_role("button", name="Show channels").click()
    await expect(olive.page.locator("#you")).to_be_in_viewport(ratio=1)
    await olive.becomes("Onno Oncall")
    await olive.goes_to("incidents")
    await olive.presses("Stop flow", card)
    await expect(card).to_contain_text("Stopped by @Onno Oncall")
    assert await olive.page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["light", "dark"])
async def test_every_word_stands_out_from_its_ground(
    shown: Demo, world: World, call: Activeflow, opens: Opens, dark: bool
) -> None:
    olive = await opens(dark=dark)
    await olive.lists("/flows list sort:newest", call)
    await olive.types(f"/flows show {call.id}")
    await expect(olive.private(str(call.id))).to_be_visible()
    await olive.types("/flows find main menu or 555 0199 000")
    await expect(olive.private("has a number ending in 00")).to_be_visible()
    await olive.types("/flows find main menu")
    await expect(olive.private("flows and queues named like")).to_contain_text(short(call))
    card = await olive.asks_to_stop(call)
    await olive.presses("Stop flow", card)
    await expect(card).to_contain_text("Stopped by")
    await olive.asks_to_stop(world.rings(shown.town.clinic.menu, at="digits_receive"))
    for place in ("#messages", "#sidebar", "#head", "#panel", "#composer"):
        contrast, words = await olive.page.locator(place).evaluate(FAINTEST)
        assert contrast >= LEAST_CONTRAST, f"{words!r} in {place} has a contrast of {contrast:.2f}"
