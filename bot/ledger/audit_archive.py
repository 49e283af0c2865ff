"""Take the audit out of the ledger: export it for other programs, and cut its oldest records off."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, text

from bot.activeflows.records import ChainedRecord, Record, RecordKind
from bot.ledger.audit import append, exported, last_cut
from bot.ledger.database import Database, one_writer
from bot.ledger.tables import audit
from bot.ledger.workflow_rows import dbos_tables

# ---------------------------------------------------------------- audit export
# Export the audit for other programs: JSON lines are exact, CSV is for spreadsheets.
#
# Decision: a CSV cell that a spreadsheet would run as a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab or a
# line end) gets an apostrophe before it, because a reason is typed by people. Whoever needs every character takes JSON
# lines.
#
# https://owasp.org/www-community/attacks/CSV_Injection

COLUMNS: Final = (
    *("seq", "at", "what", "who", "channel", "activeflow_id", "intent_id", "reason", "detail"),
    *("key", "previous", "hash"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield each record with its place in the chain, one object a line."""
    return (f"{exported(row)}\n" for row in rows)


def header() -> str:
    """Return the first line of a CSV."""
    paper = io.StringIO(newline="")
    csv.writer(paper).writerow(COLUMNS)
    return paper.getvalue()


def csv_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line (or several, where a text has line ends) each record, without the header; ``detail`` is a JSON
    object.
    """
    paper = io.StringIO(newline="")
    writer = csv.writer(paper)  # line ends as in RFC 4180; with others a lone return in a text would not be quoted
    for row in rows:
        fields = json.loads(exported(row))
        detail = json.dumps(fields.pop("detail"), ensure_ascii=False, sort_keys=True)
        writer.writerow([_cell({**fields, "detail": detail}.get(name)) for name in COLUMNS])
        yield _taken(paper)


def _cell(value: object) -> str:
    word = "" if value is None else str(value)
    return f"'{word}" if word.startswith(_FORMULA) else word


def _taken(paper: io.StringIO) -> str:
    line = paper.getvalue()
    paper.seek(0)
    paper.truncate()
    return line


# ---------------------------------------------------------------- audit prune
# Cut the oldest records off the audit, so that what stays can still be proven.
#
# First a record of it is written at the end of the chain: up to which record, with its hash (``audit.ChainCut``).
# From then on the chain may begin anywhere up to the one after it. Only then the rows go, a few at a time, so that no
# stop waits for it; whoever is ended in the middle leaves the rest to the next time. Decisions:
#
# - Nothing that a press may still look for is cut off: the newest two days stay, and what was there two days before the
#   oldest press that is not over.
# - The heads that were told stay, and so does each hash from the cut on: a receipt of a record that was cut off is
#   answered with that, and not called missing.

KEPT: Final = timedelta(days=2)
"""Longer than any press is carried out, and than what it leaves behind is kept."""
BY_HAND: Final = "audit prune"
BY_SETTING: Final = "audit retention"
"""Who, in the record of it."""
_AT_ONCE: Final = 1000
"""Rows deleted in one transaction."""


async def prune(database: Database, before: datetime, *, who: str, now: datetime) -> ChainedRecord | None:
    """Cut off what is older; the record of it, or ``None`` when there was nothing. May raise ``LedgerUnavailable``."""
    through = await database.reading(partial(_through, before=before, now=now))
    written = (
        await database.within(partial(_cut, through=through, before=before, who=who, now=now)) if through else None
    )
    while await database.within(_delete_some):
        pass
    return written


def _through(connection: Connection, before: datetime, now: datetime) -> int:
    """Return the newest record that goes; 0: none does."""
    until = min(before, now - KEPT, (_oldest_unfinished(connection) or now) - KEPT)
    first_kept = connection.execute(select(func.min(audit.c.seq)).where(audit.c.at >= until.isoformat())).scalar()
    if first_kept is not None:
        return int(first_kept) - 1
    return int(connection.execute(select(func.max(audit.c.seq))).scalar() or 0)


def _oldest_unfinished(connection: Connection) -> datetime | None:
    """Return when the oldest press was recorded that is not over."""
    table = dbos_tables(connection).get("workflow_status")
    if table is None:
        return None
    asked = f"SELECT min(created_at) FROM {table} WHERE status IN ('PENDING', 'ENQUEUED')"  # noqa: S608 # words of this file only
    since = connection.execute(text(asked)).scalar()
    return None if since is None else datetime.fromtimestamp(int(since) / 1000, UTC)


def _cut(connection: Connection, through: int, before: datetime, who: str, now: datetime) -> ChainedRecord | None:
    """Write down that it is cut off; ``None`` when it was already."""
    one_writer(connection)
    was = last_cut(connection)
    if was is not None and was.through >= through:
        return None
    last = connection.execute(select(audit.c.hash).where(audit.c.seq == through)).scalar_one()
    detail: dict[str, str | int | bool | None] = {
        "through": through,
        "hash": last,
        "count": through - (was.through if was else 0),
        "before": before.isoformat(timespec="seconds"),
    }
    return append(connection, Record(f"pruned:{through}", now, RecordKind.PRUNED, who, "", None, detail=detail))


def _delete_some(connection: Connection) -> int:
    """Delete the oldest rows of those that are cut off; returns how many."""
    cut = last_cut(connection)
    oldest = connection.execute(select(func.min(audit.c.seq))).scalar()
    if cut is None or oldest is None or oldest > cut.through:
        return 0
    return connection.execute(delete(audit).where(audit.c.seq < min(oldest + _AT_ONCE, cut.through + 1))).rowcount
