"""Listen to ``/flows recap`` and *Post in the channel*, decided anew at the press.

What is posted is what was seen: the same hours, read again.
"""

from dataclasses import dataclass

from bot.activeflows.recap import Recapping
from bot.slack import ids
from bot.slack.blocks.recap import recap_files, recap_message, recap_posted, recap_preview
from bot.slack.grammar.requests import Recap
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.messaging.delivery_advice import not_shown
from bot.slack.messaging.files import Files
from bot.slack.messaging.messenger import Message, Posted


@dataclass(frozen=True)
class RecapListener:
    """The request, and its one button."""

    recapping: Recapping
    files: Files

    def register(self, listeners: Listeners) -> None:
        listeners.on_request(Recap, self._preview)
        listeners.on_action(ids.RECAP_POST, self._post, doing="posting the recap")

    async def _preview(self, context: InteractionContext, request: Recap) -> None:
        recap = await self.recapping.lately(await context.operator(), request.since)
        await context.reply(recap_preview(recap, in_thread=bool(context.interaction.thread_ts)))

    async def _post(self, context: InteractionContext, value: str) -> None:
        interaction = context.interaction
        recap = await self.recapping.between(await context.operator(), *ids.decode_period(value))
        posted = await context.post(recap_message(recap, by=interaction.user_id))
        if not isinstance(posted, Posted):
            await context.reply(Message(not_shown("The recap", posted.error, again="press again")))
            return
        refused = "not_in_channel"
        if posted.ts:
            thread = interaction.thread_ts or posted.ts
            refused = await self.files.share(posted.channel_id, thread, recap_files(recap))
        await context.reply(recap_posted(files=refused), replace=True)
