"""Keep the bulk stop cards true (``bulk.ports.BulkCards``): edited in place, one edit after the other."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.activeflows.bulk.bulk_stop import Bulk, Origin, Run
from bot.activeflows.stopping.ports import Guard
from bot.activeflows.stopping.stop import Declined, Press
from bot.slack import ids
from bot.slack.blocks.bulk_card import bulk_card
from bot.slack.blocks.declined import ask_others, declined_press
from bot.slack.cards.stop_cards import StopCards, header_of, unchanged
from bot.slack.interaction import from_press
from bot.slack.messaging.messenger import Messenger, Posted


class BulkCards:
    """``presses``: who hears about a press within seconds (``StopCards.promise``), whatever it was on."""

    def __init__(self, teller: Messenger, presses: StopCards) -> None:
        self._teller, self._presses = teller, presses
        self._turns: dict[str, asyncio.Lock] = {}

    async def show(self, bulk: Bulk, run: Run, press: Press | None, *, guard: Guard | None = None) -> bool:
        """Change the card for everybody, or tell the presser; whether somebody could see it."""
        message = bulk_card(bulk, run, self._presses.typed_in(bulk.thread))
        interaction = from_press(press) if press is not None else None
        self._presses.begun(press)
        async with self._turns.setdefault(bulk.id, asyncio.Lock()):
            if guard is not None:
                await guard()
            where = Posted(bulk.channel, bulk.message_ts or (interaction.message_ts if interaction else ""))
            edited = await self._teller.edit(where, message, interaction=interaction)
            seen = bool(edited)
            if not seen and interaction is not None and run.ending is not None:
                seen = await self._teller.privately(interaction, unchanged(message, edited.error))
        if press is not None:
            self._presses.answered(press, header_of(message))
        if run.ending is not None:
            self._turns.pop(bulk.id, None)
        return seen

    async def add_origin(
        self,
        bulk: Bulk,
        where: Posted,
        origin: Origin,
        who_may: tuple[str, ...],
        still_open: Callable[[], Awaitable[bool]],
    ) -> None:
        """Say on a card that can still be pressed what goes on; what a press has drawn is never drawn over."""
        async with self._turns.setdefault(bulk.id, asyncio.Lock()):
            if await still_open():
                typed = self._presses.typed_in(bulk.thread)
                await self._teller.redraw(where, bulk_card(bulk, Run(), typed, who_may=who_may, origin=origin))

    async def decline(self, press: Press, declined: Declined) -> bool:
        ask = ask_others(press.intent_id, ids.BULK_ASK_OTHERS)
        seen = await self._teller.privately(
            from_press(press), declined_press(declined, self._presses.typed_in(press.thread), ask=ask)
        )
        self._presses.answered(press)
        return seen
