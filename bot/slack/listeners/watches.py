"""Listen to ``/flows watch``, ``/flows unwatch`` and *Unwatch*.

Decision: a card is posted as the bot's own message or not at all. Where the bot is no member a response_url could post
one, but not change it a minute later, so there is no watch there.
"""

from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.watching.request import Over, There
from bot.activeflows.watching.watch import Full, Watch
from bot.slack import ids
from bot.slack.blocks import watch_answers
from bot.slack.blocks.watch_card import watch_card
from bot.slack.grammar.requests import Unwatch
from bot.slack.grammar.requests import Watch as WatchRequest
from bot.slack.interaction import Interaction, from_action
from bot.slack.listeners.approval_requests import link_to
from bot.slack.listeners.context import ListenerContext
from bot.slack.messaging.messenger import Posted


def register(app: AsyncApp, context: ListenerContext) -> None:
    """The one button."""

    @app.action(ids.UNWATCH)
    async def unwatch(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        interaction = from_action(body)
        context.jobs.start(
            interaction,
            lambda: _unwatch(context.at(interaction), interaction, str(action.get("value", ""))),
            doing="unwatching",
        )


async def begin(context: ListenerContext, interaction: Interaction, request: WatchRequest) -> None:
    """``/flows watch``: post the card, public in this channel."""
    operator = await context.people.operator(interaction)
    begun = await context.watching.begin(operator, request.target)
    match begun:
        case Over():
            await context.teller.privately(interaction, watch_answers.over(begun, context.command))
        case Full():
            await context.teller.privately(interaction, watch_answers.full(begun, context.command))
        case There():
            link = await link_to(context, begun.watch.channel, begun.watch.message_ts)
            await context.teller.privately(interaction, watch_answers.already(begun, link))
        case telling:
            card = watch_card(telling, context.now(), command=context.command)
            posted = await context.teller.publicly(replace(interaction, response_url=""), card)
            if not isinstance(posted, Posted):
                await context.watching.not_posted(telling.watch)
                await context.teller.privately(interaction, watch_answers.not_posted(posted.error))
            else:
                await _follow(context, telling.watch, posted)


async def _follow(context: ListenerContext, watch: Watch, posted: Posted) -> None:
    try:
        await context.watching.posted(watch, posted.ts)
    except LedgerUnavailable:
        await context.teller.edit(posted, watch_answers.NOT_FOLLOWED)
        raise


async def end(context: ListenerContext, interaction: Interaction, request: Unwatch) -> None:
    """``/flows unwatch``."""
    operator = await context.people.operator(interaction)
    done = await context.watching.unwatch(operator, request.target)
    await context.teller.privately(interaction, watch_answers.unwatched(done, context.command))


async def _unwatch(context: ListenerContext, interaction: Interaction, watch_id: str) -> None:
    operator = await context.people.operator(interaction)
    ended = await context.watching.end(operator, watch_id)
    await context.teller.privately(interaction, watch_answers.UNWATCHED if ended else watch_answers.FOLLOWS_NOTHING)
