"""Store watches (``watching.ports.WatchLedger``): which cards follow what, what they say, and who keeps them true.

A watch is ``begun`` until its card stands in the channel, then ``open``, then ``closing`` from the moment its ending is
decided until that is on the card, then ``over``. One can be ended while its card is still on its way. Each step is a
compare-and-set, so an ending is decided once.

With several replicas one follows them all, because they share what Slack grants a workspace: whoever holds the lease.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, update

from bot.activeflows.watching.watch import MOST, MOST_HERE, Observation, StoredWatch, Watch, WatchEnding, WatchLimit
from bot.ledger import metrics
from bot.ledger.database import Database, one_writer, when_kept
from bot.ledger.replicas import Lease
from bot.ledger.tables import watches

log = structlog.get_logger(__name__)
_WATCH: Final = msgspec.json.Decoder(Watch)
_KNOWN: Final = msgspec.json.Decoder(Observation)
_ENDING: Final = msgspec.json.Decoder(WatchEnding)
_ABANDONED: Final = timedelta(minutes=2)
"""A card takes seconds to post: a place kept for longer was cut off."""


class WatchStore:
    """Every method is one transaction and may raise ``LedgerUnavailable``; then nothing was written.

    ``holder``: the id of this process among the replicas.
    """

    def __init__(self, database: Database, holder: str, *, account: str = "") -> None:
        """``account``: whose watches; those of another one are not there for it."""
        self._database, self._lease = database, Lease(database, "watches", holder, account=account)
        self._account = account

    async def begin(self, watch: Watch, known: Observation) -> Watch | WatchLimit | None:
        def work(connection: Connection) -> Watch | WatchLimit | None:
            one_writer(connection)
            recent = watches.c.since > (watch.since - _ABANDONED).isoformat()
            up = or_(watches.c.state.in_(("open", "closing")), and_(watches.c.state == "begun", recent))
            standing = and_(up, watches.c.account == self._account)
            here = and_(standing, watches.c.channel == watch.channel)
            same = and_(here, watches.c.activeflow_id == str(watch.activeflow_id), watches.c.state != "closing")
            row = connection.execute(select(watches).where(same)).first()
            if row is not None:
                return _kept(row).watch
            count = select(func.count()).select_from(watches)
            if connection.execute(count.where(here)).scalar_one() >= MOST_HERE:
                return WatchLimit(here=True)
            if connection.execute(count.where(standing)).scalar_one() >= MOST:
                return WatchLimit(here=False)
            values = {
                "id": watch.id,
                "account": self._account,
                "activeflow_id": str(watch.activeflow_id),
                "channel": watch.channel,
                "since": watch.since.isoformat(),
                "state": "begun",
                "message_ts": "",
                "body": msgspec.json.encode(watch).decode(),
                "known": msgspec.json.encode(known).decode(),
            }
            connection.execute(insert(watches).values(values))
            self._tell(connection, "watch_begun", watch)
            when_kept(connection, lambda _: metrics.WATCHES_BEGUN.inc())
            return None

        return await self._database.within(work)

    async def posted(self, watch_id: str, message_ts: str) -> None:
        def work(connection: Connection) -> None:
            this = update(watches).where(*self._this(watch_id))
            connection.execute(this.values(message_ts=message_ts))
            connection.execute(this.where(watches.c.state == "begun").values(state="open"))

        await self._database.within(work)

    async def not_posted(self, watch_id: str) -> None:
        cardless = and_(*self._this(watch_id), watches.c.message_ts == "")

        def work(connection: Connection) -> None:
            body = connection.execute(select(watches.c.body).where(cardless)).scalar()
            if body is not None:
                connection.execute(delete(watches).where(cardless))
                self._tell(connection, "watch_over", _WATCH.decode(body), how="card not posted")
                when_kept(connection, lambda _: metrics.WATCHES_OVER.labels("card not posted").inc())

        await self._database.within(work)

    async def close(self, watch_id: str, ending: WatchEnding) -> WatchEnding | None:
        def work(connection: Connection) -> WatchEnding | None:
            open_ = update(watches).where(*self._this(watch_id), watches.c.state.in_(("begun", "open")))
            decided = connection.execute(open_.values(state="closing", ending=msgspec.json.encode(ending).decode()))
            closing = select(watches.c.ending, watches.c.body)
            row = connection.execute(closing.where(*self._this(watch_id), watches.c.state == "closing")).first()
            if row is not None and decided.rowcount:
                self._tell(connection, "watch_over", _WATCH.decode(row.body), how=str(ending.how), by=ending.by)
                when_kept(connection, lambda _: metrics.WATCHES_OVER.labels(str(ending.how)).inc())
            return None if row is None else _ENDING.decode(row.ending)

        return await self._database.within(work)

    async def watch(self, watch_id: str) -> StoredWatch | None:
        this = select(watches).where(*self._this(watch_id), watches.c.state != "over")
        row = await self._database.within(lambda connection: connection.execute(this).first())
        return None if row is None else _kept(row)

    async def watches(self, channel: str = "") -> Sequence[StoredWatch]:
        these = select(watches).where(watches.c.state != "over", watches.c.account == self._account)
        these = these.order_by(watches.c.since)
        these = these.where(watches.c.channel == channel if channel else watches.c.message_ts != "")
        rows = await self._database.within(lambda connection: connection.execute(these).all())
        return tuple(_kept(row) for row in rows)

    async def hold(self) -> bool:
        return await self._lease.hold()

    async def release(self) -> None:
        await self._lease.release()

    async def keep(self, watch_id: str, known: Observation) -> bool:
        said = {"known": msgspec.json.encode(known).decode()}
        return await self._database.within(
            lambda connection: self._change(connection, watch_id, ("open", "closing"), said)
        )

    async def over(self, watch_id: str, at: datetime) -> bool:
        said = {"state": "over", "ended_at": at.isoformat()}
        return await self._database.within(lambda connection: self._change(connection, watch_id, ("closing",), said))

    async def forget(self, before: datetime) -> int:
        ended = and_(watches.c.state == "over", watches.c.ended_at < before.isoformat())
        cut_off = and_(watches.c.message_ts == "", watches.c.since < before.isoformat())

        def work(connection: Connection) -> int:
            own = watches.c.account == self._account
            return connection.execute(delete(watches).where(own, or_(ended, cut_off))).rowcount

        return await self._database.within(work)

    def _change(self, connection: Connection, watch_id: str, states: tuple[str, ...], values: dict[str, str]) -> bool:
        """Compare and set, by the holder of the lease only."""
        if not self._lease.is_ours(connection):
            return False
        ours = update(watches).where(*self._this(watch_id), watches.c.state.in_(states))
        return connection.execute(ours.values(values)).rowcount == 1

    def _this(self, watch_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """Return the watch of this id, if it is this account's."""
        return watches.c.id == watch_id, watches.c.account == self._account

    def _tell(self, connection: Connection, event: str, watch: Watch, **said: str) -> None:
        where = {"activeflow_id": str(watch.activeflow_id), "person": watch.by, "channel": watch.channel}
        whose = {"account": self._account} if self._account else {}
        when_kept(connection, lambda _: log.info(event, watch_id=watch.id, **where, **whose, **said))


def _kept(row: Row[tuple[str, ...]]) -> StoredWatch:
    watch = replace(_WATCH.decode(row.body), message_ts=row.message_ts)
    ending = _ENDING.decode(row.ending) if row.ending else None
    return StoredWatch(watch, _KNOWN.decode(row.known), ending)
