"""Somebody is lost in a menu: the demo says so by itself, and the alert's buttons work."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from bot.demo.__main__ import Demo, demo
from bot.demo.voipbin.state import Activeflow
from tests.browser.conftest import SHORT, Opens
from tests.browser.screen import Screen, short

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_demo(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    """As it is started by a person."""
    async with demo(tmp_path_factory.mktemp("demo"), patience=SHORT) as running:
        yield running


@pytest.fixture
def lost(shown: Demo) -> Activeflow:
    """The caller who goes round since before the doors opened."""
    clinic = shown.town.clinic
    return next(row for row in shown.town.world.records.activeflows if row.flow_id == clinic.after_hours.id)


@pytest.mark.slow
async def test_a_loop_is_said_by_itself_and_shown_and_stopped(
    shown: Demo, lost: Activeflow, olive: Screen, opens: Opens
) -> None:
    alert = olive.public("Going round in circles")
    await expect(alert).to_be_visible()
    await expect(alert).to_contain_text("After hours")
    await expect(alert).to_contain_text(short(lost))
    await expect(alert).to_contain_text("5th time round:")
    vic = await opens("Vic Viewer")
    await vic.presses("Stop…", vic.public("Going round in circles"))
    await expect(vic.private("You don't have permission to")).to_be_visible()
    await olive.presses("Show", alert)
    await expect(olive.private(str(lost.id))).to_contain_text("Going round in circles")
    await olive.presses("Stop…", alert)
    card = olive.card(lost)
    await olive.presses("Stop flow", card)
    await expect(card).to_contain_text("Stopped by")
    assert shown.town.world.activeflow(lost.id).status == "ended"
    await expect(olive.page.locator(".message", has_text="more since")).to_have_count(0)
