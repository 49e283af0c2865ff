"""Asking for a stop, pressing *Stop flow*, putting a card away.

A press is acked once it is recorded as a durable workflow, and nothing else stands before the ack. If it cannot be
recorded, the presser is told that nothing was stopped.
"""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import BotError, Failure, NotPermitted
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.stopping.stops import Cancelled, Declined, Intent, IntentState, Waiting, Why, Wish
from bot.activeflows.targets import Target
from bot.slack import ids
from bot.slack.appeals import Appeal
from bot.slack.blocks.declined import ask_others, declined_press
from bot.slack.blocks.stop_card import stop_card
from bot.slack.blocks.way_out import with_way_out
from bot.slack.desk import Desk
from bot.slack.explain import explained
from bot.slack.gestures import Gesture, from_action
from bot.slack.grammar.requests import Stop
from bot.slack.listeners import reasons
from bot.slack.listeners.asking_others import (
    NOTHING_TO_PRESS,
    asked_enough,
    asked_in,
    card_not_posted,
    offer,
    point_at,
    there,
)
from bot.slack.presses import press_of
from bot.slack.taking import take
from bot.slack.telling import Message, Posted


def register(app: AsyncApp, desk: Desk) -> None:
    """The buttons in the life of a stop."""

    @app.action(ids.ASK_STOP)
    async def ask_stop(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        desk.jobs.start(
            gesture,
            lambda: _ask_by_button(desk.at(gesture), gesture, action),
            doing="reading the activeflow",
            urgent=True,
        )

    @app.action(ids.STOP_FLOW)
    async def stop_flow(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        gesture, intent_id = from_action(body), str(action.get("value", ""))
        if await reasons.needed(desk, intent_id):
            desk.jobs.start(gesture, lambda: reasons.ask(desk.at(gesture), gesture, intent_id), urgent=True)
        else:
            await take(desk, gesture, press_of(gesture, intent_id, desk.now()))
        await ack()

    @app.action(ids.HANG_UP)
    async def hang_up(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        gesture = from_action(body)
        press = press_of(gesture, str(action.get("value", "")), desk.now(), wish=Wish.HANG_UP)
        await take(desk, gesture, press)
        await ack()

    @app.action(ids.ASK_OTHERS)
    async def ask_others_(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        desk.jobs.start(
            gesture, lambda: _ask_others(desk.at(gesture), gesture, str(action.get("value", ""))), urgent=True
        )

    @app.action(ids.CANCEL_STOP)
    async def cancel_stop(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        desk.jobs.start(
            gesture, lambda: _put_away(desk.at(gesture), gesture, str(action.get("value", ""))), urgent=True
        )


async def begin(desk: Desk, gesture: Gesture, request: Stop) -> None:
    """``/flows stop``: post the stop card, public in this channel."""
    await _ask(desk, gesture, request.target, reason=request.reason, now=request.now)


async def _ask_by_button(desk: Desk, gesture: Gesture, action: dict[str, Any]) -> None:
    target = ids.decode_activeflow(str(action.get("value", "")))
    await _ask(desk, gesture, target)


async def _ask(desk: Desk, gesture: Gesture, target: Target, *, reason: str = "", now: bool = False) -> None:
    try:
        operator = await desk.people.asker(gesture, Permission.STOP)
        await _ask_as(desk, gesture, operator, target, reason=reason, now=now)
    except Failure as failure:  # an emergency does not wait for whatever is broken
        await desk.teller.privately(gesture, with_way_out(explained(failure), target))


async def _ask_as(desk: Desk, gesture: Gesture, operator: Operator, target: Target, *, reason: str, now: bool) -> None:
    try:
        intent = await desk.asking.ask(operator, target, reason=reason, now=now)
    except NotPermitted as refused:
        await desk.asking.refused(operator, refused.decision.because)
        await _offer_to_ask(desk, gesture, operator, target, reason, refused)
        return
    await _post(desk, gesture, operator, intent, Waiting())


async def _offer_to_ask(
    desk: Desk, gesture: Gesture, operator: Operator, target: Target, reason: str, refused: NotPermitted
) -> None:
    """The refusal, with *Ask someone who can* where they may at least see it, and somebody can be asked."""
    try:
        draft = await desk.asking.draft(operator, target, reason=reason)
    except BotError:
        raise refused from None
    who_may = operator.decide(Permission.STOP, draft.flow_id).who_may
    if not who_may and not operator.policy.rules.ask_in:
        raise refused
    await offer(desk, gesture, refused, ask_others(draft.id))


async def _ask_others(desk: Desk, gesture: Gesture, intent_id: str) -> None:
    operator = await desk.people.actor(gesture, Permission.VIEW)
    found = await desk.records.intent(intent_id)
    if found is None:
        await _tell(desk, gesture, NOTHING_TO_PRESS)
        return
    intent, state = found
    channel = operator.policy.rules.ask_in or intent.channel if state is IntentState.DRAFT else intent.channel
    subject = str(intent.activeflow_id)
    intent_id = await _standing(desk, channel, subject) or intent_id
    appeal = desk.appeals.begin(operator.person.id, channel, subject, intent_id)
    if appeal is None:
        await asked_enough(desk, gesture, channel, intent_id)
        return
    posted = False
    try:
        posted = await _put_to_others(desk, gesture, operator, intent_id, appeal)
    finally:
        if not posted:
            desk.appeals.not_posted(appeal)


async def _put_to_others(desk: Desk, gesture: Gesture, operator: Operator, intent_id: str, appeal: Appeal) -> bool:
    put = await desk.asking.put_to_others(operator, intent_id)
    if put is None:
        await _tell(desk, gesture, NOTHING_TO_PRESS)
        return False
    if not put.opened:
        appeal.ts = put.intent.message_ts
        return await point_at(desk, gesture, put.intent, put.who_may)
    where = there(gesture, put.intent)
    posted = await _post(desk, where, operator, put.intent, Waiting(put.who_may))
    if posted is not None:
        appeal.ts = posted.ts
        await asked_in(desk, gesture, put.intent.channel)
    return posted is not None


async def _standing(desk: Desk, channel: str, subject: str) -> str:
    """The id of a card that asks for this already, and can still be pressed."""
    intent_id = desk.appeals.standing(channel, subject)
    found = await desk.records.intent(intent_id) if intent_id else None
    if found is None or found[1] not in {IntentState.DRAFT, IntentState.OPEN} or found[0].late(desk.now()):
        return ""
    return intent_id


async def _post(desk: Desk, gesture: Gesture, operator: Operator, intent: Intent, phase: Waiting) -> Posted | None:
    """Where the card stands; if nowhere, it is put away and the asker is told."""
    posted = await desk.teller.publicly(gesture, stop_card(intent, phase, desk.command))
    if not isinstance(posted, Posted):
        await desk.asking.put_away(operator, intent.id)
        await desk.teller.privately(gesture, card_not_posted(posted.error))
        return None
    if posted.ts:
        await desk.records.card_posted(intent.id, posted.ts)
    return posted


async def _put_away(desk: Desk, gesture: Gesture, intent_id: str) -> None:
    operator = await desk.people.actor(gesture, Permission.STOP)
    found = await desk.asking.put_away(operator, intent_id)
    if found is None:
        await _tell(desk, gesture, declined_press(Declined(Why.NO_SUCH_CARD), desk.command))
        return
    intent, put_away = found
    if put_away:
        await desk.cards.show(intent, Cancelled(operator.person.id), press_of(gesture, intent_id, desk.now()))
    else:
        await _tell(desk, gesture, Message("It is too late to put this card away: it says what becomes of it."))


async def _tell(desk: Desk, gesture: Gesture, message: Message) -> None:
    await desk.teller.privately(gesture, message)
