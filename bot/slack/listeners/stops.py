"""Listen to what concerns one stop: ask, press *Stop flow*, cancel.

A press is acked once it is recorded as a durable workflow, and nothing else stands before the ack. If it cannot be
recorded, the presser is told that nothing was stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.activeflows.errors import BotError, Failure, NotPermitted
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.request import Put, StopRequests
from bot.activeflows.stopping.stop import Cancelled, Declined, Intent, IntentState, Waiting, Why, Wish
from bot.activeflows.targets import Target
from bot.slack import ids
from bot.slack.blocks.declined import ask_others, declined_press
from bot.slack.blocks.error_words import explained
from bot.slack.blocks.manual_commands import with_way_out
from bot.slack.blocks.stop_card import stop_card
from bot.slack.cards.stop_cards import StopCards
from bot.slack.grammar.requests import Stop
from bot.slack.interaction import press_of
from bot.slack.listeners.approval_requests import (
    NOTHING_TO_PRESS,
    TOO_LATE_TO_CANCEL,
    Approvable,
    ApprovalRequests,
    offer,
    posted_card,
)
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.listeners.press_queue import PressQueue
from bot.slack.listeners.reasons import ReasonListener
from bot.slack.messaging.messenger import Message, Posted
from bot.slack.transport.jobs import Lane

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class StopListener:
    """The request, and the buttons in the life of a stop."""

    requests: StopRequests
    ledger: Ledger
    cards: StopCards
    queue: PressQueue
    reasons: ReasonListener
    approvals: ApprovalRequests
    now: Callable[[], datetime]

    def register(self, listeners: Listeners) -> None:
        listeners.on_request(Stop, self._begin, lane=Lane.STOP)
        listeners.on_action(ids.ASK_STOP, self._ask_by_button, doing="reading the activeflow", lane=Lane.STOP)
        listeners.on_press(ids.STOP_FLOW, self._stop_flow)
        listeners.on_press(ids.HANG_UP, self._hang_up)
        listeners.on_action(ids.ASK_OTHERS, self._ask_others, lane=Lane.STOP)
        listeners.on_action(ids.CANCEL_STOP, self._put_away, lane=Lane.STOP)

    # ------------------------------------------------------------ asked for

    async def _begin(self, context: InteractionContext, request: Stop) -> None:
        """Post the stop card, public in this channel."""
        await self._ask(context, request.target, reason=request.reason, now=request.now)

    async def _ask_by_button(self, context: InteractionContext, value: str) -> None:
        await self._ask(context, ids.decode_activeflow(value))

    async def _ask(self, context: InteractionContext, target: Target, *, reason: str = "", now: bool = False) -> None:
        try:
            operator = await context.asker(Permission.STOP)
            await self._ask_as(context, operator, target, reason=reason, now=now)
        except Failure as failure:  # an emergency does not wait for whatever is broken
            await context.reply(with_way_out(explained(failure), target))

    async def _ask_as(
        self, context: InteractionContext, operator: Operator, target: Target, *, reason: str, now: bool
    ) -> None:
        try:
            intent = await self.requests.ask(operator, target, reason=reason, now=now)
        except NotPermitted as refused:
            if not await self.requests.refused(operator, refused.decision.because):
                raise
            await self._offer_to_ask(context, operator, target, reason, refused)
            return
        if intent is None:
            log.info("asked_before")
        else:
            await self._post(context, operator, intent, Waiting())

    async def _post(
        self, context: InteractionContext, operator: Operator, intent: Intent, phase: Waiting
    ) -> Posted | None:
        return await posted_card(
            context,
            stop_card(intent, phase, context.command),
            put_away=lambda: self.requests.put_away(operator, intent.id),
            keep=lambda ts: self.ledger.card_posted(intent.id, ts),
        )

    # ------------------------------------------------------------ pressed

    async def _stop_flow(self, context: InteractionContext, intent_id: str) -> None:
        if await self.reasons.needed(intent_id):
            context.start(lambda: self.reasons.ask(context, intent_id), lane=Lane.STOP)
        else:
            await self.queue.take(context, press_of(context.interaction, intent_id, self.now()))

    async def _hang_up(self, context: InteractionContext, intent_id: str) -> None:
        await self.queue.take(context, press_of(context.interaction, intent_id, self.now(), wish=Wish.HANG_UP))

    async def _put_away(self, context: InteractionContext, intent_id: str) -> None:
        operator = await context.actor(Permission.STOP)
        found = await self.requests.put_away(operator, intent_id)
        if found is None:
            await context.reply(declined_press(Declined(Why.NO_SUCH_CARD), context.command))
            return
        intent, put_away = found
        if put_away:
            press = press_of(context.interaction, intent_id, self.now())
            await self.cards.show(intent, Cancelled(operator.person.id), press)
        else:
            await context.reply(TOO_LATE_TO_CANCEL)

    # ------------------------------------------------------------ put to others

    async def _offer_to_ask(
        self, context: InteractionContext, operator: Operator, target: Target, reason: str, refused: NotPermitted
    ) -> None:
        """The refusal, with *Ask someone who can* where they may at least see it, and somebody can be asked."""
        try:
            draft = await self.requests.draft(operator, target, reason=reason)
        except BotError:
            raise refused from None
        who_may = operator.decide(Permission.STOP, draft.flow_id).who_may
        if not who_may and not operator.policy.rules.ask_in:
            raise refused
        await offer(context, refused, ask_others(draft.id))

    async def _ask_others(self, context: InteractionContext, intent_id: str) -> None:
        kind = Approvable(self._place, self._can_be_pressed, self._put, self._post_put)
        await self.approvals.ask(context, kind, intent_id)

    async def _place(self, operator: Operator, intent_id: str) -> tuple[str, str] | None:
        found = await self.ledger.intent(intent_id)
        if found is None:
            return None
        intent, state = found
        channel = operator.policy.rules.ask_in if state is IntentState.DRAFT else ""
        return channel or intent.channel, str(intent.activeflow_id)

    async def _can_be_pressed(self, intent_id: str) -> bool:
        found = await self.ledger.intent(intent_id)
        open_ = {IntentState.DRAFT, IntentState.OPEN}
        return found is not None and found[1] in open_ and not found[0].late(self.now())

    async def _put(self, _: InteractionContext, operator: Operator, intent_id: str) -> Put[Intent] | Message:
        return await self.requests.put_to_others(operator, intent_id) or NOTHING_TO_PRESS

    async def _post_put(self, context: InteractionContext, operator: Operator, put: Put[Intent]) -> Posted | None:
        return await self._post(context, operator, put.card, Waiting(put.who_may))
