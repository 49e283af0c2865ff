"""Check whether the ledger can be written, and whether the audit still matches its heads.

Whether it can be written includes whether it is one's turn: whoever holds the lock of the chain keeps every stop waiting.
Ask over connections apart from those of the work (``Database.apart``), so that nothing of it is waited for.
"""

from typing import Final

from sqlalchemy import Connection, desc, insert, select

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.health import Finding, State
from bot.activeflows.records import Head
from bot.ledger import audit_heads, foreign_rows
from bot.ledger.audit import receipt_of
from bot.ledger.database import Database, one_writer
from bot.ledger.layout import version
from bot.ledger.tables import VERSION, audit
from bot.ledger.tables import heads as told

_SOON: Final = 1.5
"""Seconds: before whoever asks gives up, so that the words name the ledger."""


async def ledger(database: Database) -> Finding:
    """The newest record; that a row can be written is tried, and taken back."""
    try:
        there, head, gone, strange = await database.within(_looked, patience=_SOON)
    except LedgerUnavailable as trouble:
        then = "Look at the database: nothing is stopped that cannot be recorded."
        return Finding("ledger", State.BROKEN, trouble.what, then, disabling=True)
    if gone:
        what = f"writable, but {gone}"
        return Finding("ledger", State.BROKEN, what, "Ask who changed the database: flows-bot audit verify.")
    if strange:
        rows = "1 workflow row is" if strange == 1 else f"{strange} workflow rows are"
        what = f"writable, but {rows} not this bot's and refused"
        return Finding("ledger", State.BROKEN, what, "Ask who wrote into the database, and who else can.")
    newest = f"newest audit record {receipt_of(head.seq, head.hash)}" if head else "no audit record yet"
    if there > VERSION:
        what = f"writable, but a newer flows-bot has upgraded it to version {there}; this one knows {VERSION}"
        return Finding("ledger", State.WARNING, what, "Replace this one, too: it works on, and does not start again.")
    then = "" if there == VERSION else f" (the next start upgrades it to version {VERSION})"
    return Finding("ledger", State.OK, f"version {there}{then}, writable, {newest}")


def _tried(connection: Connection) -> None:
    one_writer(connection)
    with connection.begin_nested() as attempt:
        connection.execute(insert(told).values(day="a look", seq=0, hash=""))
        attempt.rollback()


def _looked(connection: Connection) -> tuple[int, Head | None, str, int]:
    """The version, the newest head, why the chain does not go through the one told last, and the rows of strangers."""
    _tried(connection)
    newest = connection.execute(select(audit.c.seq, audit.c.hash).order_by(desc(audit.c.seq)).limit(1)).first()
    last = connection.execute(select(told.c.seq, told.c.hash).order_by(desc(told.c.day)).limit(1)).first()
    gone = audit_heads.missing(connection, Head(last.seq, last.hash)) if last else ""
    head = Head(newest.seq, newest.hash) if newest else None
    return version(connection), head, gone, foreign_rows.foreign(connection)
