"""Edit the watch cards in place (``watching.ports.WatchCards``)."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.activeflows.watching.watch import Edited, Telling
from bot.slack.blocks.watch_card import watch_card
from bot.slack.messaging.messenger import Messenger, Posted

_GONE: Final = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
    }
)
"""Slack's words for what will not get better: https://docs.slack.dev/reference/methods/chat.update#errors"""


class WatchCards:
    """``command``: the slash command, for what to type next; ``mention``: the same in a thread, where there is none."""

    def __init__(self, teller: Messenger, command: str, *, mention: str, now: Callable[[], datetime]) -> None:
        self._teller, self._command, self._mention, self._now = teller, command, mention, now

    async def edit(self, telling: Telling) -> Edited:
        """Never raises for Slack's troubles."""
        where = Posted(telling.watch.channel, telling.watch.message_ts)
        command = self._mention if telling.watch.thread else self._command
        redrawn = await self._teller.redraw(where, watch_card(telling, self._now(), command=command))
        return Edited(redrawn.error == "", gone=redrawn.error in _GONE, wait=redrawn.retry_after)
