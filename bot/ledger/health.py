"""Check whether the ledger can be written, and whether the audit still matches its heads.

Whether it can be written includes whether it is one's turn: whoever holds the lock of the chain keeps every stop
waiting. Ask over connections apart from those of the work (``Database.apart``), so that nothing of it is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import Connection, desc, insert, select

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.health import Finding, HealthState
from bot.activeflows.records import Head
from bot.ledger import workflow_rows
from bot.ledger.audit import missing, newest_head, receipt_of
from bot.ledger.database import Database, one_writer
from bot.ledger.tables import VERSION, version
from bot.ledger.tables import heads as told

_SOON: Final = 1.5
"""Seconds: before whoever asks gives up, so that the words name the ledger."""


async def ledger(database: Database) -> Finding:
    """Look at the newest record; that a row can be written is tried, and taken back."""
    try:
        there, head, gone, strange = await database.within(_looked, patience=_SOON)
    except LedgerUnavailable as trouble:
        then = "Look at the database: nothing is stopped that cannot be recorded."
        return Finding("ledger", HealthState.BROKEN, trouble.what, then, disabling=True)
    if gone:
        what = f"writable, but {gone}"
        return Finding("ledger", HealthState.BROKEN, what, "Ask who changed the database: flows-bot audit verify.")
    if strange:
        rows = "1 workflow row is" if strange == 1 else f"{strange} workflow rows are"
        what = f"writable, but {rows} not this bot's and refused"
        return Finding("ledger", HealthState.BROKEN, what, "Ask who wrote into the database, and who else can.")
    last = f"newest audit record {receipt_of(head.seq, head.hash)}" if head else "no audit record yet"
    if there > VERSION:
        what = f"writable, but a newer flows-bot has upgraded it to version {there}; this one knows {VERSION}"
        return Finding(
            "ledger", HealthState.WARNING, what, "Replace this one, too: it works on, and does not start again."
        )
    then = "" if there == VERSION else f" (the next start upgrades it to version {VERSION})"
    return Finding("ledger", HealthState.OK, f"version {there}{then}, writable, {last}")


def _tried(connection: Connection) -> None:
    one_writer(connection)
    with connection.begin_nested() as attempt:
        connection.execute(insert(told).values(day="a look", seq=0, hash=""))
        attempt.rollback()


def _looked(connection: Connection) -> tuple[int, Head | None, str, int]:
    """Return the version, the newest head, why the chain does not go through the one told last, and the rows of
    strangers.
    """
    _tried(connection)
    last = connection.execute(select(told.c.seq, told.c.hash).order_by(desc(told.c.day)).limit(1)).first()
    gone = missing(connection, Head(last.seq, last.hash)) if last else ""
    return version(connection), newest_head(connection), gone, workflow_rows.foreign(connection)


# ---------------------------------------------------------------- outage
# Notice that the database does not answer while presses are being carried out, so that nobody waits without a word.
#
# DBOS waits for its database without end and says nothing, and so does whoever waits for a record: the database is
# asked itself, by a transaction that writes nothing and yet waits as a writer does.


class LedgerProbe:
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
        """Look at the ledger until cancelled."""
        clock = asyncio.get_running_loop().time
        answered, asking, telling = clock(), None, None
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
                if clock() - answered >= self._after and (telling is None or telling.done()):
                    telling = asyncio.ensure_future(self._told())  # beside it: Slack may take long
        finally:
            for task in (asking, telling):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    async def _answers(self) -> bool:
        try:
            await self._database.within(_nothing)
        except LedgerUnavailable:
            return False
        return True


def _nothing(_: Connection) -> None:
    return None
