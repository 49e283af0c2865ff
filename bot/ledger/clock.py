"""Read one clock for everybody on one ledger: the database's, so that replicas agree when a card's time is over.

PostgreSQL is asked, and this process's clock is compared with it now and then. On SQLite there is one process, and its
clock is the one.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

from bot.ledger.database import Database

COMPARE_EVERY: Final = 5.0
"""Seconds between two comparisons."""


def clock(connection: Connection, now: Callable[[], datetime]) -> datetime:
    """What time it is for the database; ``now`` tells it on SQLite."""
    if connection.dialect.name != "postgresql":
        return now()
    told: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return told.astimezone(UTC)


class SharedClock:
    """This process's clock, set by the database's. ``wall`` is the process's own."""

    def __init__(self, database: Database, wall: Callable[[], datetime]) -> None:
        self._database, self._wall = database, wall
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._wall() + self._ahead

    async def compare(self) -> None:
        """Ask the database. May raise ``LedgerUnavailable``; then the last comparison counts on."""
        if self._database.is_postgresql:
            began = self._wall()
            told = await self._database.within(lambda connection: clock(connection, self._wall))
            self._ahead = told - (began + (self._wall() - began) / 2)
