"""Listen to ``/flows audit`` and the turning of its pages, decided anew at each press."""

from dataclasses import dataclass
from typing import Final

from bot.activeflows.queries.audit_review import AuditReview
from bot.slack import ids
from bot.slack.blocks.audit_list import audit_list
from bot.slack.grammar.requests import ME, Audit
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.messaging.messenger import Message

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
        operator = await context.operator()
        asked = page.asked
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
