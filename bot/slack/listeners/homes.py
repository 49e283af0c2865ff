"""Listen to the Home: opened, refreshed, and *Show* and *List* on it, which open a modal.

Decision: they answer there in a modal, before the presser's eyes; a direct message would wait in another tab. It is
opened empty at once, because a trigger lives for three seconds, and filled when the activeflow is read. If no modal can
be shown, the answer goes by direct message after all.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.activeflows.errors import BotError
from bot.activeflows.operators import Operator
from bot.activeflows.queries.home import MentionChoice
from bot.activeflows.queries.listing import SHARED_FOR, ActiveflowQueries
from bot.slack import ids
from bot.slack.blocks.activeflow_details import LIST_TITLE, READING, READING_LIST, TITLE, activeflow_modal, list_modal
from bot.slack.blocks.error_words import explained
from bot.slack.cards.home_view import Homes
from bot.slack.interaction import from_home
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.messaging.messenger import Message
from bot.slack.messaging.views import Views
from bot.slack.messaging.web_client import Access

OPENED: Final = "app_home_opened"
_DOING: Final = "drawing your Home"


@dataclass(frozen=True)
class HomeListener:
    """Opening it, and its own buttons."""

    homes: Homes
    mention: MentionChoice
    queries: ActiveflowQueries
    views: Views
    now: Callable[[], datetime]

    def register(self, listeners: Listeners) -> None:
        listeners.events[OPENED] = self._opened

        @listeners.app.event(OPENED)
        async def opened(event: dict[str, Any]) -> None:
            interaction = from_home(event)
            if event.get("tab") == "home" and interaction.user_id:
                found = listeners.at_home(OPENED, interaction)
                found[0].start(lambda: found[1](found[0], event), doing=_DOING)

        listeners.on_action(ids.HOME_REFRESH, self._refresh, doing=_DOING)
        listeners.on_action(ids.HOME_MENTION, self._choose, doing=_DOING)

    async def show(self, context: InteractionContext, value: str) -> None:
        """Show one activeflow, in a new modal or in the one where the button stands."""
        await self._in_modal(context, TITLE, READING, self._details(context, value))

    async def list(self, context: InteractionContext, value: str) -> None:
        """Show a list, in the same way."""
        await self._in_modal(context, LIST_TITLE, READING_LIST, self._listed(context, value))

    async def _in_modal(
        self, context: InteractionContext, title: str, meanwhile: Message, drawing: Awaitable[Message]
    ) -> None:
        interaction = context.interaction
        modal_id = interaction.modal_id or await self.views.open(interaction.trigger_id, title, meanwhile)
        message = await drawing
        if not await self.views.update(modal_id, title, message):
            await context.reply(message)

    async def _opened(self, context: InteractionContext, _: dict[str, Any]) -> None:
        await self.homes.show(context.interaction)

    async def _refresh(self, context: InteractionContext, _: str) -> None:
        await self.homes.show(context.interaction, max_age=SHARED_FOR)

    async def _choose(self, context: InteractionContext, value: str) -> None:
        await self.mention.choose(await context.operator(), mentioned=value != "off")
        await self.homes.show(context.interaction)

    async def _listed(self, context: InteractionContext, value: str) -> Message:
        try:
            asked = ids.decode_listing(value)

            async def listed(operator: Operator) -> Message:
                listing = await self.queries.running(
                    operator, asked.filters, asked.page, by=asked.by, sort=asked.sort, place=asked.place
                )
                return list_modal(listing, operator, self.now(), command=context.command)

            return await context.read(listed)
        except BotError as trouble:
            return explained(trouble)

    async def _details(self, context: InteractionContext, value: str) -> Message:
        try:
            target = ids.decode_activeflow(value)

            async def shown(operator: Operator) -> Message:
                details = await self.queries.show(operator, target)
                return activeflow_modal(details, operator, command=context.command)

            return await context.read(shown)
        except BotError as trouble:
            return explained(trouble)


# ---------------------------------------------------------------- events
# Listen to what Slack tells by itself: people and user groups that changed, tokens that are good no more.
#
# https://docs.slack.dev/reference/events

HEARD: Final = ("user_change", "subteam_members_changed", "subteam_updated")
FOR_GOOD: Final = ("tokens_revoked", "app_uninstalled")


@dataclass(frozen=True)
class EventListener:
    """The events the manifest subscribes to."""

    access: Access

    def register(self, listeners: Listeners) -> None:
        for name in HEARD:

            @listeners.app.event(name)
            async def changed(event: dict[str, Any]) -> None:
                listeners.people.heard(event)

        for name in FOR_GOOD:

            @listeners.app.event(name)
            async def refused(event: dict[str, Any]) -> None:
                self.access.heard(event)
