"""Store how long things usually take in each flow, across restarts and replicas.

Bounded: of more places than ``MOST_PLACES`` those of which nothing was learned for the longest time are forgotten.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.activeflows.anomalies import MOST_PLACES, Durations, Place
from bot.ledger.database import Database
from bot.ledger.tables import usual

_AT_ONCE: Final = 200
"""Places written in one transaction: a press does not wait long for it."""


class BaselineStore:
    """Every method may raise ``LedgerUnavailable``; what was not written can be given again."""

    def __init__(self, database: Database, *, most: int = MOST_PLACES, account: str = "") -> None:
        """``account``: whose flows; those of another one are not there for it, and do not count for ``most``."""
        self._database, self._most, self._account = database, most, account

    async def all(self) -> dict[Place, Durations]:
        """Return everything known, the latest learned last."""

        def work(connection: Connection) -> dict[Place, Durations]:
            own = select(usual).where(usual.c.account == self._account).order_by(_AGE)
            return {_place(row): _read(row.counts) for row in connection.execute(own)}

        return await self._database.within(work)

    async def add(self, learned: Mapping[Place, Durations], now: datetime) -> dict[Place, Durations]:
        """Add what was learned; gives what is known of these places now, from everybody."""
        known: dict[Place, Durations] = {}
        places = sorted(learned, key=str)  # in one order, so that two replicas never wait for each other
        for first in range(0, len(places), _AT_ONCE):
            some = {where: learned[where] for where in places[first : first + _AT_ONCE]}
            known |= await self._database.within(partial(_add_all, account=self._account, learned=some, now=now))
        if known:
            await self._database.within(self._forget)
        return known

    def _forget(self, connection: Connection) -> None:
        own = usual.c.account == self._account
        surplus = (connection.execute(select(func.count()).select_from(usual).where(own)).scalar() or 0) - self._most
        if surplus <= 0:
            return
        these = select(usual.c.flow_id, usual.c.place).where(own).order_by(_AGE).limit(surplus)
        oldest = connection.execute(these).all()
        for row in oldest:
            connection.execute(delete(usual).where(own, usual.c.flow_id == row.flow_id, usual.c.place == row.place))


_AGE: Final = usual.c.learned_at


def _add_all(
    connection: Connection, account: str, learned: Mapping[Place, Durations], now: datetime
) -> dict[Place, Durations]:
    return {where: _add(connection, account, where, durations, now) for where, durations in learned.items()}


def _add(connection: Connection, account: str, where: Place, learned: Durations, now: datetime) -> Durations:
    mine = {"account": account, "flow_id": str(where[0]), "place": where[1]}
    with suppress(IntegrityError), connection.begin_nested():  # it is there: the usual thing, also at the same moment
        connection.execute(insert(usual).values(**mine, counts="[]", learned_at=now.isoformat()))
    this = [usual.c[name] == value for name, value in mine.items()]
    known = _read(connection.execute(select(usual.c.counts).where(*this).with_for_update()).scalar_one())
    known.merge(learned)
    counts = json.dumps(known.counts)
    connection.execute(update(usual).where(*this).values(counts=counts, learned_at=now.isoformat()))
    return known


def _place(row: Row[tuple[str, str, str, str, str]]) -> Place:
    return UUID(row.flow_id), str(row.place)


def _read(counts: str) -> Durations:
    return Durations(json.loads(counts))
