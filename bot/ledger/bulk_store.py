"""Store bulk stops (``bulk.ports.BulkLedger``): the frozen list, who pressed it, and what became of each member.

What a member needs to be stopped as a lone activeflow is (its own intent) is written in the transaction that gives the
bulk to one press, so that there is never a bulk under way with members that cannot be claimed.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from bot.activeflows.bulk.bulk_stop import Bulk, BulkEnding, BulkState, Draft, MemberOutcome, Run, unsettled
from bot.activeflows.records import Record
from bot.activeflows.stopping.stop import CallAfter, Fence, Intent, IntentState, Press
from bot.ledger import audit
from bot.ledger.database import Database, one_writer
from bot.ledger.replicas import is_newest
from bot.ledger.tables import bulk_members, bulks, intents

_BULK: Final = msgspec.json.Decoder(Bulk)
_INTENT: Final = msgspec.json.Decoder(Intent)
_ENDING: Final = msgspec.json.Decoder(BulkEnding)
_DRAFTED: Final = msgspec.json.Decoder(Draft)
_YEARS: Final = re.compile(r'"(older|newer)":"P(\d+)Y(?:(\d+)D)?')
_DRAFT: Final = "draft"
"""The state of a row whose body is a ``Draft``: no ``BulkState``, because nothing that was asked for is ever in it."""


class BulkStore:
    """Every method is one transaction and may raise ``LedgerUnavailable``; then nothing was written."""

    def __init__(self, database: Database, *, account: str = "") -> None:
        """``account``: whose bulk stops; those of another one are not there for it."""
        self._database, self._account = database, account

    async def open_bulk(self, bulk: Bulk, asked: Record) -> bool:
        def work(connection: Connection) -> bool:
            one_writer(connection)
            if _is_there(connection, bulk.id):
                return False
            body = msgspec.json.encode(bulk).decode()
            connection.execute(insert(bulks).values(self._row(bulk.id, BulkState.OPEN, body)))
            audit.append(connection, self._of_account(asked))
            return True

        return await self._database.within(work)

    async def draft_bulk(self, draft: Draft) -> None:
        def work(connection: Connection) -> None:
            one_writer(connection)
            if _is_there(connection, draft.id):
                return
            body = msgspec.json.encode(draft).decode()
            connection.execute(insert(bulks).values(self._row(draft.id, _DRAFT, body)))

        await self._database.within(work)

    async def drafted(self, bulk_id: str) -> Draft | None:
        def work(connection: Connection) -> Draft | None:
            here = select(bulks.c.body).where(*self._this(bulk_id), bulks.c.state == _DRAFT)
            body = connection.execute(here).scalar()
            return None if body is None else _DRAFTED.decode(_in_days(body))

        return await self._database.within(work)

    async def open_draft(self, bulk: Bulk, asked: Record) -> bool:
        def work(connection: Connection) -> bool:
            one_writer(connection)
            if not self._change(connection, bulk.id, _DRAFT, BulkState.OPEN, body=msgspec.json.encode(bulk).decode()):
                return False
            audit.append(connection, self._of_account(asked))
            return True

        return await self._database.within(work)

    async def bulk(self, bulk_id: str) -> tuple[Bulk, Run] | None:
        def work(connection: Connection) -> tuple[Bulk, Run] | None:
            here = select(bulks.c.body).where(*self._this(bulk_id), bulks.c.state != _DRAFT)
            body = connection.execute(here).scalar()
            return None if body is None else (_BULK.decode(_in_days(body)), self._run(connection, bulk_id))

        return await self._database.within(work)

    async def bulk_posted(self, bulk_id: str, message_ts: str) -> None:
        def work(connection: Connection) -> None:
            body = connection.execute(select(bulks.c.body).where(*self._this(bulk_id))).scalar()
            if body is not None:
                there = replace(_BULK.decode(_in_days(body)), message_ts=message_ts)
                connection.execute(
                    update(bulks).where(*self._this(bulk_id)).values(body=msgspec.json.encode(there).decode())
                )

        await self._database.within(work)

    async def start_bulk(self, bulk: Bulk, press: Press, until: datetime, intents_: Sequence[Intent]) -> Run:
        def work(connection: Connection) -> Run:
            one_writer(connection)
            begun = {"press_id": press.id, "by": press.by, "since": press.at.isoformat(), "until": until.isoformat()}
            if self._change(connection, bulk.id, BulkState.OPEN, BulkState.STOPPING, **begun):
                rows = [
                    {
                        "id": i.id,
                        "account": self._account,
                        "state": str(IntentState.OPEN),
                        "press_id": "",
                        "body": msgspec.json.encode(i).decode(),
                    }
                    for i in intents_
                ]
                connection.execute(insert(intents), rows)
            return self._run(connection, bulk.id)

        return await self._database.within(work)

    async def became(self, bulk_id: str, number: int, became: MemberOutcome) -> None:
        await self._database.within(lambda connection: _note(connection, bulk_id, {number: became}))

    async def abort_bulk(self, bulk_id: str, by: str, record: Record) -> bool:
        def work(connection: Connection) -> bool:
            one_writer(connection)
            if not self._change(connection, bulk_id, BulkState.STOPPING, BulkState.ABORTING, aborted_by=by):
                return False
            audit.append(connection, self._of_account(record))
            return True

        return await self._database.within(work)

    async def put_bulk_away(self, bulk_id: str, by: str, record: Record) -> bool:
        def work(connection: Connection) -> bool:
            one_writer(connection)
            if not self._change(connection, bulk_id, BulkState.OPEN, BulkState.CANCELLED, aborted_by=by):
                return False
            audit.append(connection, self._of_account(record))
            return True

        return await self._database.within(work)

    async def expire_bulk(self, bulk_id: str) -> Run:
        def work(connection: Connection) -> Run:
            one_writer(connection)
            self._change(connection, bulk_id, BulkState.OPEN, BulkState.EXPIRED)
            return self._run(connection, bulk_id)

        return await self._database.within(work)

    async def finish_bulk(
        self,
        fence: Fence,
        bulk_id: str,
        became: Mapping[int, MemberOutcome],
        ending: BulkEnding,
        records: Sequence[Record],
    ) -> Run | None:
        def work(connection: Connection) -> Run | None:
            one_writer(connection)
            if not is_newest(connection, fence):
                return None
            receipt = ""
            for record in records:
                receipt = audit.append(connection, self._of_account(record)).receipt
            _note(connection, bulk_id, became)
            told = msgspec.json.encode(replace(ending, receipt=receipt)).decode()
            over = update(bulks).where(*self._this(bulk_id)).values(state=str(BulkState.DONE), ending=told)
            connection.execute(over)
            return self._run(connection, bulk_id)

        return await self._database.within(work)

    async def followed(
        self,
        fence: Fence,
        bulk_id: str,
        ended: Collection[int],
        calls: Mapping[int, str],
        at: datetime,
        *,
        late: bool,
    ) -> Run | None:
        def work(connection: Connection) -> Run | None:
            one_writer(connection)
            if not is_newest(connection, fence):
                return None
            was = self._run(connection, bulk_id)
            if was.ending is None:
                return was
            _note(connection, bulk_id, dict.fromkeys(ended, MemberOutcome.STOPPED))
            ending = was.ending.read_again(calls)
            run = replace(self._run(connection, bulk_id), ending=ending)
            over = late or not unsettled(run)
            if not (over or ended or ending != was.ending):
                return was
            return self._told(connection, bulk_id, run, replace(ending, as_of=at, until=None if over else ending.until))

        return await self._database.within(work)

    async def heard(self, bulk_id: str, number: int, call: CallAfter) -> Run | None:
        def work(connection: Connection) -> Run | None:
            one_writer(connection)
            run = self._run(connection, bulk_id)
            if run.ending is None:
                return None
            return self._told(connection, bulk_id, run, replace(run.ending, calls={**run.ending.calls, number: call}))

        return await self._database.within(work)

    # ---------------------------------------------------------------- in a transaction

    def _this(self, bulk_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """Return the bulk stop of this id, if it is this account's."""
        return bulks.c.id == bulk_id, bulks.c.account == self._account

    def _of_account(self, record: Record) -> Record:
        return replace(record, account=self._account)

    def _row(self, bulk_id: str, state: str, body: str) -> dict[str, str]:
        return {
            "id": bulk_id,
            "account": self._account,
            "state": state,
            "press_id": "",
            "by": "",
            "aborted_by": "",
            "body": body,
        }

    def _run(self, connection: Connection, bulk_id: str) -> Run:
        row = connection.execute(select(bulks).where(*self._this(bulk_id))).one()
        members = connection.execute(
            select(bulk_members.c.number, bulk_members.c.became).where(bulk_members.c.bulk_id == bulk_id)
        )
        return Run(
            state=BulkState(row.state),
            press_id=row.press_id,
            by=row.by,
            since=datetime.fromisoformat(row.since) if row.since else None,
            until=datetime.fromisoformat(row.until) if row.until else None,
            aborted_by=row.aborted_by,
            became={member.number: MemberOutcome(member.became) for member in members},
            ending=_ENDING.decode(row.ending) if row.ending else None,
        )

    def _told(self, connection: Connection, bulk_id: str, run: Run, ending: BulkEnding) -> Run:
        """Return the run with another ending."""
        body = msgspec.json.encode(ending).decode()
        connection.execute(update(bulks).where(*self._this(bulk_id)).values(ending=body))
        return replace(run, ending=ending)

    def _change(self, connection: Connection, bulk_id: str, was: str, to: BulkState, **more: str) -> bool:
        """Compare and set: true for exactly one of those who try."""
        changed = connection.execute(
            update(bulks).where(*self._this(bulk_id), bulks.c.state == was).values(state=str(to), **more)
        )
        return changed.rowcount == 1


def _is_there(connection: Connection, bulk_id: str) -> bool:
    return connection.execute(select(bulks.c.id).where(bulks.c.id == bulk_id)).first() is not None


def _note(connection: Connection, bulk_id: str, became: Mapping[int, MemberOutcome]) -> None:
    if not became:
        return
    connection.execute(
        delete(bulk_members).where(bulk_members.c.bulk_id == bulk_id, bulk_members.c.number.in_(list(became)))
    )
    rows = [{"bulk_id": bulk_id, "number": number, "became": str(result)} for number, result in became.items()]
    connection.execute(insert(bulk_members), rows)


def _in_days(body: str) -> str:
    """Return a body as msgspec reads it: earlier builds wrote more than a year of a filter with years, of 365 days."""
    return _YEARS.sub(lambda found: f'"{found[1]}":"P{365 * int(found[2]) + int(found[3] or 0)}D', body)
