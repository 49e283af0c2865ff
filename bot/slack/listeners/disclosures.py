"""Listen to *Reveal*: decided anew at the press, recorded before it is shown, and shown to the presser alone.

Decision: only from a message that nobody but its reader sees, and only as a message that Slack does not keep: a direct
message, which private words fall back to elsewhere, would stay in the history.
"""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.operators import Permission
from bot.slack import ids
from bot.slack.blocks.disclosure import NOT_HERE, NOT_RECORDED, NOT_SHOWN, revealed
from bot.slack.interaction import Interaction, from_action
from bot.slack.listeners.context import ListenerContext


def register(app: AsyncApp, context: ListenerContext) -> None:
    """The one button."""

    @app.action(ids.REVEAL)
    async def reveal(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        interaction = from_action(body)
        context.jobs.start(
            interaction,
            lambda: _reveal(context.at(interaction), interaction, str(action.get("value", ""))),
            doing="looking it up",
        )


async def _reveal(context: ListenerContext, interaction: Interaction, value: str) -> None:
    if not interaction.ephemeral:
        await context.teller.privately(interaction, NOT_HERE)
        return
    target = ids.decode_activeflow(value)
    operator = await context.people.actor(interaction, Permission.REVEAL, Permission.VIEW)
    try:
        shown = await context.revealing.reveal(operator, target, press=f"{interaction.user_id}/{interaction.action_ts}")
    except LedgerUnavailable:
        await context.teller.privately(interaction, NOT_RECORDED)
        return
    if not await context.teller.privately(interaction, revealed(shown), fleeting=True):
        await context.teller.privately(interaction, NOT_SHOWN)
