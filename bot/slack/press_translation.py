"""Translate Slack's interaction into a press of ``bot.activeflows``, and back: the same facts in two vocabularies."""

from datetime import datetime

from bot.activeflows.stopping.stop import Press, Wish
from bot.slack.interaction import Interaction


def press_of(
    interaction: Interaction, intent_id: str, at: datetime, *, wish: Wish = Wish.STOP, reason: str = ""
) -> Press:
    """A press on *Stop flow*, or on *Hang up the call*."""
    return Press(
        intent_id=intent_id,
        by=interaction.user_id,
        team=interaction.team_id,
        channel=interaction.channel_id,
        message_ts=interaction.message_ts,
        action_ts=interaction.action_ts,
        trigger_id=interaction.trigger_id,
        response_url=interaction.response_url,
        at=at,
        wish=wish,
        reason=reason,
        thread=interaction.thread_ts,
    )


def gesture_of(press: Press) -> Interaction:
    """The way back, to answer a press in the channel it came from."""
    return Interaction(
        user_id=press.by,
        team_id=press.team,
        channel_id=press.channel,
        response_url=press.response_url,
        trigger_id=press.trigger_id,
        message_ts=press.message_ts,
        action_ts=press.action_ts,
        thread_ts=press.thread,
    )
