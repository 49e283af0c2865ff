"""The panel beside the channel: what VoIPBIN received, a telephone, scenarios; and the first minute that the page leads
through.
"""

import pytest
from playwright.async_api import expect

from bot.demo.__main__ import Demo
from bot.demo.voipbin.world import World
from tests.browser.screen import Screen, short

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_first_minute_leads_to_the_first_stop(shown: Demo, world: World, olive: Screen) -> None:
    guilty = shown.town.forgotten
    assert guilty is not None
    guide = olive.page.get_by_label("The first minute")
    await expect(guide).to_contain_text("Old promotion line")
    await guide.get_by_role("button", name="Type it for me").click()
    await expect(guide.locator("li").nth(0)).to_contain_text("Done.")
    await olive.page.get_by_role("button", name=f"Stop Old promotion line {short(guilty)}").last.click()
    await expect(guide.locator("li").nth(1)).to_contain_text("Done.")
    await expect(olive.page.get_by_label("What VoIPBIN received")).to_contain_text("No stop was sent.")
    await olive.presses("Stop flow", olive.card(guilty))
    await expect(guide.locator("li").nth(2)).to_contain_text("Done.")
    assert world.activeflow(guilty.id).status == "ended"
    received = olive.page.get_by_label("What VoIPBIN received")
    await expect(received).to_contain_text("1 stop was sent.")
    await expect(received.locator("li.write")).to_contain_text("Old promotion line: ended")


async def test_a_call_is_placed_without_curl(world: World, olive: Screen) -> None:
    world.answers_after = 0.2
    await olive.page.locator("#place-call > summary").click()
    await olive.page.get_by_label("Number").fill("+15550100099")
    await olive.page.get_by_role("button", name="Place the call").click()
    said = olive.page.locator("#call-form [role=status]")
    await expect(said).to_contain_text("Activeflow ")
    (placed,) = [call for call in world.records.calls if call.destination == "+15550100099"]
    rows = await olive.lists("/flows list sort:newest", world.activeflow(placed.activeflow_id))
    await expect(rows).to_contain_text(placed.activeflow_id.hex[:8])
    await expect(olive.page.get_by_label("What VoIPBIN received")).to_contain_text("/calls")


async def test_a_bad_night_is_played_by_one_click(olive: Screen) -> None:
    await olive.page.locator("#scenario-list > summary").click()
    await olive.page.locator("#scenario-moved-on").click()
    playing = olive.page.locator(".playing")
    await expect(playing).to_contain_text("Playing moved-on")
    await expect(playing).to_contain_text("Played: moved-on", timeout=120_000)
    await expect(playing.locator(".truths li")).to_have_count(2)
    await expect(playing.locator(".truths .held")).to_have_count(2)


async def test_what_was_said_in_private_goes_on_reload_as_in_slack(olive: Screen) -> None:
    await olive.types("/flows whoami")
    await expect(olive.page.locator(".message.ephemeral")).to_have_count(1)
    await olive.types("hello everybody")
    await olive.page.reload()
    await expect(olive.public("hello everybody")).to_be_visible()
    await expect(olive.page.locator(".message.ephemeral")).to_have_count(0)


async def test_the_menu_of_commands_is_the_manifests(olive: Screen) -> None:
    await olive.line.fill("/f")
    await expect(olive.page.get_by_role("listbox")).to_contain_text("watch [<id>]")


async def test_a_name_becomes_a_mention(olive: Screen) -> None:
    await olive.line.fill("ask @av")
    await expect(olive.page.get_by_role("option")).to_have_count(1)
    await olive.line.press("Enter")
    await expect(olive.line).to_have_value("ask @Ava Approver ")
    await olive.line.press("Enter")
    await expect(olive.public("ask").locator(".mention")).to_have_text("@Ava Approver")


async def test_digits_are_not_drawn_by_an_emoji_font(olive: Screen) -> None:
    faces = await olive.page.evaluate("getComputedStyle(document.body).fontFamily")
    assert faces.index("sans-serif") < faces.index("Emoji")
