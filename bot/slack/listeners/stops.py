"""Listen to what concerns one stop: ask, press *Stop flow*, cancel.

A press is acked once it is recorded as a durable workflow, and nothing else stands before the ack. If it cannot be
recorded, the presser is told that nothing was stopped.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot import tracing
from bot.activeflows.errors import BotError, Failure, LedgerUnavailable, NotPermitted
from bot.activeflows.operators import Operator, Permission, Policy
from bot.activeflows.queries.resolution import Target
from bot.activeflows.stopping.ports import Ledger, Presses
from bot.activeflows.stopping.request import ApprovalRequest, StopRequests
from bot.activeflows.stopping.stop import (
    Cancelled,
    Declined,
    DeclineReason,
    Intent,
    IntentState,
    Press,
    PressKind,
    Waiting,
)
from bot.slack import ids
from bot.slack.blocks.activeflow_parts import with_way_out
from bot.slack.blocks.declined import ask_others, declined_press
from bot.slack.blocks.error_words import explained
from bot.slack.cards.stop_card import StopCards, reason_modal, stop_card
from bot.slack.grammar.normalization import decoded
from bot.slack.grammar.requests import Stop
from bot.slack.interaction import from_press, press_of
from bot.slack.kit import code
from bot.slack.listeners.approval_requests import (
    NOTHING_TO_PRESS,
    TOO_LATE_TO_CANCEL,
    ApprovableCard,
    ApprovalRequests,
    offer,
)
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.messaging.messenger import Message, SentMessage, marked_id
from bot.slack.messaging.views import FormState, Views
from bot.slack.people.outsiders import Outsiders
from bot.slack.transport.jobs import Lane

# ---------------------------------------------------------------- press queue
# Record a press before the ack, or say why it was not recorded.


@dataclass(frozen=True)
class PressQueue:
    """``presses``: records a press so that it is carried out, whatever happens."""

    outsiders: Outsiders
    cards: StopCards
    presses: Presses
    account: str = ""
    """Of the cards whose presses come here."""

    async def take(self, context: InteractionContext, press: Press) -> bool:
        """Record a press so that it is carried out, or tell why not. False: it could not be recorded.

        Whoever presses on without a permission is refused in words, and nothing is recorded.
        """
        press = replace(press, account=self.account)
        declined = await self.outsiders.declined(press)
        if declined is not None:
            _refuse(context, declined)
            return True
        self.cards.promise(press)
        began = time.perf_counter()
        try:
            await self.presses.start(press)
            seconds = time.perf_counter() - began
            tracing.told("press recorded, then acked", {}, seconds=seconds, intent_id=press.intent_id)
            self.cards.recorded(press)
        except LedgerUnavailable as trouble:
            self.cards.broken(press)
            _refuse(context, Declined(DeclineReason.LEDGER, trouble.what))
            return False
        return True


def _refuse(context: InteractionContext, declined: Declined) -> None:
    context.start(lambda: context.reply(declined_press(declined, context.command)))


# ---------------------------------------------------------------- reasons
# Listen to the modal that asks for a reason, between the press and its execution.
#
# Nothing is stopped by opening it. What the press was (and the capability to answer it) stays in this process under a
# random word; the modal carries the word only. After a restart the word is unknown, and the person is told to press
# again.
#
# https://docs.slack.dev/surfaces/modals

_AGAIN: Final = "Please press Stop flow again. Nothing was stopped."
_NOT_ASKED: Final = "Slack did not let me ask you for a reason."
_PERHAPS: Final = (
    "Slack did not say whether it shows you the form for the reason. If it does, fill it in; if not, press Stop flow "
    "again. Nothing was stopped."
)
_READ_WITHIN: Final = 0.7
"""Seconds: with the record of the press it stays below the three of the ack."""
_TOO_SHORT: Final = "Please say why, in a few words."
_NOT_RECORDED: Final = "It could not be recorded. Nothing was stopped."
_MOST_OPEN: Final = 1000


class OpenReasons:
    """The presses that wait for their reason, by the random word in their modal."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Press] = OrderedDict()

    def keep(self, press: Press) -> str:
        word = secrets.token_urlsafe(16)
        self._waiting[word] = press
        while len(self._waiting) > _MOST_OPEN:
            self._waiting.popitem(last=False)
        return word

    def of(self, word: str, user_id: str) -> Press | None:
        """Return the press, for the person who pressed."""
        press = self._waiting.get(word)
        return press if press is not None and press.by == user_id else None

    def forget(self, word: str) -> None:
        self._waiting.pop(word, None)


@dataclass(frozen=True)
class ReasonListener:
    """The modal, opened and submitted."""

    views: Views
    ledger: Ledger
    queue: PressQueue
    policy: Callable[[], Policy]
    now: Callable[[], datetime]
    open: OpenReasons = field(default_factory=OpenReasons)

    async def needed(self, intent_id: str) -> bool:
        """Do the rules ask for a reason that this card does not have?

        A ledger that is broken or does not answer soon is told of at the press itself, and without a reason none is
        carried out.
        """
        if not self.policy().rules.reason_required:
            return False
        try:
            async with asyncio.timeout(_READ_WITHIN):
                found = await self.ledger.intent(intent_id)
        except (LedgerUnavailable, TimeoutError):
            return False
        return found is not None and not found[0].reason

    async def ask(self, context: InteractionContext, intent_id: str) -> None:
        """Open the modal. Its trigger lives for three seconds, so nothing is looked up but the intent."""
        found = await self.ledger.intent(intent_id)
        if found is None:
            await context.reply(Message(_AGAIN))
            return
        word = self.open.keep(press_of(context.interaction, intent_id, self.now()))
        match await self.views.ask(context.interaction.trigger_id, reason_modal(found[0], word)):
            case FormState.NOT_KNOWN:
                await context.reply(Message(_PERHAPS))
            case FormState.REFUSED:
                self.open.forget(word)
                typed_instead = code(f"{context.command} stop {found[0].short_id} <reason>")
                await context.reply(Message(f"{_NOT_ASKED} {_AGAIN} Or type {typed_instead}."))

    def register(self, listeners: Listeners) -> None:
        @listeners.app.view(marked_id(ids.REASON, listeners.account))
        async def submitted(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
            word = str(view.get("private_metadata", ""))
            press = self.open.of(word, str(body.get("user", {}).get("id", "")))
            reason = " ".join(decoded(_given(view)).split())
            if press is None:
                await ack(response_action="errors", errors={ids.REASON: f"I have been restarted meanwhile. {_AGAIN}"})
            elif len(reason) < 3:
                await ack(response_action="errors", errors={ids.REASON: _TOO_SHORT})
            elif await self.queue.take(
                listeners.context(from_press(press)), replace(press, reason=reason[:500], at=self.now())
            ):
                self.open.forget(word)
                await ack()
            else:
                await ack(response_action="errors", errors={ids.REASON: _NOT_RECORDED})


def _given(view: dict[str, Any]) -> str:
    try:
        value = view["state"]["values"][ids.REASON][ids.REASON]["value"]
    except (KeyError, TypeError):
        return ""
    return value if isinstance(value, str) else ""


# ---------------------------------------------------------------- stops

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
    ) -> SentMessage | None:
        return await context.post_card(
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
        await self.queue.take(context, press_of(context.interaction, intent_id, self.now(), wish=PressKind.HANG_UP))

    async def _put_away(self, context: InteractionContext, intent_id: str) -> None:
        operator = await context.actor(Permission.STOP)
        found = await self.requests.put_away(operator, intent_id)
        if found is None:
            await context.reply(declined_press(Declined(DeclineReason.NO_SUCH_CARD), context.command))
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
        """Post the refusal, with *Ask someone who can* where they may at least see it, and somebody can be asked."""
        try:
            draft = await self.requests.draft(operator, target, reason=reason)
        except BotError:
            raise refused from None
        who_may = operator.decide(Permission.STOP, draft.flow_id).who_may
        if not who_may and not operator.policy.rules.ask_in:
            raise refused
        await offer(context, refused, ask_others(draft.id))

    async def _ask_others(self, context: InteractionContext, intent_id: str) -> None:
        kind = ApprovableCard(self._place, self._can_be_pressed, self._request_approval, self._post_approval)
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

    async def _request_approval(
        self, _: InteractionContext, operator: Operator, intent_id: str
    ) -> ApprovalRequest[Intent] | Message:
        return await self.requests.request_approval(operator, intent_id) or NOTHING_TO_PRESS

    async def _post_approval(
        self, context: InteractionContext, operator: Operator, approval: ApprovalRequest[Intent]
    ) -> SentMessage | None:
        return await self._post(context, operator, approval.card, Waiting(approval.who_may))
