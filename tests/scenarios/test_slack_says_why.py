"""Where Slack does not show a card, a list or an answer, its own word decides what is advised; a lost answer is called
that.
"""

from collections.abc import Callable
from functools import partial

import pytest

from bot.demo.slack import faults
from bot.demo.slack.faults import Fault
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage
from tests.scenarios.typing_at import answers


async def stop_card(bot: Stage, activeflow: Activeflow, refuse: Callable[[], None]) -> None:
    refuse()
    await bot.slack.types(ALICE, INCIDENTS, f"/flows stop {activeflow.id}")


async def watch_card(bot: Stage, activeflow: Activeflow, refuse: Callable[[], None]) -> None:
    refuse()
    await bot.slack.types(ALICE, INCIDENTS, f"/flows watch {activeflow.id}")


async def shared(bot: Stage, _: Activeflow, refuse: Callable[[], None]) -> None:
    listing = await answers(bot, "list")
    refuse()
    await bot.slack.clicks(ALICE, listing, "list.share")


PLACES = {"stop": stop_card, "watch": watch_card, "share": shared}
WORDS = {
    "not_in_channel": (faults.error("not_in_channel"), "not a member of the channel. Invite the bot"),
    "channel_not_found": (faults.error("channel_not_found"), "it no longer exists"),
    "is_archived": (faults.error("is_archived"), "the channel is archived"),
    "invalid_blocks": (faults.error("invalid_blocks"), "a bug of this bot"),
    "a_word_of_tomorrow": (faults.error("a_word_of_tomorrow"), "Slack did not take it (a_word_of_tomorrow)"),
    "lost": (faults.lose_answer(), "It could be there"),
}


@pytest.mark.parametrize("place", PLACES)
async def test_slacks_word_decides_what_is_advised(place: str, bot: Stage, slack: Workspace, voipbin: World) -> None:
    for word, (fault, told) in WORDS.items():
        activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
        before = len([m for m in slack.sees(ALICE, INCIDENTS) if told in m.words])
        await PLACES[place](bot, activeflow, partial(_refuses, slack, fault))
        await slack.until(lambda: len([m for m in slack.sees(ALICE, INCIDENTS) if told in m.words]) > before)  # noqa: B023 # awaited here
        said = await bot.reads(told)
        assert said.ephemeral_to == ALICE
        assert ("nvite" in said.words) == (word in {"not_in_channel", "channel_not_found"}), said.words
        assert bot.posts(activeflow) == 0
        slack.faults.clear()


def _refuses(slack: Workspace, fault: Fault) -> None:
    """The bot's own post, and the way around it for one public answer."""
    slack.faults.on("chat.postMessage", fault)
    if not fault.cut:
        slack.faults.on("response_url", faults.error("used_url"))


async def test_a_card_that_cannot_be_changed_says_why_to_the_presser(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    for word, told in (("message_not_found", "no longer exists"), ("is_archived", "archived")):
        activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
        card = await bot.asks_to_stop(activeflow)
        slack.faults.on("chat.update", faults.error(word), times=None)
        slack.faults.on("response_url", faults.error("used_url"), times=2)
        await slack.clicks(ALICE, card, "stop.flow")
        said = await bot.reads(told)
        assert said.ephemeral_to == ALICE
        assert "nvite" not in said.words
        slack.faults.clear()
