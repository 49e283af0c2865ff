"""Learn how long things usually take: from the index, into the ledger, for the anomaly detector.

Promises: nothing here holds up an event or ends by itself. While the ledger takes nothing, what was learned is kept for
later, in memory and bounded; without an event stream nothing is learned.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from bot.activeflows.anomalies.detector import AnomalyDetector
from bot.activeflows.anomalies.dwell_times import DwellTimes
from bot.activeflows.index import Index
from bot.composition.background import beside, forever, tried
from bot.ledger.baseline_store import BaselineStore

KEEP_EVERY: Final = 60.0
"""Seconds between two times that what was learned is written down."""
THINK_EVERY: Final = 1.0
_AT_ONCE: Final = 50
"""Changes worked through before others on the event loop get their turn."""


class BaselineLearner:
    """Keeps the stays of what runs, and their past."""

    def __init__(self, book: BaselineStore, *, now: Callable[[], datetime]) -> None:
        self.stays = DwellTimes()
        self._book, self._now = book, now
        self._known = False

    @asynccontextmanager
    async def at_work(
        self, index: Index, *, keep_every: float = KEEP_EVERY, think_every: float = THINK_EVERY
    ) -> AsyncIterator[AnomalyDetector]:
        """Learn from this index while the block lasts; yields who judges by it."""
        deaf = index.listen(self.stays.hear)
        try:
            async with beside(forever(self.think, every=think_every)), beside(forever(self.keep, every=keep_every)):
                yield AnomalyDetector(self.stays)
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
