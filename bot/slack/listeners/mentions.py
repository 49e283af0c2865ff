"""Listen to commands as a mention and as a direct message: read and answered as after the slash command.

Slash commands do not work in threads, mentions do; the answer to one in a thread stands in that thread. What stands before
the mention is not read. A direct message that begins with no command is answered with help.

https://docs.slack.dev/interactivity/implementing-slash-commands#threads
https://docs.slack.dev/reference/events/app_mention, https://docs.slack.dev/reference/events/message.im
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from slack_bolt.async_app import AsyncApp

from bot.slack.grammar.normalization import from_slack
from bot.slack.grammar.table import begins_with_a_command
from bot.slack.interaction import Interaction, from_message
from bot.slack.listeners.commands import start
from bot.slack.listeners.context import ListenerContext

MENTIONED: Final = "app_mention"
WRITTEN: Final = "message"
_WRITTEN_BY_PEOPLE: Final = (None, "file_share")
"""Subtypes of messages that somebody wrote just now; others are edits, deletions and what apps post."""


def register(app: AsyncApp, context: ListenerContext, bot_user_id: str) -> None:
    """Both events. ``bot_user_id``: whose mention it is."""
    me = re.compile(rf"<@{re.escape(bot_user_id)}(?:\|[^<>]*)?>")

    @app.event(MENTIONED)
    async def mentioned(event: dict[str, Any]) -> None:
        if _by_somebody(event, bot_user_id):
            said = me.split(str(event.get("text", "")), maxsplit=1)
            _begin(context, from_message(event), from_slack(said[-1] if len(said) > 1 else ""))

    @app.event(WRITTEN)
    async def written(event: dict[str, Any]) -> None:
        direct = event.get("channel_type") == "im" and event.get("subtype") in _WRITTEN_BY_PEOPLE
        if direct and _by_somebody(event, bot_user_id):
            text = from_slack(me.sub(" ", str(event.get("text", ""))))
            _begin(context, from_message(event), text if begins_with_a_command(text) else "help")


def _begin(context: ListenerContext, interaction: Interaction, text: str) -> None:
    here = replace(context, command=context.mention) if not interaction.channel_id.startswith("D") else context
    start(here, interaction, text)


def _by_somebody(event: Mapping[str, Any], bot_user_id: str) -> bool:
    """Not by the bot itself nor by another one: two bots that answer each other never end."""
    return bool(event.get("user")) and event["user"] != bot_user_id and not event.get("bot_id")
