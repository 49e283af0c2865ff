"""Menus to choose from, opened: by a command without an id, and by the shortcut."""

import pytest

from bot.demo.slack.inputs import MenuOptions
from bot.demo.slack.messages import Message, View
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage
from tests.scenarios.typing_at import answers

CALLER = "+4917155577310"
MENUS = {"show": ids.PICK_SHOW, "stop": ids.PICK_STOP, "watch": ids.PICK_WATCH}


@pytest.fixture
def calling(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive", source=CALLER)


async def opened(
    bot: Stage, word: str, typed: str = "", *, user: str = ALICE, channel: str = INCIDENTS
) -> tuple[Message, MenuOptions]:
    """The menu's message, and what it offers."""
    message = await answers(bot, word, user=user, channel=channel)
    assert message.ephemeral_to == user
    return message, await bot.slack.looks_up(user, message, MENUS[word], typed)


def values(offered: MenuOptions) -> list[str]:
    assert offered.delivery.error is None
    return [option["value"] for option in offered.options]


async def form(bot: Stage, *, user: str = ALICE, channel: str = INCIDENTS) -> View:
    """The form of the shortcut, used while looking at that channel."""
    assert (await bot.slack.uses_global_shortcut(user, ids.STOP_SHORTCUT, channel=channel)).error is None
    await bot.slack.until(lambda: bot.slack.views_of(user))
    (view,) = bot.slack.views_of(user)
    return view
