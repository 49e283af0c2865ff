"""``/flows watch``, ``/flows unwatch`` and the button *Unwatch*. Following the activeflow is done elsewhere.

Decision: a card is posted as the bot's own message or not at all. Where the bot is no member a response_url could post
one, but not change it a minute later, so there is no watch there.
"""

from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.watching.beginning import Over, There
from bot.activeflows.watching.watches import Full, Watch
from bot.slack import ids
from bot.slack.blocks import watch_answers
from bot.slack.blocks.watch_card import watch_card
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture, from_action
from bot.slack.grammar.requests import Unwatch
from bot.slack.grammar.requests import Watch as WatchRequest
from bot.slack.listeners.asking_others import link_to
from bot.slack.telling import Posted


def register(app: AsyncApp, desk: Desk) -> None:
    """The one button."""

    @app.action(ids.UNWATCH)
    async def unwatch(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        desk.jobs.start(
            gesture, lambda: _unwatch(desk.at(gesture), gesture, str(action.get("value", ""))), doing="unwatching"
        )


async def begin(desk: Desk, gesture: Gesture, request: WatchRequest) -> None:
    """``/flows watch``: post the card, public in this channel."""
    operator = await desk.people.operator(gesture)
    begun = await desk.watching.begin(operator, request.target)
    match begun:
        case Over():
            await desk.teller.privately(gesture, watch_answers.over(begun, desk.command))
        case Full():
            await desk.teller.privately(gesture, watch_answers.full(begun, desk.command))
        case There():
            link = await link_to(desk, begun.watch.channel, begun.watch.message_ts)
            await desk.teller.privately(gesture, watch_answers.already(begun, link))
        case telling:
            card = watch_card(telling, desk.now(), command=desk.command)
            posted = await desk.teller.publicly(replace(gesture, response_url=""), card)
            if not isinstance(posted, Posted):
                await desk.watching.not_posted(telling.watch)
                await desk.teller.privately(gesture, watch_answers.not_posted(posted.error))
            else:
                await _follow(desk, telling.watch, posted)


async def _follow(desk: Desk, watch: Watch, posted: Posted) -> None:
    try:
        await desk.watching.posted(watch, posted.ts)
    except LedgerUnavailable:
        await desk.teller.edit(posted, watch_answers.NOT_FOLLOWED)
        raise


async def end(desk: Desk, gesture: Gesture, request: Unwatch) -> None:
    """``/flows unwatch``."""
    operator = await desk.people.operator(gesture)
    done = await desk.watching.unwatch(operator, request.target)
    await desk.teller.privately(gesture, watch_answers.unwatched(done, desk.command))


async def _unwatch(desk: Desk, gesture: Gesture, watch_id: str) -> None:
    operator = await desk.people.operator(gesture)
    ended = await desk.watching.end(operator, watch_id)
    await desk.teller.privately(gesture, watch_answers.UNWATCHED if ended else watch_answers.FOLLOWS_NOTHING)
