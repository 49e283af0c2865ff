"""``/flows find``, and *Find activeflow* on any message: both read a text, and are answered to whoever asked alone.

https://docs.slack.dev/interactivity/implementing-shortcuts
"""

import asyncio
from typing import Any, Final

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.models.blocks import ContextBlock, MarkdownTextObject

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.searching.clues import Clues, clues_in
from bot.slack import ids
from bot.slack.blocks.found import found
from bot.slack.blocks.mrkdwn import code
from bot.slack.blocks.revealed import NOT_RECORDED
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture, from_shortcut
from bot.slack.grammar.requests import Find
from bot.slack.grammar.said import Said, said
from bot.slack.grammar.typed import plain, unquoted
from bot.slack.telling import Message

_NOTHING: Final = "There is no id and no phone number in {}, so I looked for nothing. Words are looked for with {}.{}"


def register(app: AsyncApp, desk: Desk) -> None:
    """The message shortcut."""

    @app.message_shortcut(ids.FIND)
    async def find_activeflow(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        gesture, message = from_shortcut(body), body.get("message")
        desk.jobs.start(gesture, lambda: _in_message(desk.at(gesture), gesture, message), doing="looking for it")


async def tell(desk: Desk, gesture: Gesture, request: Find) -> None:
    """Answer with what was found."""
    await _answer(desk, gesture, clues_in(plain(unquoted(request.text))))


async def _in_message(desk: Desk, gesture: Gesture, message: dict[str, Any] | None) -> None:
    read, clues = await asyncio.to_thread(_read, message)  # a long one takes a while, and others wait for their acks
    unread = f" I did not read {read.unread}." if read.unread else ""
    if clues.targets or clues.numbers:
        await _answer(desk, gesture, Clues(clues.targets, clues.numbers, more=clues.more), unread=unread)
    else:
        where = "what I read of this message" if unread else "this message"
        await desk.teller.privately(gesture, Message(_NOTHING.format(where, code(f"{desk.command} find"), unread)))


def _read(message: dict[str, Any] | None) -> tuple[Said, Clues]:
    read = said(message)
    return read, clues_in(read.text)


async def _answer(desk: Desk, gesture: Gesture, clues: Clues, *, unread: str = "") -> None:
    operator = await desk.people.operator(gesture)
    try:
        findings = await desk.searching.find(operator, clues)
    except LedgerUnavailable:
        await desk.teller.privately(gesture, NOT_RECORDED)
        return
    told = found(findings, operator, desk.now(), command=desk.command)
    if unread:
        note = ContextBlock(elements=[MarkdownTextObject(text=f"Of the message:{unread}")])
        told = Message(f"{told.text}{unread}", (*told.blocks, note))
    await desk.teller.privately(gesture, told)
