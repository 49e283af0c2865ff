"""Edit cards one after the other, and tell the presser alone what Slack does not take.

What Slack does not take for now is tried again for a while, but only where nobody can have drawn anything newer: in
this process by the order of the edits, in another one because nobody can press a card that is over.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.activeflows.stopping.ports import Guard
from bot.slack import kit
from bot.slack.interaction import Interaction
from bot.slack.messaging.messenger import Message, Messenger, Posted, Redrawn, not_shown


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    newest: dict[Posted, object] = field(default_factory=dict)
    """The last edit of each card: what has its turn may be of several cards."""


class CardEdits:
    """Edits cards, those of one subject in turn. ``again``: pauses before what Slack did not take is tried again."""

    def __init__(self, teller: Messenger, again: tuple[float, ...]) -> None:
        self._teller, self._again = teller, again
        self._turns: dict[Hashable, _Turn] = {}

    async def edit(
        self,
        subject: Hashable,
        where: Posted,
        message: Message,
        interaction: Interaction | None,
        *,
        guard: Guard | None = None,
        over: bool = False,
        aloud: bool = False,
    ) -> bool:
        """For everybody, or else to the presser; whether somebody could see it.

        ``over``: nobody else changes this card any more. ``aloud``: the presser is not told instead.
        """
        refused, seen = Redrawn(""), False
        async with self._waiting_for(subject) as turn:
            turn.newest[where] = mine = object()
            for number, pause in enumerate((*self._again, None)):
                waited = bool(number) or turn.waiting > 1
                async with turn.lock:
                    if number and turn.newest[where] is not mine:
                        return seen
                    if guard is not None:
                        await guard(waited=waited)
                    if over or not number:
                        refused = await self._teller.edit(where, message, interaction=interaction)
                    if not refused.error:
                        return True
                    if interaction is not None and not aloud and not seen:
                        seen = await self._teller.privately(interaction, unchanged(message, refused.error))
                told = seen or aloud or interaction is None
                if pause is None or (told and not (over and refused.passing)):
                    break
                await asyncio.sleep(max(pause, refused.retry_after))
        return seen

    async def redraw(
        self,
        subject: Hashable,
        where: Posted,
        now: Callable[[], Awaitable[Message | None]],
        interaction: Interaction | None,
    ) -> bool:
        """To what ``now`` says at its turn, if anything. With an ``interaction`` whoever made it is told at last.

        Only by ``chat.update``, without one: a response_url takes five answers, which are kept for what came of a
        press.
        """
        async with self._waiting_for(subject) as turn:
            mine = object()
            for number, pause in enumerate((*(self._again if interaction is not None else ()), None)):
                async with turn.lock:
                    message = await now() if not number or turn.newest[where] is mine else None
                    if message is None:
                        return False
                    turn.newest[where] = mine
                    refused = await self._teller.edit(where, message, interaction=interaction)
                    if not refused.error:
                        return True
                    if interaction is not None and (pause is None or not refused.passing):
                        return await self._teller.privately(interaction, unchanged(message, refused.error))
                if pause is not None:
                    await asyncio.sleep(max(pause, refused.retry_after))
        return False

    async def until_seen(self, tell: Callable[[], Awaitable[bool]]) -> bool:
        """Tell somebody something, again for a while; whether they could see it."""
        for pause in self._again:
            if await tell():
                return True
            await asyncio.sleep(pause)
        return await tell()

    @asynccontextmanager
    async def _waiting_for(self, subject: Hashable) -> AsyncIterator[_Turn]:
        turn = self._turns.setdefault(subject, _Turn())
        turn.waiting += 1
        try:
            yield turn
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                del self._turns[subject]


def unchanged(message: Message, error: str) -> Message:
    """The card's words for one person, without its buttons, and why they come this way. ``error``: Slack's word for
    it.
    """
    why = f"Only you see this. {not_shown('The card in the channel', error, did='changed')}"
    kept = tuple(block for block in message.blocks if block["type"] != "actions")
    note = kit.context(why)
    return Message(f"{message.text} {why}", (*kept, note))
