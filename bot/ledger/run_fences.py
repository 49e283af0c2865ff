"""Number the runs of a press's workflow, so that an older one knows that it counts no more (``stopping.fence``)."""

from datetime import datetime

from sqlalchemy import Connection, delete, select, text

from bot.activeflows.stopping.claims import Fence
from bot.ledger.tables import runs


def take_up(connection: Connection, press_id: str, at: datetime) -> Fence:
    """A higher number than every run of this press before."""
    connection.execute(
        text(
            "INSERT INTO runs (press_id, number, begun_at) VALUES (:press_id, 1, :at)"
            " ON CONFLICT (press_id) DO UPDATE SET number = runs.number + 1, begun_at = excluded.begun_at"
        ),
        {"press_id": press_id, "at": at.isoformat()},
    )
    number = connection.execute(select(runs.c.number).where(runs.c.press_id == press_id)).scalar_one()
    return Fence(press_id, number)


def forget(connection: Connection, before: datetime) -> int:
    """Delete the numbers of presses whose newest run began before then; all of these have to be over."""
    return connection.execute(delete(runs).where(runs.c.begun_at < before.isoformat())).rowcount


def holds(connection: Connection, fence: Fence) -> bool:
    """Is this the newest run?"""
    newest = connection.execute(select(runs.c.number).where(runs.c.press_id == fence.press_id)).scalar()
    return newest == fence.number
