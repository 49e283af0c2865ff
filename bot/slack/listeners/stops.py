"""Asking for a stop, pressing *Stop flow*, putting a card away.

A press is acked once it is recorded as a durable workflow, and nothing else stands before the ack. If it cannot be
recorded, the presser is told that nothing was stopped.
"""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import LedgerUnavailable, NotPermitted
from bot.activeflows.operators import Operator
from bot.activeflows.stops import Cancelled, Declined, Waiting, Why
from bot.activeflows.targets import Target
from bot.slack import ids
from bot.slack.blocks.declined import declined_press
from bot.slack.blocks.stop_card import stop_card
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture, from_action
from bot.slack.presses import press_of
from bot.slack.requests import Stop
from bot.slack.telling import Message


def register(app: AsyncApp, desk: Desk) -> None:
    """The three buttons in the life of a stop."""

    @app.action(ids.ASK_STOP)
    async def ask_stop(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        desk.jobs.start(gesture, lambda: _ask_by_button(desk, gesture, action), doing="reading the activeflow")

    @app.action(ids.STOP_FLOW)
    async def stop_flow(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        gesture = from_action(body)
        press = press_of(gesture, str(action.get("value", "")), desk.now())
        desk.cards.promise(press)
        try:
            await desk.presses.start(press)
        except LedgerUnavailable as trouble:
            desk.cards.broken(press)
            unwritten = declined_press(Declined(Why.LEDGER, trouble.what), desk.command)
            desk.jobs.start(gesture, partial(_tell, desk, gesture, unwritten))
        await ack()

    @app.action(ids.CANCEL_STOP)
    async def cancel_stop(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        desk.jobs.start(gesture, lambda: _put_away(desk, gesture, str(action.get("value", ""))))


async def begin(desk: Desk, gesture: Gesture, request: Stop) -> None:
    """``/flows stop``: post the stop card, public in this channel."""
    operator = await desk.people.operator(gesture, fresh=True)
    await _ask(desk, gesture, operator, request.target, reason=request.reason, now=request.now)


async def _ask_by_button(desk: Desk, gesture: Gesture, action: dict[str, Any]) -> None:
    target = ids.decode_activeflow(str(action.get("value", "")))
    operator = await desk.people.operator(gesture, fresh=True)
    await _ask(desk, gesture, operator, target)


async def _ask(
    desk: Desk, gesture: Gesture, operator: Operator, target: Target, *, reason: str = "", now: bool = False
) -> None:
    try:
        intent = await desk.asking.ask(operator, target, reason=reason, now=now)
    except NotPermitted as refused:
        await desk.asking.refused(operator, refused.decision.because)
        raise
    posted = await desk.teller.publicly(gesture, stop_card(intent, Waiting(), desk.command))
    if posted is None:
        await desk.asking.put_away(operator, intent.id)
        await desk.teller.privately(gesture, Message(_NOT_POSTED))
    elif posted.ts:
        await desk.records.card_posted(intent.id, posted.ts)


_NOT_POSTED = (
    "The stop card could not be posted in this channel, so nothing can be stopped from it. "
    "Invite the bot to the channel, or ask in a channel where it is a member. Nothing was stopped."
)


async def _put_away(desk: Desk, gesture: Gesture, intent_id: str) -> None:
    operator = await desk.people.operator(gesture, fresh=True)
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
