"""Listen to *Reveal*: decided anew at the press, recorded before it is shown, and shown to the presser alone.

Decision: only from a message that nobody but its reader sees, and only as a message that Slack does not keep: a direct
message, which private words fall back to elsewhere, would stay in the history.
"""

from dataclasses import dataclass

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.operators import Permission
from bot.activeflows.queries.disclosure import Disclosure
from bot.slack import ids
from bot.slack.blocks.disclosure import NOT_HERE, NOT_RECORDED, NOT_SHOWN, revealed
from bot.slack.listeners.context import InteractionContext, Listeners


@dataclass(frozen=True)
class DisclosureListener:
    """The one button."""

    disclosure: Disclosure

    def register(self, listeners: Listeners) -> None:
        listeners.on_action(ids.REVEAL, self._reveal, doing="looking it up")

    async def _reveal(self, context: InteractionContext, value: str) -> None:
        interaction = context.interaction
        if not interaction.ephemeral:
            await context.reply(NOT_HERE)
            return
        target = ids.decode_activeflow(value)
        operator = await context.actor(Permission.REVEAL, Permission.VIEW)
        try:
            shown = await self.disclosure.reveal(
                operator, target, press=f"{interaction.user_id}/{interaction.action_ts}"
            )
        except LedgerUnavailable:
            await context.reply(NOT_RECORDED)
            return
        if not await context.reply(revealed(shown), fleeting=True):
            await context.reply(NOT_SHOWN)
