"""Count what the ledger holds for the metrics: open watches, the head of the audit, and workflows that run or wait.

All replicas see the same. DBOS's table is asked for its states only (https://docs.dbos.dev/python/reference/contexts).
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from bot.ledger.dbos_tables import dbos_tables
from bot.ledger.tables import audit, watches


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is."""

    watches: int
    """Not over yet."""
    head: int
    """Number of the newest record of the audit."""
    pending: int
    """Presses and members of bulk stops that are carried out."""
    enqueued: int
    """Members of bulk stops that wait for their turn."""


def figures(connection: Connection) -> Figures:
    """Read them in one look."""
    still = select(func.count()).select_from(watches).where(watches.c.state != "over")
    newest = select(func.max(audit.c.seq))
    states = _states(connection)
    return Figures(
        connection.execute(still).scalar_one(),
        connection.execute(newest).scalar_one() or 0,
        states.get("PENDING", 0),
        states.get("ENQUEUED", 0),
    )


def _states(connection: Connection) -> dict[str, int]:
    table = dbos_tables(connection).get("workflow_status")
    if table is None:
        return {}
    asked = f"SELECT status, count(*) FROM {table} WHERE status IN ('PENDING', 'ENQUEUED') GROUP BY status"  # noqa: S608 # words of this file only
    return {str(status): int(count) for status, count in connection.execute(text(asked))}
