"""Keeps the stop cards true: edits them in place, in order, and falls back until somebody could see it.

Phases of one activeflow's cards are told one after the other, so a slow edit of an older phase cannot overwrite a newer
one. When a card can no longer be changed (the bot is no member, the response_url is used up), what it would say is told
to the presser alone, with that fact.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from slack_sdk.models.blocks import ContextBlock, MarkdownTextObject

from bot.activeflows.stopping.stops import Declined, Intent, Phase, Press, Wish
from bot.slack.blocks.declined import ask_others, declined_press
from bot.slack.blocks.stop_card import stop_card
from bot.slack.presses import gesture_of
from bot.slack.telling import Message, Posted, Teller

STILL_LOOKING: Final = Message(
    "Your press is recorded and will be carried out. I am still asking Slack who you are and VoIPBIN what it is doing; "
    "the card will say what becomes of it."
)


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class StopCards:
    """``stopping.ports.Cards`` in Slack."""

    def __init__(self, teller: Teller, command: str, *, reassure_after: float = 2.0) -> None:
        self._teller, self._command, self._reassure_after = teller, command, reassure_after
        self._turns: dict[UUID, _Turn] = {}
        self._first_words: dict[str, asyncio.Event] = {}
        self._reassuring: dict[str, asyncio.Task[None]] = {}

    async def show(self, intent: Intent, phase: Phase, press: Press | None) -> bool:
        """Change the card for everybody, or tell the presser; whether somebody could see it."""
        message = stop_card(intent, phase, self._command)
        gesture = gesture_of(press) if press is not None else None
        async with self._in_turn(intent.activeflow_id):
            where = Posted(intent.channel, intent.message_ts or (press.message_ts if press else ""))
            seen = await self._teller.edit(where, message, gesture=gesture)
            if not seen and gesture is not None:
                seen = await self._teller.privately(gesture, unchanged(message))
        self._said(press)
        return seen

    async def decline(self, press: Press, declined: Declined) -> bool:
        ask = ask_others(press.intent_id) if press.wish is Wish.STOP else None  # of a hang-up the card stands there
        seen = await self._teller.privately(gesture_of(press), declined_press(declined, self._command, ask=ask))
        self._said(press)
        return seen

    def promise(self, press: Press) -> None:
        """From now on somebody hears about this press within seconds. Call it before the press is started."""
        self._first_words[press.id] = asyncio.Event()
        task = asyncio.create_task(self._reassure(press))
        self._reassuring[press.id] = task
        task.add_done_callback(lambda _: self._reassuring.pop(press.id, None))

    def broken(self, press: Press) -> None:
        """The press was not recorded after all; what is said about that is said elsewhere."""
        self._said(press)

    def answered(self, press: Press) -> None:
        """Words about this press were said elsewhere."""
        self._said(press)

    async def _reassure(self, press: Press) -> None:
        try:
            async with asyncio.timeout(self._reassure_after):
                await self._first_words[press.id].wait()
        except TimeoutError:
            await self._teller.privately(gesture_of(press), STILL_LOOKING)
        finally:
            self._first_words.pop(press.id, None)

    def _said(self, press: Press | None) -> None:
        if press is not None and press.id in self._first_words:
            self._first_words[press.id].set()

    @asynccontextmanager
    async def _in_turn(self, activeflow_id: UUID) -> AsyncIterator[None]:
        turn = self._turns.setdefault(activeflow_id, _Turn())
        turn.waiting += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                del self._turns[activeflow_id]


def unchanged(message: Message) -> Message:
    """The card's words for one person, without its buttons, and why they come this way."""
    why = "Only you see this: the card in the channel could not be changed. Invite the bot there to have it changed."
    kept = tuple(block for block in message.blocks if block.type != "actions")
    note = ContextBlock(elements=[MarkdownTextObject(text=why)])
    return Message(f"{message.text} {why}", (*kept, note))
