"""Listen to the Home: opened, refreshed, and *Show* on it, which opens a modal.

Decision: *Show* there answers in a modal, before the presser's eyes; a direct message would wait in another tab. It is
opened empty at once, because a trigger lives for three seconds, and filled when the activeflow is read. If no modal can be
shown, the answer goes by direct message after all.
"""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import BotError
from bot.activeflows.queries.listing import SHARED_FOR
from bot.slack import ids
from bot.slack.blocks.activeflow_modal import READING, TITLE, activeflow_modal
from bot.slack.blocks.error_words import explained
from bot.slack.interaction import Interaction, from_action, from_home
from bot.slack.listeners.context import ListenerContext
from bot.slack.messaging.messenger import Message

OPENED = "app_home_opened"


def register(app: AsyncApp, context: ListenerContext) -> None:
    """Opening it, and its own button."""

    @app.event(OPENED)
    async def opened(event: dict[str, Any]) -> None:
        interaction = from_home(event)
        if event.get("tab") == "home" and interaction.user_id:
            context.jobs.start(interaction, partial(context.homes.show, interaction), doing="drawing your Home")

    @app.action(ids.HOME_REFRESH)
    async def refresh(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction = from_action(body)
        context.jobs.start(
            interaction, partial(context.homes.show, interaction, max_age=SHARED_FOR), doing="drawing your Home"
        )


async def show(context: ListenerContext, interaction: Interaction, value: str) -> None:
    """One activeflow, in a new modal or in the one where the button stands."""
    modal_id = interaction.modal_id or await context.views.open(interaction.trigger_id, TITLE, READING)
    message = await _details(context, interaction, value)
    if not await context.views.update(modal_id, TITLE, message):
        await context.teller.privately(interaction, message)


async def _details(context: ListenerContext, interaction: Interaction, value: str) -> Message:
    try:
        target = ids.decode_activeflow(value)
        operator = await context.people.operator(interaction)
        details = await context.reading.show(operator, target)
    except BotError as trouble:
        return explained(trouble)
    return activeflow_modal(details, operator, command=context.command)
