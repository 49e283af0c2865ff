"""Listen to what concerns one stop: ask, press *Stop flow*, cancel.

A press is acked once it is recorded as a durable workflow, and nothing else stands before the ack. If it cannot be
recorded, the presser is told that nothing was stopped.
"""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import BotError, Failure, NotPermitted
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.stopping.stop import Cancelled, Declined, Intent, IntentState, Waiting, Why, Wish
from bot.activeflows.targets import Target
from bot.slack import ids
from bot.slack.blocks.declined import ask_others, declined_press
from bot.slack.blocks.error_words import explained
from bot.slack.blocks.manual_commands import with_way_out
from bot.slack.blocks.stop_card import stop_card
from bot.slack.grammar.requests import Stop
from bot.slack.interaction import Interaction, from_action
from bot.slack.listeners import reasons
from bot.slack.listeners.approval_requests import (
    NOTHING_TO_PRESS,
    asked_enough,
    asked_in,
    card_not_posted,
    offer,
    point_at,
    there,
)
from bot.slack.listeners.context import ListenerContext
from bot.slack.listeners.press_queue import take
from bot.slack.messaging.messenger import Message, Posted
from bot.slack.people.appeals import Appeal
from bot.slack.press_translation import press_of


def register(app: AsyncApp, context: ListenerContext) -> None:
    """The buttons in the life of a stop."""

    @app.action(ids.ASK_STOP)
    async def ask_stop(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        interaction = from_action(body)
        context.jobs.start(
            interaction,
            lambda: _ask_by_button(context.at(interaction), interaction, action),
            doing="reading the activeflow",
            urgent=True,
        )

    @app.action(ids.STOP_FLOW)
    async def stop_flow(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        interaction, intent_id = from_action(body), str(action.get("value", ""))
        if await reasons.needed(context, intent_id):
            context.jobs.start(
                interaction, lambda: reasons.ask(context.at(interaction), interaction, intent_id), urgent=True
            )
        else:
            await take(context, interaction, press_of(interaction, intent_id, context.now()))
        await ack()

    @app.action(ids.HANG_UP)
    async def hang_up(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        interaction = from_action(body)
        press = press_of(interaction, str(action.get("value", "")), context.now(), wish=Wish.HANG_UP)
        await take(context, interaction, press)
        await ack()

    @app.action(ids.ASK_OTHERS)
    async def ask_others_(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        interaction = from_action(body)
        context.jobs.start(
            interaction,
            lambda: _ask_others(context.at(interaction), interaction, str(action.get("value", ""))),
            urgent=True,
        )

    @app.action(ids.CANCEL_STOP)
    async def cancel_stop(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        interaction = from_action(body)
        context.jobs.start(
            interaction,
            lambda: _put_away(context.at(interaction), interaction, str(action.get("value", ""))),
            urgent=True,
        )


async def begin(context: ListenerContext, interaction: Interaction, request: Stop) -> None:
    """``/flows stop``: post the stop card, public in this channel."""
    await _ask(context, interaction, request.target, reason=request.reason, now=request.now)


async def _ask_by_button(context: ListenerContext, interaction: Interaction, action: dict[str, Any]) -> None:
    target = ids.decode_activeflow(str(action.get("value", "")))
    await _ask(context, interaction, target)


async def _ask(
    context: ListenerContext, interaction: Interaction, target: Target, *, reason: str = "", now: bool = False
) -> None:
    try:
        operator = await context.people.asker(interaction, Permission.STOP)
        await _ask_as(context, interaction, operator, target, reason=reason, now=now)
    except Failure as failure:  # an emergency does not wait for whatever is broken
        await context.teller.privately(interaction, with_way_out(explained(failure), target))


async def _ask_as(
    context: ListenerContext, interaction: Interaction, operator: Operator, target: Target, *, reason: str, now: bool
) -> None:
    try:
        intent = await context.asking.ask(operator, target, reason=reason, now=now)
    except NotPermitted as refused:
        await context.asking.refused(operator, refused.decision.because)
        await _offer_to_ask(context, interaction, operator, target, reason, refused)
        return
    await _post(context, interaction, operator, intent, Waiting())


async def _offer_to_ask(
    context: ListenerContext,
    interaction: Interaction,
    operator: Operator,
    target: Target,
    reason: str,
    refused: NotPermitted,
) -> None:
    """The refusal, with *Ask someone who can* where they may at least see it, and somebody can be asked."""
    try:
        draft = await context.asking.draft(operator, target, reason=reason)
    except BotError:
        raise refused from None
    who_may = operator.decide(Permission.STOP, draft.flow_id).who_may
    if not who_may and not operator.policy.rules.ask_in:
        raise refused
    await offer(context, interaction, refused, ask_others(draft.id))


async def _ask_others(context: ListenerContext, interaction: Interaction, intent_id: str) -> None:
    operator = await context.people.actor(interaction, Permission.VIEW)
    found = await context.records.intent(intent_id)
    if found is None:
        await _tell(context, interaction, NOTHING_TO_PRESS)
        return
    intent, state = found
    channel = operator.policy.rules.ask_in or intent.channel if state is IntentState.DRAFT else intent.channel
    subject = str(intent.activeflow_id)
    intent_id = await _standing(context, channel, subject) or intent_id
    appeal = context.appeals.begin(operator.person.id, channel, subject, intent_id)
    if appeal is None:
        await asked_enough(context, interaction, channel, intent_id)
        return
    posted = False
    try:
        posted = await _put_to_others(context, interaction, operator, intent_id, appeal)
    finally:
        if not posted:
            context.appeals.not_posted(appeal)


async def _put_to_others(
    context: ListenerContext, interaction: Interaction, operator: Operator, intent_id: str, appeal: Appeal
) -> bool:
    put = await context.asking.put_to_others(operator, intent_id)
    if put is None:
        await _tell(context, interaction, NOTHING_TO_PRESS)
        return False
    if not put.opened:
        appeal.ts = put.intent.message_ts
        return await point_at(context, interaction, put.intent, put.who_may)
    where = there(interaction, put.intent)
    posted = await _post(context, where, operator, put.intent, Waiting(put.who_may))
    if posted is not None:
        appeal.ts = posted.ts
        await asked_in(context, interaction, put.intent.channel)
    return posted is not None


async def _standing(context: ListenerContext, channel: str, subject: str) -> str:
    """The id of a card that asks for this already, and can still be pressed."""
    intent_id = context.appeals.standing(channel, subject)
    found = await context.records.intent(intent_id) if intent_id else None
    if found is None or found[1] not in {IntentState.DRAFT, IntentState.OPEN} or found[0].late(context.now()):
        return ""
    return intent_id


async def _post(
    context: ListenerContext, interaction: Interaction, operator: Operator, intent: Intent, phase: Waiting
) -> Posted | None:
    """Where the card stands; if nowhere, it is put away and the asker is told."""
    posted = await context.teller.publicly(interaction, stop_card(intent, phase, context.command))
    if not isinstance(posted, Posted):
        await context.asking.put_away(operator, intent.id)
        await context.teller.privately(interaction, card_not_posted(posted.error))
        return None
    if posted.ts:
        await context.records.card_posted(intent.id, posted.ts)
    return posted


async def _put_away(context: ListenerContext, interaction: Interaction, intent_id: str) -> None:
    operator = await context.people.actor(interaction, Permission.STOP)
    found = await context.asking.put_away(operator, intent_id)
    if found is None:
        await _tell(context, interaction, declined_press(Declined(Why.NO_SUCH_CARD), context.command))
        return
    intent, put_away = found
    if put_away:
        await context.cards.show(intent, Cancelled(operator.person.id), press_of(interaction, intent_id, context.now()))
    else:
        await _tell(context, interaction, Message("Too late to cancel. The card says what became of it."))


async def _tell(context: ListenerContext, interaction: Interaction, message: Message) -> None:
    await context.teller.privately(interaction, message)
