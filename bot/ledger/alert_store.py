"""Store alerts (``alerting.ports.AlertLedger``): one row for each reason, of one activeflow, in one channel.

The primary key is the claim: of several processes one gets it, whatever else they believe. Rows are dropped a day after
their activeflow has ended, so the table grows with what runs.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from bot.activeflows.alerting.decision import AlertClaim, StoredAlertClaim
from bot.activeflows.anomalies import Reason
from bot.ledger.database import Database, when_kept
from bot.ledger.metrics import ALERTS
from bot.ledger.replicas import Lease
from bot.ledger.tables import alerts

log = structlog.get_logger(__name__)
_AT_ONCE: Final = 200
"""Rows changed by one statement: databases take only so many values."""


class AlertStore:
    """Every method is one transaction and may raise ``LedgerUnavailable``; then nothing was written."""

    def __init__(self, database: Database, holder: str, *, account: str = "") -> None:
        """``account``: whose alerts; those of another one are not there for it."""
        self._database, self._lease = database, Lease(database, "alerts", holder, account=account)
        self._account = account

    async def hold(self) -> bool:
        return await self._lease.hold()

    async def release(self) -> None:
        await self._lease.release()

    async def claimed(self) -> Sequence[StoredAlertClaim]:
        known, these = {reason.value for reason in Reason}, select(alerts).where(alerts.c.account == self._account)
        rows = await self._database.within(lambda connection: connection.execute(these).all())
        return tuple(_claimed(row) for row in rows if row.reason in known)  # another version's reasons are its own

    async def claim(self, claimed: StoredAlertClaim) -> bool:
        claim = claimed.claim
        row = insert(alerts).values(
            account=self._account,
            activeflow_id=str(claim.activeflow_id),
            reason=claim.reason.value,
            channel=claim.channel,
            rule=claimed.rule,
            since=claimed.since.isoformat(),
        )

        def work(connection: Connection) -> bool:
            if not self._lease.is_ours(connection):
                return False
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(row)
                self._tell(connection, "alert_claimed", claim)
                return True
            return False

        return await self._database.within(work)

    async def told(self, claims: Sequence[AlertClaim], at: datetime) -> None:
        def work(connection: Connection) -> None:
            for these in self._batches(claims):
                connection.execute(update(alerts).where(these).values(told_at=at.isoformat()))
            for claim in claims:
                self._tell(connection, "alert_told", claim)
                when_kept(connection, partial(_count, claim))

        await self._database.within(work)

    async def drop(self, claims: Sequence[AlertClaim]) -> None:
        def work(connection: Connection) -> None:
            for these in self._batches(claims):
                connection.execute(delete(alerts).where(these))

        await self._database.within(work)

    def _tell(self, connection: Connection, event: str, claim: AlertClaim) -> None:
        what = {"activeflow_id": str(claim.activeflow_id), "reason": str(claim.reason), "channel": claim.channel}
        whose = {"account": self._account} if self._account else {}
        when_kept(connection, lambda _: log.info(event, **what, **whose))

    def _batches(self, claims: Sequence[AlertClaim]) -> list[ColumnElement[bool]]:
        key = tuple_(alerts.c.account, alerts.c.activeflow_id, alerts.c.reason, alerts.c.channel)
        rows = [(self._account, str(claim.activeflow_id), claim.reason.value, claim.channel) for claim in claims]
        return [key.in_(rows[first : first + _AT_ONCE]) for first in range(0, len(rows), _AT_ONCE)]


def _count(claim: AlertClaim, _certain: bool) -> None:
    ALERTS.labels(str(claim.reason)).inc()


def _claimed(row: Row[tuple[str, ...]]) -> StoredAlertClaim:
    told_at = datetime.fromisoformat(row.told_at) if row.told_at else None
    claim = AlertClaim(UUID(row.activeflow_id), Reason(row.reason), row.channel)
    return StoredAlertClaim(claim, row.rule, datetime.fromisoformat(row.since), told_at)
