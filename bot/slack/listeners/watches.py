"""Listen to ``/flows watch``, ``/flows unwatch`` and *Unwatch*.

Decision: a card is posted as the bot's own message or not at all. Where the bot is no member a response_url could post
one, but not change it a minute later, so there is no watch there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.activeflows.errors import BotError, LedgerUnavailable
from bot.activeflows.operators import Permission
from bot.activeflows.watching.request import AlreadyEnded, AlreadyWatched, WatchRequests
from bot.activeflows.watching.watch import Watch, WatchLimit
from bot.slack import ids
from bot.slack.cards.watch_card import (
    FOLLOWS_NOTHING,
    NOT_FOLLOWED,
    UNWATCHED,
    already,
    full,
    not_posted,
    over,
    unwatched,
    watch_card,
)
from bot.slack.grammar.requests import Unwatch
from bot.slack.grammar.requests import Watch as WatchRequest
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.messaging.messenger import SentMessage


@dataclass(frozen=True)
class WatchListener:
    """Both requests, and the one button."""

    watching: WatchRequests
    now: Callable[[], datetime]

    def register(self, listeners: Listeners) -> None:
        listeners.on_request(WatchRequest, self._begin)
        listeners.on_request(Unwatch, self._end)
        listeners.on_action(ids.UNWATCH, self._unwatch, doing="unwatching")

    async def _begin(self, context: InteractionContext, request: WatchRequest) -> None:
        """Post the card, public in this channel."""
        operator = await context.operator()
        begun = await self.watching.begin(operator, request.target)
        match begun:
            case AlreadyEnded():
                await context.reply(over(begun, context.command))
            case WatchLimit():
                await context.reply(full(begun, context.command))
            case AlreadyWatched():
                link = await context.messenger.permalink(begun.watch.channel, begun.watch.message_ts)
                await context.reply(already(begun, link))
            case telling:
                await self._still_permitted(context, telling.watch)
                card = watch_card(telling, self.now(), command=context.command)
                by_the_bot = replace(context.interaction, response_url="")
                posted = await context.messenger.publicly(by_the_bot, card)
                if not isinstance(posted, SentMessage):
                    await self.watching.not_posted(telling.watch)
                    await context.reply(not_posted(posted.error))
                else:
                    await self._follow(context, telling.watch, posted)

    async def _still_permitted(self, context: InteractionContext, watch: Watch) -> None:
        """Post nothing for somebody who lost the permission while it was read and written down."""
        try:
            (await context.operator()).require(Permission.VIEW, watch.flow_id)
        except BotError:
            await self.watching.not_posted(watch)
            raise

    async def _follow(self, context: InteractionContext, watch: Watch, posted: SentMessage) -> None:
        try:
            await self.watching.posted(watch, posted.ts)
        except LedgerUnavailable:
            await context.messenger.edit(posted, NOT_FOLLOWED)
            raise

    async def _end(self, context: InteractionContext, request: Unwatch) -> None:
        operator = await context.operator()
        done = await self.watching.unwatch(operator, request.target)
        await context.reply(unwatched(done, context.command))

    async def _unwatch(self, context: InteractionContext, watch_id: str) -> None:
        operator = await context.operator()
        ended = await self.watching.end(operator, watch_id)
        await context.reply(UNWATCHED if ended else FOLLOWS_NOTHING)
