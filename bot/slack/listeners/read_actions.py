"""Listen to the buttons that only read: turning pages, showing one activeflow, sharing a list.

Decision: a list that only its reader sees changes in place. A shared list is everybody's: *Refresh* reads it again for
all, with the presser's permission and name; *Previous* and *Next* answer the presser alone, so that nobody's paging moves
a list under somebody else's eyes.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.queries.listing import SHARED_FOR
from bot.slack import ids
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.blocks.activeflow_list import activeflow_list, shared_list
from bot.slack.interaction import Interaction, from_action
from bot.slack.listeners import homes
from bot.slack.listeners.context import ListenerContext
from bot.slack.messaging.delivery_advice import not_shown
from bot.slack.messaging.messenger import Message, Posted

Reaction: TypeAlias = Callable[[ListenerContext, Interaction, str], Awaitable[None]]
"""What a button does, given its value."""


def register(app: AsyncApp, context: ListenerContext) -> None:
    """Every reading button."""
    _hear(app, context, ids.SHOW, _show, doing="reading the activeflow")
    _hear(app, context, ids.SHOW_AGAIN, _show_again, doing="reading the activeflow")
    _hear(app, context, ids.LIST_REFRESH, _refresh, doing="reading the activeflows")
    _hear(app, context, ids.LIST_PREVIOUS, _turn, doing="reading the activeflows")
    _hear(app, context, ids.LIST_NEXT, _turn, doing="reading the activeflows")
    _hear(app, context, ids.LIST_SHARE, _share, doing="reading the activeflows")


def _hear(app: AsyncApp, context: ListenerContext, action_id: str, reaction: Reaction, *, doing: str) -> None:
    @app.action(action_id)
    async def pressed(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        interaction = from_action(body)
        value = str(action.get("value", ""))
        context.jobs.start(interaction, lambda: reaction(context.at(interaction), interaction, value), doing=doing)


async def _show(context: ListenerContext, interaction: Interaction, value: str) -> None:
    if interaction.at_home or interaction.modal_id:
        await homes.show(context, interaction, value)
        return
    await context.teller.privately(interaction, await _details(context, interaction, value))


async def _show_again(context: ListenerContext, interaction: Interaction, value: str) -> None:
    if interaction.modal_id:
        await homes.show(context, interaction, value)
        return
    await context.teller.privately(interaction, await _details(context, interaction, value), replace=True)


async def _details(context: ListenerContext, interaction: Interaction, value: str) -> Message:
    target = ids.decode_activeflow(value)
    operator = await context.people.operator(interaction)
    details = await context.reading.show(operator, target)
    return activeflow_details(details, operator, command=context.command)


async def _turn(context: ListenerContext, interaction: Interaction, value: str, *, max_age: float = SHARED_FOR) -> None:
    asked = ids.decode_listing(value)
    operator = await context.people.operator(interaction)
    listing = await context.reading.running(
        operator, asked.filters, asked.page, by=asked.by, place=asked.place, max_age=max_age
    )
    message = activeflow_list(listing, operator, context.now(), command=context.command)
    await context.teller.privately(interaction, message, replace=True)


async def _refresh(context: ListenerContext, interaction: Interaction, value: str) -> None:
    if interaction.ephemeral:
        await _turn(context, interaction, value, max_age=0.0)
        return
    message = await _for_all(context, interaction, value)
    if not await context.teller.edit(
        Posted(interaction.channel_id, interaction.message_ts), message, interaction=interaction
    ):
        await _turn(context, interaction, value)


async def _share(context: ListenerContext, interaction: Interaction, value: str) -> None:
    message = await _for_all(context, interaction, value)
    shared = await context.teller.publicly(interaction, message)
    if not isinstance(shared, Posted):
        told = not_shown("The list", shared.error, again="press Share to channel again")
        await context.teller.privately(interaction, Message(told))


async def _for_all(context: ListenerContext, interaction: Interaction, value: str) -> Message:
    asked = ids.decode_listing(value)
    operator = await context.people.operator(interaction)
    listing = await context.reading.running(
        operator, asked.filters, asked.page, by=asked.by, place=asked.place, max_age=0.0
    )
    return shared_list(listing, context.now(), command=context.command, by=operator.person.id)
