"""A real browser on the demo. Without one these tests are skipped; on the build machine that is a failure.

Decision: one browser for all, one demo a module, in one event loop, so the modules say ``pytestmark =
pytest.mark.asyncio(loop_scope="session")``; each test has a window of its own and finds the channels empty.
"""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from bot.activeflows.stopping.stop import Patience
from bot.demo.__main__ import Demo, demo
from bot.demo.voipbin.world import World
from tests.browser.screen import Screen

_FEATURES = [
    # The address bar of a window that nobody sees is a page of its own, and as much work as the demo's.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    # Chromium takes the last list it is given, so Playwright's stands here once more.
    *("AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync"),
    *(
        "DestroyProfileOnBrowserClose",
        "HttpsFirstBalancedModeAutoEnable",
        "HttpsUpgrades",
        "LensOverlay",
        "MediaRouter",
    ),
    *("NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    "ThirdPartyStoragePartitioning",
]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(_FEATURES)}",
]
expect.set_options(timeout=60_000)  # milliseconds; a bound on the patience of the tests, not a promise of the bot
SHORT = Patience(
    soon=(0.0, 0.3, 0.7), settle=1.5, every=0.3, rest=0.5, looks=10, follow_every=0.5, after=(0.3, 0.7, 1.0, 1.0)
)
Opens = Callable[..., Awaitable[Screen]]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser: FLOWS_BOT_CHROMIUM, or what is called chromium."""
    found = os.environ.get("FLOWS_BOT_CHROMIUM") or shutil.which("chromium")
    if not found or not Path(found).exists():
        why = "no Chromium: install the package chromium, or say in FLOWS_BOT_CHROMIUM where it is"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(shared_browser: Browser) -> AsyncIterator[Browser]:
    """The browser, without the windows of other tests."""
    yield shared_browser
    for window in shared_browser.contexts:
        await window.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_demo(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    async with demo(tmp_path_factory.mktemp("demo"), patience=SHORT, alerts=False) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def shown(shared_demo: Demo) -> AsyncIterator[Demo]:
    """The demo with empty channels, an untroubled VoIPBIN, and nobody pressing anything."""
    yield shared_demo
    for name in list(shared_demo.panel.on):
        shared_demo.panel.switch(name, on=False)
    shared_demo.town.world.faults.clear()
    workspace = shared_demo.workspace
    for channel in workspace.channels:
        for user in workspace.users:
            for message in workspace.sees(user, channel):
                workspace.delete(channel, message.ts)


@pytest.fixture
def world(shown: Demo) -> World:
    return shown.town.world


@pytest_asyncio.fixture(loop_scope="session")
async def opens(shown: Demo, browser: Browser) -> AsyncIterator[Opens]:
    """Opens a window as somebody; at the end each of them must have been without trouble."""
    windows: list[Screen] = []

    async def open_window(name: str = "Olive Operator", *, width: int = 1400, dark: bool = False) -> Screen:
        page = await browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        screen = Screen(page, shown.url)
        windows.append(screen)
        await screen.opens()
        if name != "Olive Operator":
            await screen.becomes(name)
        return screen

    yield open_window
    assert [trouble for screen in windows for trouble in screen.troubles] == []


@pytest_asyncio.fixture(loop_scope="session")
async def olive(opens: Opens) -> Screen:
    """The window of somebody who may look and stop."""
    return await opens()
