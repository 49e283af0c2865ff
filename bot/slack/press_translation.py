"""Translate Slack's interaction into a press of ``bot.activeflows``, and back: the same facts in two vocabularies."""

import secrets
from collections import OrderedDict
from datetime import datetime
from typing import Final

from bot.activeflows.stopping.stop import Press, Wish
from bot.slack.interaction import Interaction

_MOST_OPEN: Final = 1000


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
        """The press, for the person who pressed."""
        press = self._waiting.get(word)
        return press if press is not None and press.by == user_id else None

    def forget(self, word: str) -> None:
        self._waiting.pop(word, None)
