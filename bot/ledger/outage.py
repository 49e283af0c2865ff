"""Notice that the database does not answer while presses are being carried out, so that nobody waits without a word.

DBOS waits for its database without end and says nothing, and so does whoever waits for a record: the database is asked
itself, by a transaction that writes nothing and yet waits as a writer does.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection

from bot.activeflows.errors import LedgerUnavailable
from bot.ledger.database import Database


class Silence:
    """Asks every second or so, while ``needed``, and calls ``told`` for as long as it does not answer."""

    def __init__(
        self,
        database: Database,
        needed: Callable[[], bool],
        told: Callable[[], Awaitable[None]],
        *,
        after: float,
        every: float = 1.0,
    ) -> None:
        """``after``: seconds without an answer that are still no silence."""
        self._database, self._needed, self._told = database, needed, told
        self._after, self._every = after, every

    async def attend(self) -> None:
        """Until cancelled."""
        clock = asyncio.get_running_loop().time
        answered, asking = clock(), None
        try:
            while True:
                await asyncio.sleep(self._every)
                if asking is None and not self._needed():
                    answered = clock()
                    continue
                asking = asking or asyncio.create_task(self._answers())
                await asyncio.wait({asking}, timeout=self._every)
                if asking.done():
                    answered = clock() if asking.result() else answered
                    asking = None
                if clock() - answered >= self._after:
                    await self._told()
        finally:
            if asking is not None:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)

    async def _answers(self) -> bool:
        try:
            await self._database.within(_nothing)
        except LedgerUnavailable:
            return False
        return True


def _nothing(_: Connection) -> None:
    return None
