"""The Home and the doctor in a browser: opened, refreshed, shown from, by keyboard too, light and dark."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Locator, expect

from bot.demo.__main__ import Demo
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.browser.conftest import Opens
from tests.browser.screen import Screen, short
from tests.browser.test_every_screen import FAINTEST, LEAST_CONTRAST

pytestmark = pytest.mark.asyncio(loop_scope="session")
DRAWN = "data-print"
"""What the page remembers of the Home that it drew; another one after each time it is published."""


@pytest.fixture
def stale(shown: Demo, world: World) -> Iterator[Activeflow]:
    """The only one that is worth a look: older than any call can be. The page has room for few, those in circles
    first.
    """
    for other in list(world.records.activeflows):
        if other.flow_id == shown.town.clinic.after_hours.id and other.status == "running":
            world.ends(other)
    began = world.clock.now() - timedelta(hours=3)
    activeflow = world.rings(shown.town.clinic.receptionist, executed=["answer"], at="play", created_at=began)
    yield activeflow
    world.ends(activeflow)


async def _opens_home(screen: Screen) -> Locator:
    await screen.page.locator("#sidebar").get_by_role("button", name="flows-bot").click()
    home = screen.page.get_by_role("region", name="App Home")
    await expect(home).to_be_visible()
    return home


async def _until_it_shows(home: Locator, activeflow: Activeflow) -> Locator:
    """Presses Refresh until the Home has heard of this one."""
    show = home.get_by_role("button", name=f"Show AI receptionist {short(activeflow)}")
    await expect(home).to_contain_text("Health of the bot")
    for _ in range(20):
        if await show.count():
            break
        drawn = await home.get_attribute(DRAWN) or ""
        await home.get_by_role("button", name="Refresh this page").click()
        await expect(home).not_to_have_attribute(DRAWN, drawn)
    return show


async def test_the_home_says_what_runs_and_shows_one_in_a_dialog(olive: Screen, stale: Activeflow) -> None:
    home = await _opens_home(olive)
    show = await _until_it_shows(home, stale)
    await expect(home).to_contain_text("What runs now")
    await expect(home).to_contain_text("live, as of")
    await expect(home).to_contain_text("Left over?")
    await expect(home).to_contain_text("stop: in #incidents")
    await show.click()
    dialog = olive.page.get_by_role("dialog", name="Activeflow")
    await expect(dialog).to_contain_text(str(stale.id))
    await expect(dialog).to_contain_text("What stopping it does")
    await expect(dialog).to_contain_text(f"To stop it: /flows stop {short(stale)}, typed in #incidents")
    await expect(dialog.get_by_role("button", name="Stop")).to_have_count(0)
    await dialog.get_by_role("button", name="Close").last.click()
    await expect(dialog).to_have_count(0)


async def test_refresh_keeps_the_focus_for_whoever_uses_no_mouse(olive: Screen) -> None:
    home = await _opens_home(olive)
    refresh = home.get_by_role("button", name="Refresh this page")
    await expect(home).to_contain_text("ok · ledger")
    drawn = await home.get_attribute(DRAWN) or ""
    await refresh.focus()
    await olive.page.keyboard.press("Enter")
    await expect(home).not_to_have_attribute(DRAWN, drawn)
    await expect(refresh).to_be_focused()


@pytest.mark.slow
async def test_a_guest_gets_a_page_that_explains(olive: Screen) -> None:
    await olive.becomes("Gwen Guest")
    home = await _opens_home(olive)
    await expect(home).to_contain_text("You have no permissions yet")
    await expect(home).not_to_contain_text("What runs now")


@pytest.mark.slow
async def test_a_stranger_has_no_home_of_this_app(olive: Screen) -> None:
    await olive.becomes("Stan Stranger")
    await expect(olive.page.locator("#sidebar").get_by_role("button", name="flows-bot")).to_have_count(0)


async def test_the_doctor_finds_what_the_switches_break(olive: Screen) -> None:
    await olive.types("/flows doctor")
    await expect(olive.private("Is everything this bot needs working?")).to_contain_text("All is well")
    await olive.switches("Refuse the access key")
    await olive.types("/flows doctor")
    said = olive.private("1 broken, 1 warning")
    await expect(said).to_contain_text("broken · VoIPBIN ·")
    await expect(said).to_contain_text("check VOIPBIN_ACCESS_KEY")
    await olive.switches("Refuse the access key")


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["light", "dark"])
async def test_every_word_of_the_home_stands_out(opens: Opens, stale: Activeflow, dark: bool) -> None:
    olive = await opens(dark=dark)
    home = await _opens_home(olive)
    await _until_it_shows(home, stale)
    contrast, words = await home.evaluate(FAINTEST)
    assert contrast >= LEAST_CONTRAST, f"{words!r} has a contrast of {contrast:.2f}"


async def test_the_home_fits_a_telephone(opens: Opens, stale: Activeflow) -> None:
    olive = await opens(width=400)
    await olive.page.get_by_role("button", name="Show channels").click()
    home = await _opens_home(olive)
    show = await _until_it_shows(home, stale)
    await expect(show).to_be_in_viewport(ratio=1)
    assert await olive.page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize(
    ("locale", "time"), [("en-US", r"as of \d{1,2}:\d\d:\d\d\s[AP]M today"), ("en-GB", r"as of \d\d:\d\d:\d\d today")]
)
async def test_times_are_written_as_whoever_looks_writes_them(
    browser: Browser, shown: Demo, locale: str, time: str
) -> None:
    window = await browser.new_context(locale=locale, timezone_id="Asia/Seoul")
    screen = Screen(await window.new_page(), shown.url)
    await screen.opens()
    home = await _opens_home(screen)
    await expect(home).to_contain_text(re.compile(time))
    await expect(home).not_to_contain_text("UTC")


async def test_whether_one_is_mentioned_is_chosen_by_one_press(olive: Screen) -> None:
    home = await _opens_home(olive)
    await expect(home).to_contain_text("You are mentioned below the card when it is not known a minute after")
    await home.get_by_role("button", name="Do not mention me").click()
    await expect(home).to_contain_text("You are not mentioned below the card")
    await home.get_by_role("button", name="Mention me").click()
    await expect(home).to_contain_text("You are mentioned below the card")
