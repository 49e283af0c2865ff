"""Listen to the slash command: one word for everything, understood by ``grammar``.

What only reads and concerns no other listener is answered here.
https://docs.slack.dev/interactivity/implementing-slash-commands
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from prometheus_client import Histogram

from bot.activeflows.errors import NotPermitted, NotUnderstood
from bot.activeflows.health import Diagnosis
from bot.activeflows.operators import Operator
from bot.activeflows.queries.listing import ActiveflowQueries
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.blocks.help import help_overview, not_understood
from bot.slack.blocks.home import alive, doctor, whoami
from bot.slack.grammar.normalization import from_slack
from bot.slack.grammar.requests import Doctor, Help, List, Show, Whoami
from bot.slack.grammar.table import begins_with_a_command, parse
from bot.slack.interaction import Interaction, from_command, from_message
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.listeners.read_actions import Pages
from bot.slack.messaging.messenger import Message
from bot.slack.transport.jobs import Lane

ANSWERS: Final = Histogram(
    "flows_bot_answer_seconds",
    "From a command until what came of it is said, by the command",
    ["command"],
    buckets=(0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0),
)
_DOING: Final = "asking VoIPBIN"
_Work: TypeAlias = Callable[[], Awaitable[object]]
"""By its name, because what stands in a function in a function is put together anew with every call."""


@dataclass(frozen=True)
class CommandListener:
    """The command, and what of it only reads."""

    queries: ActiveflowQueries
    pages: Pages
    diagnosis: Diagnosis
    now: Callable[[], datetime]

    def register(self, listeners: Listeners) -> None:
        """Register the one command, and the requests that are answered here."""

        def command(body: dict[str, Any]) -> None:
            interaction = from_command(body)
            found = listeners.meant(interaction, from_slack(str(body.get("text", ""))))
            if found is not None:
                meant, text = found
                start(meant, meant.context(interaction), text)

        listeners.app.hears("command", listeners.command.partition(" ")[0], command)
        listeners.on_request(List, self._list, lane=Lane.LIGHT)
        listeners.on_request(Show, self._show)
        listeners.on_request(Whoami, self._whoami, lane=Lane.LIGHT)
        listeners.on_request(Help, self._help, lane=Lane.LIGHT)
        listeners.on_request(Doctor, self._doctor)

    async def _list(self, context: InteractionContext, request: List) -> None:
        await context.reply(await context.read(partial(self.pages.page, context, request)))

    async def _show(self, context: InteractionContext, request: Show) -> None:
        async def shown(operator: Operator) -> Message:
            details = await self.queries.show(operator, request.target)
            return activeflow_details(details, operator, command=context.command)

        await context.reply(await context.read(shown))

    async def _whoami(self, context: InteractionContext, _: Whoami) -> None:
        await context.reply(whoami(await context.operator()))

    async def _help(self, context: InteractionContext, request: Help) -> None:
        await context.reply(help_overview(await context.operator(), request.word, command=context.command))

    async def _doctor(self, context: InteractionContext, _: Doctor) -> None:
        """Show what every look found; whoever may not view learns that the bot is alive."""
        try:
            findings = await context.read(self.diagnosis.examine)
        except NotPermitted as refused:
            await context.reply(alive(refused.decision, command=context.command))
            return
        await context.reply(doctor(findings, self.now(), command=context.command))


def start(listeners: Listeners, context: InteractionContext, text: str) -> None:
    """Begin what was typed; what leads to a stop goes first."""
    began = time.perf_counter()

    def begin(command: str, work: _Work, *, lane: Lane = Lane.LIGHT) -> None:
        async def measured() -> None:
            try:
                await work()
            finally:
                ANSWERS.labels(command).observe(time.perf_counter() - began)

        context.start(measured, doing=_DOING, lane=lane)

    try:
        request = parse(text)
    except NotUnderstood as refused:
        words = not_understood(refused, command=context.command)
        begin("not understood", lambda: context.reply(words))
        return
    requested = listeners.requests[type(request)]
    begin(type(request).__name__.lower(), lambda: requested.reaction(context, request), lane=requested.lane)


# ---------------------------------------------------------------- mentions
# Listen to commands as a mention and as a direct message: read and answered as after the slash command.
#
# Slash commands do not work in threads, mentions do; the answer to one in a thread stands in that thread. What stands
# before the mention is not read. A direct message that begins with no command is answered with help.
#
# https://docs.slack.dev/interactivity/implementing-slash-commands#threads
# https://docs.slack.dev/reference/events/app_mention, https://docs.slack.dev/reference/events/message.im

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
        """Tell whether a person did it: not by the bot itself nor by another one: two bots that answer each other
        never end.
        """
        return bool(event.get("user")) and event["user"] != self.bot_user_id and not event.get("bot_id")


def _begin(listeners: Listeners, interaction: Interaction, text: str, *, direct: bool = False) -> None:
    """Begin with a line. ``direct``: in a direct message, where not every line is meant for a command."""
    found = listeners.meant(interaction, text, command=_typed(listeners, interaction))
    if found is not None:
        meant, line = found
        line = line if not direct or begins_with_a_command(line) else "help"
        start(meant, meant.context(interaction, command=_typed(meant, interaction)), line)


def _typed(listeners: Listeners, interaction: Interaction) -> str:
    return listeners.command if interaction.channel_id.startswith("D") else listeners.mention
