"""Listen to ``/flows audit`` and the turning of its pages, decided anew at each press."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from bot.activeflows.operators import Operator
from bot.activeflows.queries.audit_review import AuditReview
from bot.activeflows.recap import RecapQuery
from bot.slack import ids
from bot.slack.blocks.audit_list import audit_list
from bot.slack.blocks.recap import recap_files, recap_message, recap_posted, recap_preview
from bot.slack.grammar.requests import ME, Audit, Recap
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.messaging.files import Files
from bot.slack.messaging.messenger import Message, SentMessage, not_shown

_DOING: Final = "reading the audit"


@dataclass(frozen=True)
class AuditListener:
    """The request, and the buttons below the records."""

    review: AuditReview

    def register(self, listeners: Listeners) -> None:
        listeners.on_request(Audit, self._newest)
        listeners.on_action(ids.AUDIT_OLDER, self._turn, doing=_DOING)
        listeners.on_action(ids.AUDIT_NEWER, self._turn, doing=_DOING)
        listeners.on_action(ids.AUDIT_OTHERWISE, self._turn, doing=_DOING)

    async def _newest(self, context: InteractionContext, request: Audit) -> None:
        await context.reply(await self._page(context, ids.AuditPage(request)))

    async def _turn(self, context: InteractionContext, value: str) -> None:
        await context.reply(await self._page(context, ids.decode_audit(value)), replace=True)

    async def _page(self, context: InteractionContext, page: ids.AuditPage) -> Message:
        asked = page.asked

        async def reviewed(operator: Operator) -> Message:
            review = await self.review.records(
                operator,
                target=asked.target,
                user=operator.person.id if asked.user == ME else asked.user,
                since=asked.since,
                every=asked.every,
                before_seq=page.before,
                after_seq=page.after,
            )
            return audit_list(review, asked, command=context.command)

        return await context.read(reviewed)


# ---------------------------------------------------------------- recaps
# Listen to ``/flows recap`` and *Post in the channel*, decided anew at the press.
#
# What is posted is what was seen: the same hours, read again.


@dataclass(frozen=True)
class RecapListener:
    """The request, and its one button."""

    recapping: RecapQuery
    files: Files

    def register(self, listeners: Listeners) -> None:
        listeners.on_request(Recap, self._preview)
        listeners.on_action(ids.RECAP_POST, self._post, doing="posting the recap")

    async def _preview(self, context: InteractionContext, request: Recap) -> None:
        recap = await context.read(partial(self.recapping.lately, since=request.since))
        await context.reply(recap_preview(recap, in_thread=bool(context.interaction.thread_ts)))

    async def _post(self, context: InteractionContext, value: str) -> None:
        interaction = context.interaction
        since, until = ids.decode_period(value)
        recap = await context.read(partial(self.recapping.between, since=since, until=until))
        posted = await context.post(recap_message(recap, by=interaction.user_id))
        if not isinstance(posted, SentMessage):
            await context.reply(Message(not_shown("The recap", posted.error, again="press again")))
            return
        refused = "not_in_channel"
        if posted.ts:
            thread = interaction.thread_ts or posted.ts
            refused = await self.files.share(posted.channel_id, thread, recap_files(recap))
        await context.reply(recap_posted(files=refused), replace=True)
