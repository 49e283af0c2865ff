"""Say on the card, for everybody, that somebody pressed, when nothing was sent within the first seconds.

Else only whoever pressed would know, and a colleague would press, too, or believe that nobody had. What is said is so as of
a time and stays true. It is never drawn over anything newer: it is decided when it is this edit's turn, by the ledger,
and what comes of the press has its turn after it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Self

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.fence import Hold
from bot.activeflows.stopping.ports import Cards, Ledger
from bot.activeflows.stopping.stop import Intent, Press, PressInHand


class SlowPress:
    """One run of a press, as long as nothing else is said of it."""

    def __init__(
        self, ledger: Ledger, cards: Cards, press: Press, hold: Hold, *, after: float, now: Callable[[], datetime]
    ) -> None:
        """``after``: seconds from the press."""
        self._ledger, self._cards, self._press, self._hold = ledger, cards, press, hold
        self._after, self._now = timedelta(seconds=after), now
        self._over = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None
        self._said = False

    @property
    def may_have_said(self) -> bool:
        """Whether the card may say so by now: by this run, or by one that was cut off before it."""
        return self._said or self._hold.fence.number > 1

    async def __aenter__(self) -> Self:
        self._telling = asyncio.create_task(self._tell())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.over()
        if self._telling is not None and not self._said:
            self._telling.cancel()

    def over(self) -> None:
        """What came of the press is said from now on."""
        self._over.set()

    async def _tell(self) -> None:
        try:
            async with asyncio.timeout((self._press.at + self._after - self._now()).total_seconds()):
                await self._over.wait()
        except TimeoutError:
            pass
        else:
            return
        try:
            found = await self._ledger.intent(self._press.intent_id)
        except LedgerUnavailable:
            return  # nobody can say whether the card is still that
        if found is not None:
            await self._cards.redraw(found[0], partial(self._unsent, found[0]))

    async def _unsent(self, intent: Intent) -> PressInHand | None:
        """That nothing was sent yet; ``None`` when that, or whether this run still counts, cannot be said any more."""
        at, press = self._now(), self._press
        try:
            unsent = await self._ledger.unsent(intent, press.id) and await self._ledger.holds(self._hold.fence)
        except LedgerUnavailable:
            return None
        if not unsent or self._over.is_set():
            return None
        self._said = True
        return PressInHand(press.by, press.at, at)
