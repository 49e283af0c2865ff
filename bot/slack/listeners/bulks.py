"""Asking for a bulk stop, or those who may; pressing *Stop all*, aborting it, asking again for the rest, putting it away.

The press is acked once it is recorded as a durable workflow, as for a lone stop. *Abort* is recorded at once and
answered to whoever pressed; the card, which everybody sees, follows within two seconds.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.bulk.bulks import Bulk, BulkState, Run
from bot.activeflows.bulk.preparing import Unasked
from bot.activeflows.bulk.wanted import Wanted
from bot.activeflows.errors import BotError, NotPermitted
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.stopping.stops import Wish
from bot.slack import ids
from bot.slack.appeals import Appeal
from bot.slack.blocks.bulk_card import bulk_card
from bot.slack.blocks.bulk_unasked import bulk_unasked
from bot.slack.blocks.declined import ask_others
from bot.slack.blocks.mrkdwn import mention
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture, from_action
from bot.slack.grammar.requests import StopAll
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

Reaction: TypeAlias = Callable[[Desk, Gesture, str], Awaitable[None]]
"""What a button does, given the bulk's id."""
_ABORTING: Final = Message(
    "Aborting: what is in flight is finished, the rest is left. The card says what became of it."
)
_NOTHING_TO_ABORT: Final = Message(
    "There is nothing to abort: it is not under way (any more). The card says how it is."
)
_TOO_LATE: Final = Message("It is too late to put this card away: it says what becomes of it.")
_NO_CARD: Final = Message("I do not know this card any more. Nothing was stopped.")


def register(app: AsyncApp, desk: Desk) -> None:
    """The buttons in the life of a bulk stop."""

    @app.action(ids.BULK_STOP)
    async def stop_all(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        gesture = from_action(body)
        await take(desk, gesture, press_of(gesture, str(action.get("value", "")), desk.now(), wish=Wish.BULK))
        await ack()

    _hear(app, desk, ids.BULK_CANCEL, _put_away)
    _hear(app, desk, ids.BULK_ABORT, _abort)
    _hear(app, desk, ids.BULK_REMAINDER, _again)
    _hear(app, desk, ids.BULK_ASK_OTHERS, _ask_others)


def _hear(app: AsyncApp, desk: Desk, action_id: str, reaction: Reaction) -> None:
    @app.action(action_id)
    async def pressed(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        desk.jobs.start(gesture, lambda: reaction(desk.at(gesture), gesture, str(action.get("value", ""))), urgent=True)


async def begin(desk: Desk, gesture: Gesture, request: StopAll) -> None:
    """``/flows stop all``: post the card with the frozen list, public in this channel."""
    await _ask(desk, gesture, Wanted(request.filters, request.reason))


async def _again(desk: Desk, gesture: Gesture, bulk_id: str) -> None:
    wanted = await desk.bulk.rest(bulk_id)
    if wanted is None:
        await desk.teller.privately(gesture, _NO_CARD)
    else:
        await _ask(desk, gesture, wanted)


async def _ask(desk: Desk, gesture: Gesture, wanted: Wanted) -> None:
    operator = await desk.people.asker(gesture, Permission.BULK)
    try:
        asked = await desk.bulk.ask(operator, wanted)
    except NotPermitted as refused:
        await desk.asking.refused(operator, refused.decision.because)
        await _offer_to_ask(desk, gesture, operator, wanted, refused)
        return
    if isinstance(asked, Unasked):
        await desk.teller.privately(gesture, bulk_unasked(asked, command=desk.command))
    else:
        await _post(desk, gesture, operator, asked)


async def _offer_to_ask(
    desk: Desk, gesture: Gesture, operator: Operator, wanted: Wanted, refused: NotPermitted
) -> None:
    """The refusal, with *Ask someone who can* where they may at least see, and there is something and somebody to ask."""
    try:
        draft = await desk.bulk.draft(operator, wanted)
    except BotError:
        raise refused from None
    if isinstance(draft, Unasked):
        await desk.teller.privately(gesture, bulk_unasked(draft, command=desk.command))
    else:
        await offer(desk, gesture, refused, ask_others(draft.id, ids.BULK_ASK_OTHERS))


async def _ask_others(desk: Desk, gesture: Gesture, bulk_id: str) -> None:
    operator = await desk.people.actor(gesture, Permission.VIEW)
    draft, found = await desk.bulks.drafted(bulk_id), await desk.bulks.bulk(bulk_id)
    if draft is not None:
        channel, subject = operator.policy.rules.ask_in or draft.channel, draft.wanted.filters.words()
    elif found is not None:
        channel, subject = found[0].channel, found[0].filters.words()
    else:
        await desk.teller.privately(gesture, NOTHING_TO_PRESS)
        return
    bulk_id = await _standing(desk, channel, subject) or bulk_id
    appeal = desk.appeals.begin(operator.person.id, channel, subject, bulk_id)
    if appeal is None:
        await asked_enough(desk, gesture, channel, bulk_id)
        return
    posted = False
    try:
        posted = await _put_to_others(desk, gesture, operator, bulk_id, appeal)
    finally:
        if not posted:
            desk.appeals.not_posted(appeal)


async def _put_to_others(desk: Desk, gesture: Gesture, operator: Operator, bulk_id: str, appeal: Appeal) -> bool:
    put = await desk.bulk.put_to_others(operator, bulk_id)
    if put is None or isinstance(put, Unasked):
        answer = NOTHING_TO_PRESS if put is None else bulk_unasked(put, command=desk.command)
        await desk.teller.privately(gesture, answer)
        return False
    if put.opened:
        posted = await _post(desk, there(gesture, put.bulk), operator, put.bulk, put.who_may)
        if posted is not None:
            appeal.ts = posted.ts
            await asked_in(desk, gesture, put.bulk.channel)
        return posted is not None
    if put.bulk.message_ts:
        appeal.ts = put.bulk.message_ts
        return await point_at(desk, gesture, put.bulk, put.who_may)
    await desk.teller.privately(gesture, _asked_already(put.bulk))
    return False


async def _standing(desk: Desk, channel: str, subject: str) -> str:
    """The id of a card that asks for this already, and can still be pressed."""
    bulk_id = desk.appeals.standing(channel, subject)
    found = await desk.bulks.bulk(bulk_id) if bulk_id else None
    return bulk_id if found is not None and found[1].state is BulkState.OPEN and not found[0].late(desk.now()) else ""


async def _post(
    desk: Desk, gesture: Gesture, operator: Operator, bulk: Bulk, who_may: tuple[str, ...] = ()
) -> Posted | None:
    """Where the card stands; if nowhere, it is put away and the asker is told."""
    posted = await desk.teller.publicly(gesture, bulk_card(bulk, Run(), desk.command, who_may=who_may))
    if not isinstance(posted, Posted):
        await desk.bulk.put_away(operator, bulk.id)
        await desk.teller.privately(gesture, card_not_posted(posted.error))
        return None
    if posted.ts:
        await desk.bulks.bulk_posted(bulk.id, posted.ts)
    return posted


def _asked_already(bulk: Bulk) -> Message:
    """Its card is on its way, or was posted without Slack saying where, or the bot died in between."""
    return Message(
        f"That was asked for already: look for its card in {mention(bulk.channel)}. "
        "If none comes to stand there, type it again."
    )


async def _abort(desk: Desk, gesture: Gesture, bulk_id: str) -> None:
    operator = await desk.people.actor(gesture, Permission.STOP, Permission.BULK)
    aborted = await desk.bulk.abort(operator, bulk_id)
    await desk.teller.privately(gesture, _ABORTING if aborted else _NOTHING_TO_ABORT)


async def _put_away(desk: Desk, gesture: Gesture, bulk_id: str) -> None:
    operator = await desk.people.actor(gesture, Permission.BULK)
    found = await desk.bulk.put_away(operator, bulk_id)
    if found is None:
        await desk.teller.privately(gesture, _NO_CARD)
        return
    bulk, run, put_away = found
    if put_away:
        await desk.bulk_cards.show(bulk, run, press_of(gesture, bulk_id, desk.now(), wish=Wish.BULK))
    else:
        await desk.teller.privately(gesture, _TOO_LATE)
