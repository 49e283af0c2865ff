"""Lease a name to one process at a time.

It is taken and renewed by compare-and-set, in the database's own time. On SQLite there is one process, and no lease.
"""

from sqlalchemy import Connection, delete, select, text

from bot.activeflows.watching.watch import LEASE
from bot.ledger.database import Database
from bot.ledger.tables import leases


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
        """Until this transaction ends, nobody takes it."""
        if connection.dialect.name != "postgresql":
            return True
        held = select(leases.c.holder).where(leases.c.name == self._name).with_for_update(read=True)
        return connection.execute(held).scalar() == self._holder

    def _take(self, connection: Connection) -> bool:
        taken = connection.execute(
            text(
                "INSERT INTO leases (name, holder, lapses_at)"
                " VALUES (:name, :me, extract(epoch FROM now())::int + :seconds)"
                " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lapses_at = excluded.lapses_at"
                " WHERE leases.holder = excluded.holder OR leases.lapses_at < extract(epoch FROM now())::int"
            ),
            {"name": self._name, "me": self._holder, "seconds": LEASE},
        )
        return taken.rowcount == 1
