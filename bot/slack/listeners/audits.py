"""Listen to ``/flows audit`` and the turning of its pages, decided anew at each press."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import ids
from bot.slack.blocks.audit_list import audit_list
from bot.slack.grammar.requests import ME, Audit
from bot.slack.interaction import Interaction, from_action
from bot.slack.listeners.context import ListenerContext
from bot.slack.messaging.messenger import Message

_DOING = "reading the audit"


def register(app: AsyncApp, context: ListenerContext) -> None:
    """The two buttons below the records."""
    _hear(app, context, ids.AUDIT_OLDER, _turn)
    _hear(app, context, ids.AUDIT_NEWER, _turn)


def _hear(
    app: AsyncApp,
    context: ListenerContext,
    action_id: str,
    reaction: Callable[[ListenerContext, Interaction, str], Awaitable[None]],
) -> None:
    @app.action(action_id)
    async def pressed(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        interaction = from_action(body)
        value = str(action.get("value", ""))
        context.jobs.start(interaction, lambda: reaction(context.at(interaction), interaction, value), doing=_DOING)


async def tell(context: ListenerContext, interaction: Interaction, request: Audit) -> None:
    """Answer with the newest records that fit."""
    await context.teller.privately(interaction, await _page(context, interaction, ids.AuditPage(request)))


async def _turn(context: ListenerContext, interaction: Interaction, value: str) -> None:
    message = await _page(context, interaction, ids.decode_audit(value))
    await context.teller.privately(interaction, message, replace=True)


async def _page(context: ListenerContext, interaction: Interaction, page: ids.AuditPage) -> Message:
    operator = await context.people.operator(interaction)
    asked = page.asked
    review = await context.reviewing.records(
        operator,
        target=asked.target,
        user=operator.person.id if asked.user == ME else asked.user,
        since=asked.since,
        before_seq=page.before,
        after_seq=page.after,
    )
    return audit_list(review, asked, command=context.command)
