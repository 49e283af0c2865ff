"""``/flows find``, and *Find activeflow* on any message: both read a text, and are answered to whoever asked alone.

https://docs.slack.dev/interactivity/implementing-shortcuts
"""

from typing import Any, Final

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.searching.clues import Clues, clues_in
from bot.slack import ids
from bot.slack.blocks.found import found
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture, from_shortcut
from bot.slack.grammar.requests import Find
from bot.slack.grammar.said import said
from bot.slack.grammar.typed import plain, unquoted
from bot.slack.telling import Message

_NOTHING: Final = (
    "There is no id and no phone number in this message, so I looked for nothing. Words are looked for with `{} find`."
)


def register(app: AsyncApp, desk: Desk) -> None:
    """The message shortcut."""

    @app.message_shortcut(ids.FIND)
    async def find_activeflow(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        gesture, text = from_shortcut(body), said(body.get("message"))
        desk.jobs.start(gesture, lambda: _in_message(desk, gesture, text), doing="looking for it")


async def tell(desk: Desk, gesture: Gesture, request: Find) -> None:
    """Answer with what was found."""
    await _answer(desk, gesture, clues_in(plain(unquoted(request.text))))


async def _in_message(desk: Desk, gesture: Gesture, text: str) -> None:
    clues = clues_in(text)
    if clues.targets or clues.numbers:
        await _answer(desk, gesture, Clues(clues.targets, clues.numbers, more=clues.more))
    else:
        await desk.teller.privately(gesture, Message(_NOTHING.format(desk.command)))


async def _answer(desk: Desk, gesture: Gesture, clues: Clues) -> None:
    operator = await desk.people.operator(gesture)
    findings = await desk.searching.find(operator, clues)
    await desk.teller.privately(gesture, found(findings, operator, desk.now(), command=desk.command))
