"""Keep the stop cards true: edit them in place, in order, and fall back until somebody could see it.

Phases of one activeflow's cards are told one after the other, so a slow edit of an older phase cannot overwrite a newer
one. When a card can no longer be changed (the bot is no member, the response_url is used up), what it would say is told
to the presser alone, with that fact.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bot.activeflows.stopping.ports import Guard
from bot.activeflows.stopping.stop import Declined, Intent, NotKnown, Phase, Press, Wish
from bot.slack import kit
from bot.slack.blocks.declined import ask_others, declined_press, stuck_press
from bot.slack.blocks.error_words import reported
from bot.slack.blocks.stop_card import still_not_known, stop_card
from bot.slack.interaction import from_press
from bot.slack.kit import date_token
from bot.slack.messaging.messenger import Message, Messenger, Posted, not_shown

_CARD: Final = "The card will show what happens."
_LATE: Final = timedelta(minutes=1)
"""So late a card may be the first to say that it is not known."""
_CORRECTED_WITHIN: Final = 1500.0
"""Seconds: a response_url takes answers for half an hour."""


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


@dataclass(slots=True)
class _Waiting:
    """A press of which nothing was said yet."""

    said: asyncio.Event = field(default_factory=asyncio.Event)
    recorded: bool = False
    begun: bool = False
    """A card is being changed for it: something may have been sent by now."""
    header: str = ""
    """What the card says, when that was the first word."""


class StopCards:
    """``stopping.ports.Cards`` in Slack."""

    def __init__(
        self,
        teller: Messenger,
        command: str,
        *,
        now: Callable[[], datetime],
        mention: str = "",
        reassure_after: float = 2.0,
        call_after: float = 60.0,
        mentioned: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        """``mention``: what is typed instead of ``command`` in a thread, where there are no slash commands.

        ``call_after``: seconds after which whoever pressed is called to a card whose outcome is not known by then, if
        ``mentioned`` says that they want to be.
        """
        self._teller, self._command, self._now, self._reassure_after = teller, command, now, reassure_after
        self._mention = mention or command
        self._call_after, self._mentioned = timedelta(seconds=call_after), mentioned
        self._calling: dict[str, asyncio.Task[None]] = {}
        self._turns: dict[UUID, _Turn] = {}
        self._first_words: dict[str, _Waiting] = {}
        self._reassuring: dict[str, asyncio.Task[None]] = {}
        self._untouched: set[str] = set()
        self._stuck: set[str] = set()

    async def show(self, intent: Intent, phase: Phase, press: Press | None, *, guard: Guard | None = None) -> bool:
        """Change the card for everybody, or tell the presser; whether somebody could see it."""
        message = stop_card(intent, phase, self.typed_in(intent.thread))
        interaction = from_press(press) if press is not None else None
        self.begun(press)
        if press is not None and not isinstance(phase, NotKnown):
            self._do_not_call(press)  # before the edit, which may take long: it is known by now
        async with self._in_turn(intent.activeflow_id):
            if guard is not None:
                await guard()
            where = Posted(intent.channel, intent.message_ts or (interaction.message_ts if interaction else ""))
            edited = await self._teller.edit(where, message, interaction=interaction)
            seen = bool(edited)
            if not seen and interaction is not None:
                seen = await self._teller.privately(interaction, unchanged(message, edited.error))
        self._said(press, header_of(message))
        self._call_if_not_known(intent, phase, press)
        return seen

    async def redraw(self, intent: Intent, phase: Callable[[], Awaitable[Phase | None]]) -> bool:
        """Only by ``chat.update``: a response_url takes five answers, which are kept for what came of the press."""
        async with self._in_turn(intent.activeflow_id):
            now = await phase() if intent.message_ts else None
            if now is None:
                return False
            message = stop_card(intent, now, self.typed_in(intent.thread))
            return bool(await self._teller.redraw(Posted(intent.channel, intent.message_ts), message))

    def _call_if_not_known(self, intent: Intent, phase: Phase, press: Press | None) -> None:
        """Call whoever pressed, once, when it is not known for so long; after a restart in that time it may be
        twice.
        """
        if press is None or press.wish is not Wish.STOP or not isinstance(phase, NotKnown):
            return
        if press.id not in self._calling and intent.message_ts and self._now() < press.at + self._call_after + _LATE:
            self._calling[press.id] = asyncio.create_task(self._call(intent, press))

    def _do_not_call(self, press: Press) -> None:
        calling = self._calling.pop(press.id, None)
        if calling is not None:
            calling.cancel()

    async def _call(self, intent: Intent, press: Press) -> None:
        await asyncio.sleep((press.at + self._call_after - self._now()).total_seconds())
        if self._mentioned is not None and not await self._mentioned(press.by):
            return
        below = replace(from_press(press), thread_ts=intent.thread or intent.message_ts, response_url="")
        await self._teller.publicly(below, still_not_known(intent, press, self._now()))

    async def decline(self, press: Press, declined: Declined) -> bool:
        ask = ask_others(press.intent_id) if press.wish is Wish.STOP else None  # of a hang-up the card stands there
        seen = await self._teller.privately(
            from_press(press), declined_press(declined, self.typed_in(press.thread), ask=ask)
        )
        self._untouched.discard(press.id)
        self._said(press)
        return seen

    async def stuck(self, press: Press, bug: Exception | None) -> None:
        """Tell once that a press is stuck half-way, to whoever pressed and below the card: by a bug, or by the
        database.
        """
        if press.id in self._stuck:
            return
        self._stuck.add(press.id)
        number = reported(bug, user=press.by, doing=f"carrying out a {press.wish}") if bug is not None else ""
        untouched = press.id in self._untouched
        message = stuck_press(press, self._now(), untouched=untouched, incident=number)
        self._said(press)
        interaction = from_press(press)
        await self._teller.privately(interaction, message)
        if interaction.channel_id and interaction.message_ts:
            below = replace(interaction, thread_ts=interaction.message_ts, response_url="")
            await self._teller.publicly(below, message)

    def typed_in(self, thread: str) -> str:
        """What is typed before the words of a command there; ``thread`` is empty outside of threads."""
        return self._mention if thread else self._command

    def promise(self, press: Press) -> None:
        """From now on somebody hears about this press within seconds. Call it before the press is started."""
        self._first_words[press.id] = _Waiting()
        self._untouched.add(press.id)
        task = asyncio.create_task(self._reassure(press))
        self._reassuring[press.id] = task
        task.add_done_callback(lambda _: self._reassuring.pop(press.id, None))

    def recorded(self, press: Press) -> None:
        """The press is on record: from now on that may be said."""
        if press.id in self._first_words:
            self._first_words[press.id].recorded = True

    def begun(self, press: Press | None) -> None:
        """What is to be said about the press is on its way: from now on it is not said that nothing was sent."""
        if press is not None:
            self._untouched.discard(press.id)
            self._stuck.discard(press.id)
        if press is not None and press.id in self._first_words:
            self._first_words[press.id].begun = True

    def broken(self, press: Press) -> None:
        """The press was not recorded after all; what is said about that is said elsewhere."""
        self._said(press)

    def answered(self, press: Press, header: str = "") -> None:
        """Words about this press were said elsewhere: on a card with this header, or to the presser alone."""
        self._said(press, header)

    async def _reassure(self, press: Press) -> None:
        """Say how it is when nothing was said for a while; and, since that does not stay so, when it is so no more."""
        waiting = self._first_words[press.id]
        try:
            async with asyncio.timeout(self._reassure_after):
                await waiting.said.wait()
        except TimeoutError:
            if await self._teller.privately(from_press(press), _so_far(waiting, self._now())):
                await self._correct(press, waiting)
        finally:
            self._first_words.pop(press.id, None)

    async def _correct(self, press: Press, waiting: _Waiting) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CORRECTED_WITHIN):
                await waiting.said.wait()
                if waiting.header:
                    words = f"About your press, as of {date_token(self._now())}: “{waiting.header}”. {_CARD}"
                    await self._teller.privately(from_press(press), Message(words))

    def _said(self, press: Press | None, header: str = "") -> None:
        if press is not None and press.id in self._first_words:
            waiting = self._first_words[press.id]
            waiting.header = waiting.header or header
            waiting.said.set()

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


def _so_far(waiting: _Waiting, at: datetime) -> Message:
    """How it is with a press of which nothing else was said yet."""
    if waiting.begun:
        return Message(f"Your press is recorded. Slack has not changed the card yet, as of {date_token(at)}. {_CARD}")
    nothing = f"Nothing has been sent yet, as of {date_token(at)}"
    if not waiting.recorded:
        return Message(f"Got your press. {nothing}: it is not on record, and without a record I stop nothing.")
    return Message(
        f"Your press is recorded. {nothing}: I am still asking Slack who you are and VoIPBIN what it is doing. {_CARD}"
    )


def header_of(message: Message) -> str:
    """The first line of a card."""
    first = message.blocks[0] if message.blocks else None
    return first["text"]["text"] if first is not None and first["type"] == "header" else ""


def unchanged(message: Message, error: str) -> Message:
    """The card's words for one person, without its buttons, and why they come this way. ``error``: Slack's word for
    it.
    """
    why = f"Only you see this. {not_shown('The card in the channel', error, did='changed')}"
    kept = tuple(block for block in message.blocks if block["type"] != "actions")
    note = kit.context(why)
    return Message(f"{message.text} {why}", (*kept, note))
