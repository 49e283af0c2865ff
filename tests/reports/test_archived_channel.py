"""A card in a channel that was archived: nothing can be said there any more, so whoever pressed reads it in a direct
message.

https://docs.slack.dev/reference/methods/chat.update#errors,
https://docs.slack.dev/reference/methods/chat.postEphemeral#errors
"""

from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from tests.scenarios.bulk_stage import APPROVER, BulkStage, bulk
from tests.scenarios.conftest import ALICE, CAROL, INCIDENTS, Stage

__all__ = ["bulk"]


async def told(stage: Stage, user: str, words: str) -> Message:
    """What this person reads in their direct messages with the bot."""
    return await stage.reads(words, user=user, channel=stage.slack.direct_channel(user).id)


async def test_the_outcome_of_a_lone_stop(bot: Stage, slack: Workspace, voipbin: World) -> None:
    card = await bot.asks_to_stop(voipbin.rings(at="play"))
    slack.channels[INCIDENTS].is_archived = True
    await slack.clicks(ALICE, card, "stop.flow")
    assert "the channel is archived" in (await told(bot, ALICE, "Stopped by @Alice")).words


async def test_the_outcome_of_a_hang_up(bot: Stage, slack: Workspace, voipbin: World) -> None:
    voipbin.telephony.loses_hangups = True
    card = await bot.asks_to_stop(voipbin.rings(at="play"))
    await slack.clicks(ALICE, card, "stop.flow")
    up = await bot.reads("Call: still up")
    slack.channels[INCIDENTS].is_archived = True
    await slack.clicks(CAROL, up, "call.hang_up")
    assert "the channel is archived" in (await told(bot, CAROL, "Call: hung up")).words


async def test_the_outcome_of_a_bulk_stop(stage: Stage, bulk: BulkStage, slack: Workspace, voipbin: World) -> None:
    bulk.rules()
    rows = bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call they loop")
        slack.channels[INCIDENTS].is_archived = True
        await bulk.presses(card, user=APPROVER)
        assert "the channel is archived" in (await told(stage, APPROVER, "All 2 have ended")).words
    assert {voipbin.activeflow(row.id).status for row in rows} == {"ended"}


async def test_a_press_that_may_not_be_made(bot: Stage, slack: Workspace, voipbin: World) -> None:
    card = await bot.asks_to_stop(voipbin.rings(at="play"))
    slack.channels[INCIDENTS].is_archived = True
    await slack.clicks("U0BOB", card, "stop.flow")
    await told(bot, "U0BOB", "You can't stop this")
