"""The ledger as the middle knows it (``stopping.ports.Ledger``): intents, claims and the audit, in single transactions."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, or_, select, update

from bot.activeflows.records import Entry, Question, Record, Written
from bot.activeflows.stopping.stops import CallAfter, Claim, Ended, Intent, IntentState, Press
from bot.ledger import audit
from bot.ledger.database import Database, one_writer
from bot.ledger.tables import claims, intents

_INTENT: Final = TypeAdapter(Intent)
_ENDED: Final = TypeAdapter(Ended)
_IN_FLIGHT: Final = timedelta(seconds=30)
"""A POST sent just before the deadline can be at work so long; then the claim protects nothing any more."""


class Book:
    """Every method is one transaction and may raise ``LedgerUnavailable``; then nothing was written.

    Whoever changes an intent and writes a record takes its turn as the one writer first: two who took both in different
    orders would wait for each other until PostgreSQL ends one of them.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    async def open_intent(self, intent: Intent, asked: Record, *, instead_of: str = "") -> bool:
        def work(connection: Connection) -> bool:
            one_writer(connection)
            if connection.execute(select(intents.c.id).where(intents.c.id == intent.id)).first() is not None:
                return True  # a run cut off after writing finds its own intent
            if instead_of and not _change(connection, instead_of, IntentState.OPEN, IntentState.SUPERSEDED):
                return False
            body = _INTENT.dump_json(intent).decode()
            connection.execute(
                insert(intents).values(id=intent.id, state=str(IntentState.OPEN), press_id="", body=body)
            )
            audit.append(connection, asked)
            return True

        return await self._database.within(work)

    async def draft_intent(self, intent: Intent) -> None:
        def work(connection: Connection) -> None:
            body = _INTENT.dump_json(intent).decode()
            connection.execute(
                insert(intents).values(id=intent.id, state=str(IntentState.DRAFT), press_id="", body=body)
            )

        await self._database.within(work)

    async def open_draft(self, intent: Intent, asked: Record) -> bool:
        def work(connection: Connection) -> bool:
            one_writer(connection)
            if not _change(connection, intent.id, IntentState.DRAFT, IntentState.OPEN):
                return False
            body = _INTENT.dump_json(intent).decode()
            connection.execute(update(intents).where(intents.c.id == intent.id).values(body=body))
            audit.append(connection, asked)
            return True

        return await self._database.within(work)

    async def intent(self, intent_id: str) -> tuple[Intent, IntentState] | None:
        def work(connection: Connection) -> tuple[Intent, IntentState] | None:
            row = connection.execute(select(intents.c.body, intents.c.state).where(intents.c.id == intent_id)).first()
            return None if row is None else (_INTENT.validate_json(row.body), IntentState(row.state))

        return await self._database.within(work)

    async def card_posted(self, intent_id: str, message_ts: str) -> None:
        await self._database.within(lambda connection: _rewrite(connection, intent_id, message_ts=message_ts))

    async def claim(self, intent: Intent, press: Press) -> Claim:
        activeflow_id = str(intent.activeflow_id)
        lapses_at = (intent.deadline + _IN_FLIGHT).isoformat()

        def work(connection: Connection) -> Claim:
            one_writer(connection)
            held = connection.execute(select(claims).where(claims.c.activeflow_id == activeflow_id)).first()
            if held is not None and held.press_id == press.id:
                return Claim(mine=True)
            if held is not None and held.lapses_at > self._now().isoformat():
                return Claim(mine=False, by=held.by, state=IntentState.STOPPING)
            if not _change(connection, intent.id, IntentState.OPEN, IntentState.STOPPING, press_id=press.id):
                state = connection.execute(select(intents.c.state).where(intents.c.id == intent.id)).scalar()
                return Claim(mine=False, state=IntentState(state or IntentState.SETTLED))
            if intent.reason_by:
                _rewrite(connection, intent.id, reason=intent.reason, reason_by=intent.reason_by)
            connection.execute(delete(claims).where(claims.c.activeflow_id == activeflow_id))
            connection.execute(
                insert(claims).values(activeflow_id=activeflow_id, press_id=press.id, by=press.by, lapses_at=lapses_at)
            )
            return Claim(mine=True)

        return await self._database.within(work)

    async def settle(
        self, intent_id: str, press_id: str, state: IntentState, ended: Ended | None = None
    ) -> Ended | None:
        def work(connection: Connection) -> Ended | None:
            one_writer(connection)
            now = None if ended is None else ended.after(_ended(connection, intent_id))
            told = None if now is None else _ENDED.dump_json(now).decode()
            mine = or_(intents.c.press_id == press_id, intents.c.state == str(IntentState.OPEN))
            change = update(intents).where(intents.c.id == intent_id, mine)
            connection.execute(change.values(state=str(state), ended=told))
            connection.execute(delete(claims).where(claims.c.press_id == press_id))
            return now

        return await self._database.within(work)

    async def hung_up(self, intent_id: str, call: CallAfter) -> Ended | None:
        def work(connection: Connection) -> Ended | None:
            one_writer(connection)
            there = _ended(connection, intent_id)
            if there is None:
                return None
            now = replace(there, call=call)
            connection.execute(
                update(intents).where(intents.c.id == intent_id).values(ended=_ENDED.dump_json(now).decode())
            )
            return now

        return await self._database.within(work)

    async def put_away(self, intent_id: str, record: Record) -> bool:
        def work(connection: Connection) -> bool:
            one_writer(connection)
            if not _change(connection, intent_id, IntentState.OPEN, IntentState.CANCELLED):
                return False
            audit.append(connection, record)
            return True

        return await self._database.within(work)

    async def record(self, record: Record) -> Written:
        return await self._database.within(lambda connection: audit.append(connection, record))

    async def records(self, question: Question) -> Sequence[Entry]:
        return await self._database.within(lambda connection: audit.entries(connection, question))


def _ended(connection: Connection, intent_id: str) -> Ended | None:
    told = connection.execute(select(intents.c.ended).where(intents.c.id == intent_id)).scalar()
    return None if told is None else _ENDED.validate_json(told)


def _rewrite(connection: Connection, intent_id: str, **fields: str) -> None:
    """Change these fields of an intent that is there, and leave the others as they are by now."""
    body = connection.execute(select(intents.c.body).where(intents.c.id == intent_id)).scalar()
    if body is not None:
        rewritten = _INTENT.dump_json(replace(_INTENT.validate_json(body), **fields)).decode()  # type: ignore[arg-type] # fields by name
        connection.execute(update(intents).where(intents.c.id == intent_id).values(body=rewritten))


def _change(connection: Connection, intent_id: str, was: IntentState, to: IntentState, press_id: str = "") -> bool:
    """Compare and set: true for exactly one of those who try."""
    changed = connection.execute(
        update(intents)
        .where(intents.c.id == intent_id, intents.c.state == str(was))
        .values(state=str(to), press_id=press_id)
    )
    return changed.rowcount == 1
