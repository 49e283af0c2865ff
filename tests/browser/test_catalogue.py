"""The catalogue in a real browser: every screen is drawn, and its JSON can be read."""

import json

import pytest
from playwright.async_api import Browser, expect

from bot.demo.__main__ import Demo
from tests.catalogue import DRAWN

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_screen_is_drawn_with_its_json_and_how_hard_it_is_to_read(browser: Browser, shown: Demo) -> None:
    screens = json.loads(DRAWN.read_text(encoding="utf-8"))
    page = await browser.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
    await page.goto(f"{shown.url}/catalogue")
    rows = page.locator("#screens > li")
    await expect(rows).to_have_count(len(screens))
    await expect(page.locator(".unknown")).to_have_count(0)
    await expect(rows.first).to_contain_text(f"level {screens[0]['level']}")
    await rows.first.locator("summary").click()
    assert json.loads(await rows.first.locator("pre").inner_text()) == screens[0]["blocks"]
    await page.get_by_role("searchbox").fill("Stop this activeflow?")
    await expect(page.locator("#screens > li:visible").first).to_contain_text("stop card")
    assert troubles == []
