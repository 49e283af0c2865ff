"""Listen to commands as a mention and as a direct message: read and answered as after the slash command.

Slash commands do not work in threads, mentions do; the answer to one in a thread stands in that thread. What stands before
the mention is not read. A direct message that begins with no command is answered with help.

https://docs.slack.dev/interactivity/implementing-slash-commands#threads
https://docs.slack.dev/reference/events/app_mention, https://docs.slack.dev/reference/events/message.im
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.slack.grammar.normalization import from_slack
from bot.slack.grammar.table import begins_with_a_command
from bot.slack.interaction import Interaction, from_message
from bot.slack.listeners.commands import start
from bot.slack.listeners.context import Listeners

MENTIONED: Final = "app_mention"
WRITTEN: Final = "message"
_WRITTEN_BY_PEOPLE: Final = (None, "file_share")
"""Subtypes of messages that somebody wrote just now; others are edits, deletions and what apps post."""


@dataclass(frozen=True)
class MentionListener:
    """Both events. ``bot_user_id``: whose mention it is."""

    bot_user_id: str

    def register(self, listeners: Listeners) -> None:
        me = re.compile(rf"<@{re.escape(self.bot_user_id)}(?:\|[^<>]*)?>")

        @listeners.app.event(MENTIONED)
        async def mentioned(event: dict[str, Any]) -> None:
            if self._by_somebody(event):
                said = me.split(str(event.get("text", "")), maxsplit=1)
                _begin(listeners, from_message(event), from_slack(said[-1] if len(said) > 1 else ""))

        @listeners.app.event(WRITTEN)
        async def written(event: dict[str, Any]) -> None:
            direct = event.get("channel_type") == "im" and event.get("subtype") in _WRITTEN_BY_PEOPLE
            if direct and self._by_somebody(event):
                _begin(listeners, from_message(event), from_slack(me.sub(" ", str(event.get("text", "")))), direct=True)

    def _by_somebody(self, event: Mapping[str, Any]) -> bool:
        """Not by the bot itself nor by another one: two bots that answer each other never end."""
        return bool(event.get("user")) and event["user"] != self.bot_user_id and not event.get("bot_id")


def _begin(listeners: Listeners, interaction: Interaction, text: str, *, direct: bool = False) -> None:
    """``direct``: in a direct message, where not every line is meant for a command."""
    found = listeners.meant(interaction, text, command=_typed(listeners, interaction))
    if found is not None:
        meant, line = found
        line = line if not direct or begins_with_a_command(line) else "help"
        start(meant, meant.context(interaction, command=_typed(meant, interaction)), line)


def _typed(listeners: Listeners, interaction: Interaction) -> str:
    return listeners.command if interaction.channel_id.startswith("D") else listeners.mention
