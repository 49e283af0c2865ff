"""Listen to ``/flows find``, and *Find activeflow* on any message.

https://docs.slack.dev/interactivity/implementing-shortcuts
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.search.finder import Finder
from bot.activeflows.search.terms import Clues, clues_in
from bot.slack import ids, kit
from bot.slack.blocks.disclosure import NOT_RECORDED
from bot.slack.blocks.mrkdwn import code
from bot.slack.blocks.search_results import found
from bot.slack.grammar.message_text import Said, said
from bot.slack.grammar.normalization import plain, unquoted
from bot.slack.grammar.requests import Find
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.messaging.messenger import Message

_NOTHING: Final = "There is no id and no phone number in {}, so I looked for nothing. Words are looked for with {}.{}"


@dataclass(frozen=True)
class SearchListener:
    """The request, and the message shortcut."""

    finder: Finder
    now: Callable[[], datetime]

    def register(self, listeners: Listeners) -> None:
        listeners.on_request(Find, self._find)
        listeners.on_message_shortcut(ids.FIND, self._in_message, doing="looking for it")

    async def _find(self, context: InteractionContext, request: Find) -> None:
        await self._answer(context, clues_in(plain(unquoted(request.text))))

    async def _in_message(self, context: InteractionContext, body: dict[str, Any]) -> None:
        message = body.get("message")
        read, clues = await asyncio.to_thread(
            _read, message
        )  # a long one takes a while, and others wait for their acks
        unread = f" I did not read {read.unread}." if read.unread else ""
        if clues.targets or clues.numbers:
            await self._answer(context, Clues(clues.targets, clues.numbers, more=clues.more), unread=unread)
        else:
            where = "what I read of this message" if unread else "this message"
            await context.reply(Message(_NOTHING.format(where, code(f"{context.command} find"), unread)))

    async def _answer(self, context: InteractionContext, clues: Clues, *, unread: str = "") -> None:
        operator = await context.operator()
        try:
            findings = await self.finder.find(operator, clues)
        except LedgerUnavailable:
            await context.reply(NOT_RECORDED)
            return
        told = found(findings, operator, self.now(), command=context.command)
        if unread:
            note = kit.context(f"Of the message:{unread}")
            told = Message(f"{told.text}{unread}", (*told.blocks, note))
        await context.reply(told)


def _read(message: dict[str, Any] | None) -> tuple[Said, Clues]:
    read = said(message)
    return read, clues_in(read.text)
