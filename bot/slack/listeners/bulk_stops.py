"""Listen to what concerns bulk stops: ask, press *Stop all*, abort, ask again for the rest, cancel.

The press is acked once it is recorded as a durable workflow, as for a lone stop. *Abort* is recorded at once and
answered to whoever pressed; the card, which everybody sees, follows within two seconds.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from bot.activeflows.bulk.bulk_stop import Bulk, BulkCriteria, BulkState, Origin, Run
from bot.activeflows.bulk.ports import BulkLedger
from bot.activeflows.bulk.request import BulkRequests, CardRefusal, OriginLookup
from bot.activeflows.errors import BotError, LedgerUnavailable, NotPermitted
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.stopping.request import ApprovalRequest
from bot.activeflows.stopping.stop import PressKind
from bot.slack import ids
from bot.slack.blocks.declined import ask_others
from bot.slack.cards.bulk_card import BulkCards, bulk_card, bulk_unasked, bulk_without_bot
from bot.slack.grammar.requests import StopAll
from bot.slack.interaction import press_of
from bot.slack.kit import mention
from bot.slack.listeners.approval_requests import (
    NOTHING_TO_PRESS,
    TOO_LATE_TO_CANCEL,
    ApprovableCard,
    ApprovalRequests,
    offer,
)
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.listeners.stops import PressQueue
from bot.slack.messaging.messenger import Message, SentMessage, heard
from bot.slack.messaging.views import Views
from bot.slack.transport.jobs import Lane

log = structlog.get_logger(__name__)

_ABORTING: Final = Message(
    "Aborting. Stops already sent are finished, the rest are left alone. The card says what became of each."
)
_NOTHING_TO_ABORT: Final = Message("Nothing to abort: it is not running. The card says how it is.")
_NO_CARD: Final = Message("I don't know this card any more. Nothing was stopped.")


@dataclass(frozen=True)
class BulkStopListener:
    """The request, and the buttons in the life of a bulk stop. ``refused``: writes it down, and says whether others are
    offered.
    """

    requests: BulkRequests
    refused: Callable[[Operator, str], Awaitable[bool]]
    ledger: BulkLedger
    cards: BulkCards
    queue: PressQueue
    approvals: ApprovalRequests
    origins: OriginLookup
    views: Views
    now: Callable[[], datetime]

    def register(self, listeners: Listeners) -> None:
        listeners.on_request(StopAll, self._begin, lane=Lane.STOP)
        listeners.on_press(ids.BULK_STOP, self._stop_all)
        listeners.on_action(ids.BULK_CANCEL, self._put_away, lane=Lane.STOP)
        listeners.on_action(ids.BULK_ABORT, self._abort, lane=Lane.STOP)
        listeners.on_action(ids.BULK_REMAINDER, self._again, lane=Lane.STOP)
        listeners.on_action(ids.BULK_WITHOUT_BOT, self._without_bot)
        listeners.on_action(ids.LIST_STOP_ALL, self._all_listed, lane=Lane.STOP)
        listeners.on_action(ids.BULK_OLDEST, self._oldest, lane=Lane.STOP)
        listeners.on_action(ids.BULK_ASK_OTHERS, self._ask_others, lane=Lane.STOP)

    # ------------------------------------------------------------ asked for

    async def _begin(self, context: InteractionContext, request: StopAll) -> None:
        """Post the card with the frozen list, public in this channel."""
        await self._ask(context, BulkCriteria(request.filters, request.reason))

    async def _all_listed(self, context: InteractionContext, value: str) -> None:
        await self._ask(context, BulkCriteria(ids.decode_stop_all(value).filters))

    async def _oldest(self, context: InteractionContext, value: str) -> None:
        await self._ask(context, BulkCriteria(ids.decode_stop_all(value).filters, oldest=True))

    async def _again(self, context: InteractionContext, bulk_id: str) -> None:
        wanted = await self.requests.rest(bulk_id)
        if wanted is None:
            await context.reply(_NO_CARD)
        else:
            await self._ask(context, wanted)

    async def _ask(self, context: InteractionContext, wanted: BulkCriteria) -> None:
        operator = await context.asker(Permission.BULK)
        try:
            asked = await self.requests.ask(operator, wanted)
        except NotPermitted as refused:
            if not await self.refused(operator, refused.decision.because):
                raise
            await self._offer_to_ask(context, operator, wanted, refused)
            return
        if isinstance(asked, CardRefusal):
            await context.reply(bulk_unasked(asked, command=context.command))
        elif asked is None:
            log.info("asked_before")
        else:
            await self._post(context, operator, asked)

    async def _post(
        self, context: InteractionContext, operator: Operator, bulk: Bulk, who_may: tuple[str, ...] = ()
    ) -> SentMessage | None:
        posted = await context.post_card(
            bulk_card(bulk, Run(), context.command, who_may=who_may),
            put_away=lambda: self.requests.put_away(operator, bulk.id),
            keep=lambda ts: self.ledger.bulk_posted(bulk.id, ts),
        )
        if posted is not None and posted.ts:
            context.start(lambda: self._say_what_goes_on(bulk, posted, who_may))
        return posted

    async def _say_what_goes_on(self, bulk: Bulk, where: SentMessage, who_may: tuple[str, ...]) -> None:
        """Say what goes on, a courtesy after the card stands there, once VoIPBIN has been asked."""
        heard()  # the card is there
        origin = await self.origins.of(bulk)
        if origin != Origin():
            with suppress(LedgerUnavailable):
                await self.cards.add_origin(bulk, where, origin, who_may, partial(self._can_be_pressed, bulk.id))

    # ------------------------------------------------------------ pressed

    async def _stop_all(self, context: InteractionContext, bulk_id: str) -> None:
        await self.queue.take(context, press_of(context.interaction, bulk_id, self.now(), wish=PressKind.BULK))

    async def _abort(self, context: InteractionContext, bulk_id: str) -> None:
        operator = await context.actor(Permission.STOP, Permission.BULK)
        aborted = await self.requests.abort(operator, bulk_id)
        await context.reply(_ABORTING if aborted else _NOTHING_TO_ABORT)

    async def _put_away(self, context: InteractionContext, bulk_id: str) -> None:
        operator = await context.actor(Permission.BULK)
        found = await self.requests.put_away(operator, bulk_id)
        if found is None:
            await context.reply(_NO_CARD)
            return
        bulk, run, put_away = found
        if put_away:
            await self.cards.show(bulk, run, press_of(context.interaction, bulk_id, self.now(), wish=PressKind.BULK))
        else:
            await context.reply(TOO_LATE_TO_CANCEL)

    async def _without_bot(self, context: InteractionContext, bulk_id: str) -> None:
        """Show the commands in a modal or, where that comes too late, to the presser alone."""
        (await context.operator()).require(Permission.VIEW)
        found = await self.ledger.bulk(bulk_id)
        message = _NO_CARD if found is None else bulk_without_bot(*found)
        if not await self.views.open(context.interaction.trigger_id, "Without this bot", message):
            await context.reply(message)

    # ------------------------------------------------------------ put to others

    async def _offer_to_ask(
        self, context: InteractionContext, operator: Operator, wanted: BulkCriteria, refused: NotPermitted
    ) -> None:
        """Post the refusal, with *Ask someone who can* where they may at least see, and there is something and
        somebody to ask.
        """
        try:
            draft = await self.requests.draft(operator, wanted)
        except BotError:
            raise refused from None
        if isinstance(draft, CardRefusal):
            await context.reply(bulk_unasked(draft, command=context.command))
        else:
            await offer(context, refused, ask_others(draft.id, ids.BULK_ASK_OTHERS))

    async def _ask_others(self, context: InteractionContext, bulk_id: str) -> None:
        kind = ApprovableCard(self._place, self._can_be_pressed, self._request_approval, self._post_approval)
        await self.approvals.ask(context, kind, bulk_id)

    async def _place(self, operator: Operator, bulk_id: str) -> tuple[str, str] | None:
        draft, found = await self.ledger.drafted(bulk_id), await self.ledger.bulk(bulk_id)
        if draft is not None:
            return operator.policy.rules.ask_in or draft.channel, draft.wanted.filters.words()
        return (found[0].channel, found[0].filters.words()) if found is not None else None

    async def _can_be_pressed(self, bulk_id: str) -> bool:
        found = await self.ledger.bulk(bulk_id)
        return found is not None and found[1].state is BulkState.OPEN and not found[0].late(self.now())

    async def _request_approval(
        self, context: InteractionContext, operator: Operator, bulk_id: str
    ) -> ApprovalRequest[Bulk] | Message:
        approval = await self.requests.request_approval(operator, bulk_id)
        if isinstance(approval, CardRefusal):
            return bulk_unasked(approval, command=context.command)
        if approval is not None and not approval.opened and not approval.card.message_ts:
            return _asked_already(approval.card)
        return approval or NOTHING_TO_PRESS

    async def _post_approval(
        self, context: InteractionContext, operator: Operator, approval: ApprovalRequest[Bulk]
    ) -> SentMessage | None:
        return await self._post(context, operator, approval.card, approval.who_may)


def _asked_already(bulk: Bulk) -> Message:
    """Say that it was asked already: its card is on its way, or was posted without Slack saying where, or the bot
    died in between.
    """
    return Message(
        f"They were already asked. Look for the card in {mention(bulk.channel)}. If none appears there, type it again."
    )
