"""Draws the picture of the README: ``python -m tests.browser.picture [FILE]``. Needs Chromium, as the tests here do."""

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright, expect

from bot import logs
from bot.demo.__main__ import demo
from tests.browser.screen import Screen, short

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


async def draw(file: Path) -> None:
    """A short list, a stop that was carried out, and the panel beside them."""
    logs.configure("console", "WARNING")
    chromium = os.environ.get("FLOWS_BOT_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory(prefix="flows-bot-picture-") as folder:
        async with demo(Path(folder), alerts=False) as shown, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
            page = await browser.new_page(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
            screen = Screen(page, shown.url)
            await screen.opens()
            stuck = shown.town.forgotten
            assert stuck is not None
            await screen.types("/flows list older:30m")
            await expect(screen.private("Running activeflows")).to_contain_text(short(stuck))
            card = await screen.asks_to_stop(stuck, "caller hears silence")
            await screen.presses("Stop flow", card)
            await expect(card).to_contain_text("Call: hung up", timeout=15_000)
            await page.mouse.move(0, 0)
            await page.screenshot(path=file)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/demo.png")))
