"""Cards that Slack does not let the bot edit as it wants: no old buttons, no endless tries.

https://github.com/slackapi/python-slack-sdk/issues/523 (``chat.update`` without blocks keeps the old ones)
https://docs.slack.dev/reference/methods/chat.update#errors (``is_archived``, ``is_inactive``)
"""

import pytest

from bot.demo.slack.faults import error
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage
from tests.scenarios.typing_at import answers


async def test_words_without_blocks_take_the_old_buttons_off_the_screen(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    await slack.types(ALICE, INCIDENTS, f"/flows watch {activeflow.id}")
    card = await bot.reads("Watching: Support line")
    slack.faults.on("chat.update", error("invalid_blocks"))
    await slack.clicks(ALICE, card, ids.UNWATCH)
    await slack.until(lambda: "No longer watched" in slack.message(INCIDENTS, card.ts).text)
    await slack.until(lambda: [] in [call.arguments["blocks"] for call in slack.calls if call.method == "chat.update"])


@pytest.mark.parametrize("word", ["is_archived", "is_inactive", "channel_not_found"])
async def test_a_card_in_a_channel_that_is_closed_is_not_tried_again(
    bot: Stage, slack: Workspace, voipbin: World, word: str
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    first = await answers(bot, f"watch {activeflow.id}")
    slack.faults.on("chat.update", error(word))
    while (again := await answers(bot, f"watch {activeflow.id}")).ephemeral_to is not None:
        assert "already" in again.words
    assert again.ts != first.ts  # the first one is over, so there is a new one
