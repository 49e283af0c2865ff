"""Listen to what concerns bulk stops: ask, press *Stop all*, abort, ask again for the rest, cancel.

The press is acked once it is recorded as a durable workflow, as for a lone stop. *Abort* is recorded at once and
answered to whoever pressed; the card, which everybody sees, follows within two seconds.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.bulk.bulk_stop import Bulk, BulkState, Run
from bot.activeflows.bulk.criteria import Wanted
from bot.activeflows.bulk.preparation import Unasked
from bot.activeflows.errors import BotError, NotPermitted
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.stopping.stop import Wish
from bot.slack import ids
from bot.slack.blocks.bulk_card import bulk_card
from bot.slack.blocks.bulk_refusal import bulk_unasked
from bot.slack.blocks.declined import ask_others
from bot.slack.blocks.mrkdwn import mention
from bot.slack.grammar.requests import StopAll
from bot.slack.interaction import Interaction, from_action
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

Reaction: TypeAlias = Callable[[ListenerContext, Interaction, str], Awaitable[None]]
"""What a button does, given the bulk's id."""
_ABORTING: Final = Message(
    "Aborting. Stops already sent are finished, the rest are left alone. The card says what became of each."
)
_NOTHING_TO_ABORT: Final = Message("Nothing to abort: it is not running. The card says how it is.")
_TOO_LATE: Final = Message("Too late to cancel. The card says what became of it.")
_NO_CARD: Final = Message("I don't know this card any more. Nothing was stopped.")


def register(app: AsyncApp, context: ListenerContext) -> None:
    """The buttons in the life of a bulk stop."""

    @app.action(ids.BULK_STOP)
    async def stop_all(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        interaction = from_action(body)
        await take(
            context, interaction, press_of(interaction, str(action.get("value", "")), context.now(), wish=Wish.BULK)
        )
        await ack()

    _hear(app, context, ids.BULK_CANCEL, _put_away)
    _hear(app, context, ids.BULK_ABORT, _abort)
    _hear(app, context, ids.BULK_REMAINDER, _again)
    _hear(app, context, ids.BULK_ASK_OTHERS, _ask_others)


def _hear(app: AsyncApp, context: ListenerContext, action_id: str, reaction: Reaction) -> None:
    @app.action(action_id)
    async def pressed(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        interaction = from_action(body)
        context.jobs.start(
            interaction,
            lambda: reaction(context.at(interaction), interaction, str(action.get("value", ""))),
            urgent=True,
        )


async def begin(context: ListenerContext, interaction: Interaction, request: StopAll) -> None:
    """``/flows stop all``: post the card with the frozen list, public in this channel."""
    await _ask(context, interaction, Wanted(request.filters, request.reason))


async def _again(context: ListenerContext, interaction: Interaction, bulk_id: str) -> None:
    wanted = await context.bulk.rest(bulk_id)
    if wanted is None:
        await context.teller.privately(interaction, _NO_CARD)
    else:
        await _ask(context, interaction, wanted)


async def _ask(context: ListenerContext, interaction: Interaction, wanted: Wanted) -> None:
    operator = await context.people.asker(interaction, Permission.BULK)
    try:
        asked = await context.bulk.ask(operator, wanted)
    except NotPermitted as refused:
        await context.asking.refused(operator, refused.decision.because)
        await _offer_to_ask(context, interaction, operator, wanted, refused)
        return
    if isinstance(asked, Unasked):
        await context.teller.privately(interaction, bulk_unasked(asked, command=context.command))
    else:
        await _post(context, interaction, operator, asked)


async def _offer_to_ask(
    context: ListenerContext, interaction: Interaction, operator: Operator, wanted: Wanted, refused: NotPermitted
) -> None:
    """The refusal, with *Ask someone who can* where they may at least see, and there is something and somebody to ask."""
    try:
        draft = await context.bulk.draft(operator, wanted)
    except BotError:
        raise refused from None
    if isinstance(draft, Unasked):
        await context.teller.privately(interaction, bulk_unasked(draft, command=context.command))
    else:
        await offer(context, interaction, refused, ask_others(draft.id, ids.BULK_ASK_OTHERS))


async def _ask_others(context: ListenerContext, interaction: Interaction, bulk_id: str) -> None:
    operator = await context.people.actor(interaction, Permission.VIEW)
    draft, found = await context.bulks.drafted(bulk_id), await context.bulks.bulk(bulk_id)
    if draft is not None:
        channel, subject = operator.policy.rules.ask_in or draft.channel, draft.wanted.filters.words()
    elif found is not None:
        channel, subject = found[0].channel, found[0].filters.words()
    else:
        await context.teller.privately(interaction, NOTHING_TO_PRESS)
        return
    bulk_id = await _standing(context, channel, subject) or bulk_id
    appeal = context.appeals.begin(operator.person.id, channel, subject, bulk_id)
    if appeal is None:
        await asked_enough(context, interaction, channel, bulk_id)
        return
    posted = False
    try:
        posted = await _put_to_others(context, interaction, operator, bulk_id, appeal)
    finally:
        if not posted:
            context.appeals.not_posted(appeal)


async def _put_to_others(
    context: ListenerContext, interaction: Interaction, operator: Operator, bulk_id: str, appeal: Appeal
) -> bool:
    put = await context.bulk.put_to_others(operator, bulk_id)
    if put is None or isinstance(put, Unasked):
        answer = NOTHING_TO_PRESS if put is None else bulk_unasked(put, command=context.command)
        await context.teller.privately(interaction, answer)
        return False
    if put.opened:
        posted = await _post(context, there(interaction, put.bulk), operator, put.bulk, put.who_may)
        if posted is not None:
            appeal.ts = posted.ts
            await asked_in(context, interaction, put.bulk.channel)
        return posted is not None
    if put.bulk.message_ts:
        appeal.ts = put.bulk.message_ts
        return await point_at(context, interaction, put.bulk, put.who_may)
    await context.teller.privately(interaction, _asked_already(put.bulk))
    return False


async def _standing(context: ListenerContext, channel: str, subject: str) -> str:
    """The id of a card that asks for this already, and can still be pressed."""
    bulk_id = context.appeals.standing(channel, subject)
    found = await context.bulks.bulk(bulk_id) if bulk_id else None
    return (
        bulk_id if found is not None and found[1].state is BulkState.OPEN and not found[0].late(context.now()) else ""
    )


async def _post(
    context: ListenerContext, interaction: Interaction, operator: Operator, bulk: Bulk, who_may: tuple[str, ...] = ()
) -> Posted | None:
    """Where the card stands; if nowhere, it is put away and the asker is told."""
    posted = await context.teller.publicly(interaction, bulk_card(bulk, Run(), context.command, who_may=who_may))
    if not isinstance(posted, Posted):
        await context.bulk.put_away(operator, bulk.id)
        await context.teller.privately(interaction, card_not_posted(posted.error))
        return None
    if posted.ts:
        await context.bulks.bulk_posted(bulk.id, posted.ts)
    return posted


def _asked_already(bulk: Bulk) -> Message:
    """Its card is on its way, or was posted without Slack saying where, or the bot died in between."""
    return Message(
        f"That was asked for already: look for its card in {mention(bulk.channel)}. "
        "If none comes to stand there, type it again."
    )


async def _abort(context: ListenerContext, interaction: Interaction, bulk_id: str) -> None:
    operator = await context.people.actor(interaction, Permission.STOP, Permission.BULK)
    aborted = await context.bulk.abort(operator, bulk_id)
    await context.teller.privately(interaction, _ABORTING if aborted else _NOTHING_TO_ABORT)


async def _put_away(context: ListenerContext, interaction: Interaction, bulk_id: str) -> None:
    operator = await context.people.actor(interaction, Permission.BULK)
    found = await context.bulk.put_away(operator, bulk_id)
    if found is None:
        await context.teller.privately(interaction, _NO_CARD)
        return
    bulk, run, put_away = found
    if put_away:
        await context.bulk_cards.show(bulk, run, press_of(interaction, bulk_id, context.now(), wish=Wish.BULK))
    else:
        await context.teller.privately(interaction, _TOO_LATE)
