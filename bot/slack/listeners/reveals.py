"""*Reveal*: decided anew at the press, recorded before it is shown, and shown to the presser alone.

Decision: only from a message that nobody but its reader sees, and only as a message that Slack does not keep: a direct
message, which private words fall back to elsewhere, would stay in the history.
"""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.operators import Permission
from bot.slack import ids
from bot.slack.blocks.revealed import NOT_HERE, NOT_RECORDED, NOT_SHOWN, revealed
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture, from_action


def register(app: AsyncApp, desk: Desk) -> None:
    """The one button."""

    @app.action(ids.REVEAL)
    async def reveal(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        desk.jobs.start(
            gesture, lambda: _reveal(desk.at(gesture), gesture, str(action.get("value", ""))), doing="looking it up"
        )


async def _reveal(desk: Desk, gesture: Gesture, value: str) -> None:
    if not gesture.ephemeral:
        await desk.teller.privately(gesture, NOT_HERE)
        return
    target = ids.decode_activeflow(value)
    operator = await desk.people.actor(gesture, Permission.REVEAL, Permission.VIEW)
    try:
        shown = await desk.revealing.reveal(operator, target, press=f"{gesture.user_id}/{gesture.action_ts}")
    except LedgerUnavailable:
        await desk.teller.privately(gesture, NOT_RECORDED)
        return
    if not await desk.teller.privately(gesture, revealed(shown), fleeting=True):
        await desk.teller.privately(gesture, NOT_SHOWN)
