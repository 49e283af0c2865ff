"""Count and measure what the ledger keeps, in the registry of the process
(https://prometheus.io/docs/practices/naming/).

What is recorded is counted where its line is logged (``audit``), once it is kept. Labels are words of our own: kinds of
records, reasons and outcomes, never an id.
"""

from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter, Histogram
from sqlalchemy import Connection, func, select, text

from bot.ledger.tables import audit, watches
from bot.ledger.workflow_rows import dbos_tables

RECORDS: Final = Counter("flows_bot_audit_records", "Records of the audit that this process wrote", ["what"])
PRESSES: Final = Counter("flows_bot_presses", "Presses that were admitted", ["wish"])
STOPS: Final = Counter("flows_bot_stops", "Stops and hang-ups by what came of them", ["wish", "outcome"])
for _wish in ("stop", "hang_up"):
    STOPS.labels(_wish, "NotKnown")  # from the start: what an alert waits for has to be seen rising from zero
BULK_STOPS: Final = Counter("flows_bot_bulk_stops", "Bulk stops that are over")
REFUSALS: Final = Counter("flows_bot_refusals", "What people asked for or pressed and were refused", ["why"])
WATCHES_BEGUN: Final = Counter("flows_bot_watches_begun", "Watches that were begun")
WATCHES_OVER: Final = Counter("flows_bot_watches_over", "Watches that ended", ["how"])
ALERTS: Final = Counter("flows_bot_alerts", "Alerts that were posted or counted in a line", ["reason"])
UNAVAILABLE: Final = Counter("flows_bot_ledger_unavailable", "Transactions that the database did not carry out")

_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0, 60.0, 300.0)
TO_POST: Final = Histogram(
    "flows_bot_press_to_post_seconds", "From a press until its stop may be sent", ["wish"], buckets=_SECONDS
)
TO_OUTCOME: Final = Histogram(
    "flows_bot_press_to_outcome_seconds", "From a press until its outcome is recorded", ["wish"], buckets=_SECONDS
)


# ---------------------------------------------------------------- figures
# Count what the ledger holds for the metrics: open watches, the head of the audit, and workflows that run or wait.
#
# All replicas see the same. DBOS's table is asked for its states only
# (https://docs.dbos.dev/python/reference/contexts).


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
