"""Listen to ``/flows find``, and *Find activeflow* on any message.

https://docs.slack.dev/interactivity/implementing-shortcuts
"""

import asyncio
from typing import Any, Final

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.search.terms import Clues, clues_in
from bot.slack import ids, kit
from bot.slack.blocks.disclosure import NOT_RECORDED
from bot.slack.blocks.mrkdwn import code
from bot.slack.blocks.search_results import found
from bot.slack.grammar.message_text import Said, said
from bot.slack.grammar.normalization import plain, unquoted
from bot.slack.grammar.requests import Find
from bot.slack.interaction import Interaction, from_shortcut
from bot.slack.listeners.context import ListenerContext
from bot.slack.messaging.messenger import Message

_NOTHING: Final = "There is no id and no phone number in {}, so I looked for nothing. Words are looked for with {}.{}"


def register(app: AsyncApp, context: ListenerContext) -> None:
    """The message shortcut."""

    @app.message_shortcut(ids.FIND)
    async def find_activeflow(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction, message = from_shortcut(body), body.get("message")
        context.jobs.start(
            interaction, lambda: _in_message(context.at(interaction), interaction, message), doing="looking for it"
        )


async def tell(context: ListenerContext, interaction: Interaction, request: Find) -> None:
    """Answer with what was found."""
    await _answer(context, interaction, clues_in(plain(unquoted(request.text))))


async def _in_message(context: ListenerContext, interaction: Interaction, message: dict[str, Any] | None) -> None:
    read, clues = await asyncio.to_thread(_read, message)  # a long one takes a while, and others wait for their acks
    unread = f" I did not read {read.unread}." if read.unread else ""
    if clues.targets or clues.numbers:
        await _answer(context, interaction, Clues(clues.targets, clues.numbers, more=clues.more), unread=unread)
    else:
        where = "what I read of this message" if unread else "this message"
        await context.teller.privately(
            interaction, Message(_NOTHING.format(where, code(f"{context.command} find"), unread))
        )


def _read(message: dict[str, Any] | None) -> tuple[Said, Clues]:
    read = said(message)
    return read, clues_in(read.text)


async def _answer(context: ListenerContext, interaction: Interaction, clues: Clues, *, unread: str = "") -> None:
    operator = await context.people.operator(interaction)
    try:
        findings = await context.searching.find(operator, clues)
    except LedgerUnavailable:
        await context.teller.privately(interaction, NOT_RECORDED)
        return
    told = found(findings, operator, context.now(), command=context.command)
    if unread:
        note = kit.context(f"Of the message:{unread}")
        told = Message(f"{told.text}{unread}", (*told.blocks, note))
    await context.teller.privately(interaction, told)
