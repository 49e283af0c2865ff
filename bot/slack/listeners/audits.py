"""``/flows audit`` and turning its pages: who did what, to the asker alone, decided anew at each press."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import ids
from bot.slack.blocks.audit_list import audit_list
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture, from_action
from bot.slack.grammar.requests import ME, Audit
from bot.slack.telling import Message

_DOING = "reading the audit"


def register(app: AsyncApp, desk: Desk) -> None:
    """The two buttons below the records."""
    _hear(app, desk, ids.AUDIT_OLDER, _turn)
    _hear(app, desk, ids.AUDIT_NEWER, _turn)


def _hear(app: AsyncApp, desk: Desk, action_id: str, reaction: Callable[[Desk, Gesture, str], Awaitable[None]]) -> None:
    @app.action(action_id)
    async def pressed(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        value = str(action.get("value", ""))
        desk.jobs.start(gesture, lambda: reaction(desk.at(gesture), gesture, value), doing=_DOING)


async def tell(desk: Desk, gesture: Gesture, request: Audit) -> None:
    """Answer with the newest records that fit."""
    await desk.teller.privately(gesture, await _page(desk, gesture, ids.AuditPage(request)))


async def _turn(desk: Desk, gesture: Gesture, value: str) -> None:
    message = await _page(desk, gesture, ids.decode_audit(value))
    await desk.teller.privately(gesture, message, replace=True)


async def _page(desk: Desk, gesture: Gesture, page: ids.AuditPage) -> Message:
    operator = await desk.people.operator(gesture)
    asked = page.asked
    review = await desk.reviewing.records(
        operator,
        target=asked.target,
        user=operator.person.id if asked.user == ME else asked.user,
        since=asked.since,
        before_seq=page.before,
        after_seq=page.after,
    )
    return audit_list(review, asked, command=desk.command)
