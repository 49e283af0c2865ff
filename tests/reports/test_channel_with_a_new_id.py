"""A press is its card, whatever the channel's id is by now.

https://github.com/Netflix/dispatch/pull/560 (a private channel's ``G…`` became a ``C…``; its messages kept their
``ts``)
"""

import pytest

from bot.demo.slack.faults import error
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, CAROL, Stage

OLD, NEW = "G0OLD", "C0NEW"
ANYWHERE = f"""
[[grant]]
to = ["{ALICE}", "{CAROL}"]
may = ["view", "stop", "bulk"]
"""


def renamed(slack: Workspace, card: Message) -> Message:
    """The same card in the same channel, whose id Slack has changed meanwhile."""
    slack.change_channel_id(OLD, NEW)
    return slack.message(NEW, card.ts)


@pytest.fixture
def running(stage: Stage, slack: Workspace, voipbin: World) -> Activeflow:
    stage.policy.write_text(ANYWHERE, encoding="utf-8")
    slack.add_channel(OLD, "war-room", members=[ALICE, BOB, CAROL], is_private=True)
    return voipbin.rings(voipbin.add_flow("Support line"), at="play")


@pytest.mark.parametrize("closed", [False, True])
async def test_the_card_becomes_the_result_where_it_was_pressed(
    stage: Stage, slack: Workspace, running: Activeflow, closed: bool
) -> None:
    """``closed``: the bot may not edit there either, so only the press's own response_url is left."""
    async with stage.start():
        card = renamed(slack, await stage.asks_to_stop(running, channel=OLD))
        if closed:
            slack.faults.on("chat.update", error("cant_update_message"), times=None)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        told = await stage.reads("Stopped by @Alice", channel=NEW, user=BOB)
        assert told.ts == card.ts
        assert ids.STOP_FLOW not in [button.action_id for button in slack.message(NEW, card.ts).buttons]
    assert stage.posts(running) == 1


async def test_a_bulk_card_and_a_cancelled_one_too(stage: Stage, slack: Workspace, running: Activeflow) -> None:
    async with stage.start():
        await slack.types(ALICE, OLD, "/flows stop all type:call")
        bulk = await stage.reads("Asked by", channel=OLD)
        bulk = renamed(slack, bulk)
        await slack.clicks(CAROL, bulk, ids.BULK_STOP)
        done = await stage.reads("1 of 1", channel=NEW, user=BOB)
        assert done.ts == bulk.ts


async def test_a_card_that_was_put_away_says_so(stage: Stage, slack: Workspace, running: Activeflow) -> None:
    async with stage.start():
        card = renamed(slack, await stage.asks_to_stop(running, channel=OLD))
        await slack.clicks(ALICE, card, ids.CANCEL_STOP)
        assert (await stage.reads("cancelled this card", channel=NEW, user=BOB)).ts == card.ts
    assert stage.posts(running) == 0
