"""Let several bots share one PostgreSQL: each says every few seconds that it lives, and takes over from a dead one.

A replica that is only slow, frozen or cut off, not dead, may be taken over too. That is safe: whoever takes a press up
raises its fence (``stop_store``), and the older run sends, edits and writes nothing any more.

Nobody signs off: a replica that left in order is found dead, too, and has nothing to take over. A dead one is forgotten
only after it was taken over: whoever does that has ``dead_after`` seconds, and if it dies or fails itself, the next one
does.

Times are the database's own, so the replicas' clocks do not matter. When that clock is set back, a time that is yet to
come is taken for now: else nobody would miss whoever died before, nor speak instead, for as long as it was set back.
When it is set on, the living are thought dead for a moment, which is safe as above.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection, bindparam, delete, func, select, text, update

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.max_ages import boot_time
from bot.activeflows.stopping.stop import Fence
from bot.activeflows.watching.watch import LEASE
from bot.ledger.database import Database
from bot.ledger.tables import leases, replicas, runs

log = structlog.get_logger(__name__)
EVERY: Final = 3.0
DEAD_AFTER: Final = 15
"""Seconds without a sign of life."""


class SignOfLife:
    """When this replica last said that it lives. ``lasts``: there are no others, so it need not say so."""

    def __init__(self, *, lasts: bool = False) -> None:
        self._until = float("inf") if lasts else -float("inf")

    def given(self, at: float) -> None:
        """Note a sign of life. ``at``: of ``boot_time``, before it was sent."""
        self._until = at + DEAD_AFTER - EVERY

    def nobody_took_over(self) -> bool:
        """Tell whether the last sign is so young that nobody thinks this replica dead, even if the database does not
        answer just now.
        """
        return boot_time() < self._until


class Replicas:
    """One member of the group. PostgreSQL only: on SQLite there is one process."""

    def __init__(
        self,
        database: Database,
        own_id: str,
        take_over: Callable[[str], Awaitable[None]],
        last_sign: "SignOfLife | None" = None,
    ) -> None:
        self._database, self._own_id, self._take_over = database, own_id, take_over
        self._last_sign = last_sign or SignOfLife()

    async def arrive(self) -> None:
        """Give the first sign of life, before anything is recorded under this id: whoever dies after it is missed."""
        began = boot_time()
        await self._database.within(self._live)
        self._last_sign.given(began)

    async def attend(self, *, every: float = EVERY, dead_after: int = DEAD_AFTER) -> None:
        """Give signs of life and look for the dead, until cancelled."""
        while True:
            try:
                began = boot_time()
                found = await self._database.within(lambda connection: self._round(connection, dead_after))
                self._last_sign.given(began)
                for dead in found:
                    log.warning("replica_gone", replica=dead)
                    await self._take_over(dead)
                    await self._database.within(partial(_forget, dead))
            except LedgerUnavailable:
                log.warning("replica_cannot_reach_the_ledger")
            except Exception as trouble:  # noqa: BLE001 # whatever it was, the signs of life must go on; tried again later
                log.error("replica_not_taken_over", trouble=type(trouble).__name__)
            await asyncio.sleep(every)

    def _round(self, connection: Connection, dead_after: int) -> list[str]:
        """Give one sign of life; returns the ids of the dead, each given to one replica at a time: its row is
        stamped anew.
        """
        self._live(connection)
        now = connection.execute(text("SELECT extract(epoch FROM now())::int")).scalar_one()
        to_come = select(replicas.c.id).where(replicas.c.seen_at > now).with_for_update(skip_locked=True)
        connection.execute(update(replicas).where(replicas.c.id.in_(to_come)).values(seen_at=now))
        old = replicas.c.seen_at < now - dead_after
        dead = connection.execute(select(replicas.c.id).where(old)).scalars().all()
        stamp = update(replicas).values(seen_at=now)
        return [one for one in dead if connection.execute(stamp.where(old, replicas.c.id == one)).rowcount]

    def _live(self, connection: Connection) -> None:
        connection.execute(
            text(
                "INSERT INTO replicas (id, seen_at) VALUES (:id, extract(epoch FROM now())::int)"
                " ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at"
            ),
            {"id": self._own_id},
        )


def _forget(dead: str, connection: Connection) -> None:
    connection.execute(delete(replicas).where(replicas.c.id == dead))


async def living(database: Database) -> int:
    """Return how many bots share this ledger, this one among them. Raises ``LedgerUnavailable``."""
    if not database.is_postgresql:
        return 1
    lively = replicas.c.seen_at >= text(f"extract(epoch FROM now())::int - {DEAD_AFTER}")
    found = await database.within(
        lambda connection: connection.execute(select(func.count()).where(lively)).scalar_one()
    )
    return max(1, int(found))


# ---------------------------------------------------------------- fence

_NEWEST: Final = select(runs.c.number).where(runs.c.press_id == bindparam("press"))


def is_newest(connection: Connection, fence: Fence) -> bool:
    """Tell whether this is the newest run of its press."""
    return connection.execute(_NEWEST, {"press": fence.press_id}).scalar() == fence.number


# ---------------------------------------------------------------- lease
# Lease a name to one process at a time.
#
# It is taken and renewed by compare-and-set, in the database's own time. On SQLite there is one process, and no lease.


class Lease:
    """Good for ``LEASE`` seconds. ``holder``: the id of this process among the replicas."""

    def __init__(self, database: Database, name: str, holder: str, *, account: str = "") -> None:
        """``account``: each has leases of its own."""
        self._database, self._holder = database, holder
        self._name = f"{name} of {account}" if account else name

    async def hold(self) -> bool:
        """Take or renew it; false while another process has it. May raise ``LedgerUnavailable``, as the next one."""
        return not self._database.is_postgresql or await self._database.within(self._take)

    async def release(self) -> None:
        mine = delete(leases).where(leases.c.name == self._name, leases.c.holder == self._holder)
        if self._database.is_postgresql:
            await self._database.within(lambda connection: connection.execute(mine).rowcount)

    def is_ours(self, connection: Connection) -> bool:
        """Tell whether it is ours; nobody takes it until this transaction ends."""
        if connection.dialect.name != "postgresql":
            return True
        held = select(leases.c.holder).where(leases.c.name == self._name).with_for_update(read=True)
        return connection.execute(held).scalar() == self._holder

    def _take(self, connection: Connection) -> bool:
        me = {"name": self._name, "me": self._holder, "seconds": LEASE}
        connection.execute(
            text(
                "UPDATE leases SET lapses_at = extract(epoch FROM now())::int + :seconds"
                " WHERE name = :name AND holder <> :me AND lapses_at > extract(epoch FROM now())::int + :seconds"
            ),
            me,
        )
        taken = connection.execute(
            text(
                "INSERT INTO leases (name, holder, lapses_at)"
                " VALUES (:name, :me, extract(epoch FROM now())::int + :seconds)"
                " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lapses_at = excluded.lapses_at"
                " WHERE leases.holder = excluded.holder OR leases.lapses_at < extract(epoch FROM now())::int"
            ),
            me,
        )
        return taken.rowcount == 1
