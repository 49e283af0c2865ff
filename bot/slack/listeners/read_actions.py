"""Listen to the buttons that only read: turning pages, showing one activeflow, sharing a list.

Decision: a list that only its reader sees changes in place. A shared list is everybody's: *Refresh* reads it again for
all, with the presser's permission and name; *Previous* and *Next* answer the presser alone, so that nobody's paging moves
a list under somebody else's eyes.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.activeflows.operators import Operator
from bot.activeflows.queries.listing import SHARED_FOR, Listing, Reading
from bot.slack import ids
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.blocks.activeflow_list import activeflow_list, shared_list
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.listeners.homes import HomeListener
from bot.slack.messaging.delivery_advice import not_shown
from bot.slack.messaging.messenger import Message, Posted
from bot.slack.transport.jobs import Lane

_LISTING: Final = "reading the activeflows"


@dataclass(frozen=True)
class ReadListener:
    """Every reading button. ``home``: shows one activeflow where the button stands on the Home or in a modal."""

    reading: Reading
    home: HomeListener
    now: Callable[[], datetime]

    def register(self, listeners: Listeners) -> None:
        listeners.on_action(ids.SHOW, self._show, doing="reading the activeflow")
        listeners.on_action(ids.SHOW_AGAIN, self._show_again, doing="reading the activeflow")
        listeners.on_action(ids.LIST_REFRESH, self._refresh, doing=_LISTING)
        listeners.on_action(ids.LIST_PREVIOUS, self._turn, doing=_LISTING, lane=Lane.LIGHT)
        listeners.on_action(ids.LIST_NEXT, self._turn, doing=_LISTING, lane=Lane.LIGHT)
        listeners.on_action(ids.LIST_OPEN, self._open, doing=_LISTING)
        listeners.on_action(ids.LIST_SHARE, self._share, doing=_LISTING)

    async def _show(self, context: InteractionContext, value: str) -> None:
        if context.interaction.at_home or context.interaction.modal_id:
            await self.home.show(context, value)
            return
        await context.reply(await self._details(context, value))

    async def _show_again(self, context: InteractionContext, value: str) -> None:
        if context.interaction.modal_id:
            await self.home.show(context, value)
            return
        await context.reply(await self._details(context, value), replace=True)

    async def _details(self, context: InteractionContext, value: str) -> Message:
        target = ids.decode_activeflow(value)
        operator = await context.operator()
        details = await self.reading.show(operator, target)
        return activeflow_details(details, operator, command=context.command)

    async def _open(self, context: InteractionContext, value: str) -> None:
        """A new answer: the counts stay where they are."""
        if context.interaction.at_home or context.interaction.modal_id:
            await self.home.list(context, value)
            return
        listing, operator = await self._listing(context, value, SHARED_FOR)
        await context.reply(activeflow_list(listing, operator, self.now(), command=context.command))

    async def _turn(self, context: InteractionContext, value: str, *, max_age: float = SHARED_FOR) -> None:
        if context.interaction.modal_id:
            await self.home.list(context, value)
            return
        listing, operator = await self._listing(context, value, max_age)
        message = activeflow_list(listing, operator, self.now(), command=context.command)
        await context.reply(message, replace=True)

    async def _refresh(self, context: InteractionContext, value: str) -> None:
        interaction = context.interaction
        if interaction.ephemeral or interaction.modal_id:
            await self._turn(context, value, max_age=0.0)
            return
        message = await self._for_all(context, value)
        where = Posted(interaction.channel_id, interaction.message_ts)
        if not await context.messenger.edit(where, message, interaction=interaction):
            await self._turn(context, value)

    async def _share(self, context: InteractionContext, value: str) -> None:
        shared = await context.post(await self._for_all(context, value))
        if not isinstance(shared, Posted):
            await context.reply(Message(not_shown("The list", shared.error, again="press Share to channel again")))

    async def _for_all(self, context: InteractionContext, value: str) -> Message:
        listing, operator = await self._listing(context, value, 0.0)
        return shared_list(listing, self.now(), command=context.command, by=operator.person.id)

    async def _listing(self, context: InteractionContext, value: str, max_age: float) -> tuple[Listing, Operator]:
        asked = ids.decode_listing(value)
        operator = await context.operator()
        listing = await self.reading.running(
            operator, asked.filters, asked.page, by=asked.by, sort=asked.sort, place=asked.place, max_age=max_age
        )
        return listing, operator
