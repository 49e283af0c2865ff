"""People who open their Home, and something that is worth a look there."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.demo.slack.messages import View
from bot.demo.voipbin.state import Activeflow, Flow, Step
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, Stage
from tests.scenarios.typing_at import answers

COMING = "Still loading"


@pytest.fixture
def support(voipbin: World) -> Flow:
    return voipbin.add_flow("Support line", [Step("talk"), Step("digits_receive"), Step("play")])


@pytest.fixture
def looping(voipbin: World, support: Flow) -> Activeflow:
    """One that goes round in circles."""
    steps = ["talk", "digits_receive"] * 6
    return voipbin.rings(support, executed=steps, at="digits_receive", source="+15550109876")


@pytest.fixture
async def live(stage: Stage, looping: Activeflow) -> AsyncIterator[Stage]:
    """The bot follows its VoIPBIN, and is live."""
    async with stage.start(voipbin_events=True):
        async with asyncio.timeout(30):
            while True:
                if "live, as of" in (await answers(stage, "list")).words:
                    break
                await asyncio.sleep(0.05)
        yield stage


async def opens(stage: Stage, user: str = ALICE, *, whole: bool = True) -> View:
    """Opens the Home and waits for what is published (``whole``: to its end)."""
    before = stage.slack.home_of(user)
    assert (await stage.slack.opens_home(user)).error is None
    return await published(stage, user, before, whole=whole)


async def published(stage: Stage, user: str, before: View | None, *, whole: bool = True) -> View:
    def fresh() -> View | None:
        home = stage.slack.home_of(user)
        if home is None or (before is not None and home.hash == before.hash):
            return None
        return home if not whole or (COMING not in home.words and "asking Slack who" not in home.words) else None

    found = await stage.slack.until(fresh)
    assert isinstance(found, View)
    return found
