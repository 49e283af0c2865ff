"""The part of the composition root that learns what is usual: from the index, into the ledger, for who judges.

Promises: nothing here holds up an event or ends by itself. While the ledger takes nothing, what was learned is kept for
later, in memory and bounded; without an event stream nothing is learned.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from bot.activeflows.index import Index
from bot.activeflows.judging.judge import Judging
from bot.activeflows.judging.stays import Stays
from bot.composition.beside import beside, forever, tried
from bot.ledger.usual_book import UsualBook

KEEP_EVERY: Final = 60.0
"""Seconds between two times that what was learned is written down."""
THINK_EVERY: Final = 1.0
_AT_ONCE: Final = 50
"""Changes worked through before others on the event loop get their turn."""


class Learning:
    """Keeps the stays of what runs, and their past."""

    def __init__(self, book: UsualBook, *, now: Callable[[], datetime]) -> None:
        self.stays = Stays()
        self._book, self._now = book, now
        self._known = False

    @asynccontextmanager
    async def at_work(
        self, index: Index, *, keep_every: float = KEEP_EVERY, think_every: float = THINK_EVERY
    ) -> AsyncIterator[Judging]:
        """Learn from this index while the block lasts; yields who judges by it."""
        deaf = index.listen(self.stays.hear)
        try:
            async with beside(forever(self.think, every=think_every)), beside(forever(self.keep, every=keep_every)):
                yield Judging(self.stays)
        finally:
            deaf()
            await tried(self.think)
            await tried(self.keep)

    async def think(self) -> None:
        """Work through what was heard."""
        more = True
        while more:
            more = self.stays.work(_AT_ONCE)
            await asyncio.sleep(0)

    async def keep(self) -> None:
        """Write down what was learned since, and read what the others learned. Raises ``LedgerUnavailable``."""
        if not self._known:
            self.stays.know(await self._book.all())
            self._known = True
        new = self.stays.take_new()
        try:
            known = await self._book.add(new, self._now())
        except BaseException:
            self.stays.give_back(new)
            raise
        self.stays.know(known)
