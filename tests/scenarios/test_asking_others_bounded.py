"""*Ask someone who can* mentions people in public: so often by one person and in one channel, then it points at the
card.
"""

import asyncio
from functools import partial

from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack.people.outsiders import EACH, IN_CHANNEL
from tests.scenarios.conftest import BOB, INCIDENTS, Stage


def offers(slack: Workspace, user: str) -> list[Message]:
    return [m for m in slack.sees(user, INCIDENTS) if any(b.action_id == "stop.ask_others" for b in m.buttons)]


def mentions(slack: Workspace) -> list[Message]:
    """What everybody sees that asks somebody."""
    return [m for m in slack.sees(BOB, INCIDENTS) if m.ephemeral_to is None and " asks " in m.words]


async def refused(bot: Stage, slack: Workspace, activeflow: Activeflow, user: str = BOB) -> Message:
    """The refusal of somebody who may not stop it, with its button."""
    last = max((m.ts for m in slack.sees(user, INCIDENTS)), default="")
    await slack.types(user, INCIDENTS, f"/flows stop {activeflow.id}")
    return (await slack.until(lambda: [m for m in offers(slack, user) if m.ts > last]))[0]


async def test_many_presses_about_one_activeflow_give_one_public_message_and_then_its_link(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play")
    asked = [await refused(bot, slack, activeflow) for _ in range(5)]
    await slack.clicks(BOB, asked[0], "stop.ask_others")
    await bot.reads("Asked in", user=BOB)
    await asyncio.gather(*(slack.clicks(BOB, one, "stop.ask_others") for one in asked[1:]))
    await slack.until(lambda: _pointed(slack) == 3)
    assert [m.thread_ts is None for m in mentions(slack)] == [True, False], "the card, and one word below it"
    told = await bot.reads("I don’t ask again so soon", user=BOB)
    assert told.ephemeral_to == BOB
    assert "the card" in told.words


async def test_many_activeflows_are_asked_about_within_a_bound_for_one_person_and_for_the_channel(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    for user in ("U0EVE", "U0DAN", "U0FAY"):
        slack.add_user(user, user.lower())
        slack.channels[INCIDENTS].members.append(user)
    for user in (BOB, "U0EVE", "U0DAN", "U0FAY"):
        for _ in range(EACH + 1):
            offer = await refused(bot, slack, voipbin.rings(at="play"), user)
            before = _answered(slack)
            await slack.clicks(user, offer, "stop.ask_others")
            await slack.until(partial(lambda so_far: _answered(slack) > so_far, before))
        assert len(mentions(slack)) <= IN_CHANNEL
    assert len(mentions(slack)) == IN_CHANNEL


def _answered(slack: Workspace) -> int:
    return len(mentions(slack)) + _pointed(slack)


def _pointed(slack: Workspace) -> int:
    users = (BOB, "U0EVE", "U0DAN", "U0FAY")
    seen = [slack.sees(user, INCIDENTS) for user in users if user in slack.channels[INCIDENTS].members]
    return sum("I don’t ask again" in m.words or "I don’t ask them" in m.words for messages in seen for m in messages)
