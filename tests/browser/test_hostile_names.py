"""Whatever a flow is called, its name is shown and not obeyed: no mention, no link, no picture, no script.

The ``opens`` fixture also sees to it that no window had an error or a dialog, or asked another machine for anything.
"""

import pytest
from playwright.async_api import Locator, expect

from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.browser.screen import Screen

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = (
    "<!channel> <!here> @channel",
    "<@U0VIEWER> stop all",
    "<http://evil.example/|Stop> http://evil.example/ www.evil.example",
    "<img src=http://evil.example/x.png onerror=alert(1)>",
    "<script>alert(1)</script><svg onload=alert(1)>",
    "&lt;!channel&gt; &amp;lt;b&amp;gt;",
    "*bold* _it_ `code` ~no~",
    "Stop \u202eenil troppuS\u202c",
    "Support " * 375,
)
SHOWN = str.maketrans({"*": "∗", "`": "ˋ", "~": "∼", "\u202e": None, "\u202c": None})
"""Marks that would format are shown as their look-alikes; what turns the direction of reading is not shown."""


@pytest.fixture
def named(world: World) -> dict[str, Activeflow]:
    """For each name, somebody at the keypad of a flow that is called so."""
    return {name: world.rings(world.add_flow(name), at="digits_receive") for name in NAMES}


async def _is_only_words(message: Locator, name: str) -> None:
    words = name.translate(SHOWN).replace("_it_", "＿it＿")
    await expect(message).to_contain_text(words[:40])
    await expect(message.locator("a, svg:not(.icon), script, img:not(.avatar)")).to_have_count(0)
    await expect(message.locator(".mention", has_text="channel")).to_have_count(0)
    await expect(message.locator(".mention", has_text="Vic")).to_have_count(0)
    assert "\u202e" not in await message.inner_text()


async def test_hostile_names_are_only_words_in_lists_and_details(named: dict[str, Activeflow], olive: Screen) -> None:
    rows = await olive.lists("/flows list sort:newest", *named.values())
    for name, activeflow in named.items():
        await _is_only_words(rows, name)
        await olive.types(f"/flows show {activeflow.id}")
        await _is_only_words(olive.private(str(activeflow.id)), name)
    assert await olive.page.locator("#scroller").evaluate("node => node.scrollWidth - node.clientWidth") == 0


@pytest.mark.slow
async def test_hostile_names_and_reasons_are_only_words_on_stop_cards_and_results(
    named: dict[str, Activeflow], olive: Screen
) -> None:
    for name, activeflow in named.items():
        card = await olive.asks_to_stop(activeflow, "<img src=x onerror=alert(1)>")
        await _is_only_words(card, name)
        await olive.presses("Stop flow", card)
        await expect(card).to_contain_text("Stopped by @Olive Operator")
        await _is_only_words(card, name)
