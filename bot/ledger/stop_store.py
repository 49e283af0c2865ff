"""Store stops (``stopping.ports.Ledger``): intents, claims and the audit, in single transactions.

The runs of a press's workflow are numbered, so that an older one knows that it counts no more
(``stopping.authorization.PressHold``).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec
from prometheus_client import Histogram
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, insert, or_, select, text, update

from bot.activeflows.bulk.bulk_stop import BulkState
from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.records import ChainedRecord, Entry, Record, RecordQuery
from bot.activeflows.stopping.stop import (
    CallAfter,
    Claim,
    Ended,
    Fence,
    GateAnswer,
    GateRefusal,
    Intent,
    IntentState,
    Press,
    PressKind,
    StoredIntent,
)
from bot.ledger import audit, metrics
from bot.ledger.database import PATIENCE, Database, clock, one_writer, when_kept
from bot.ledger.replicas import is_newest
from bot.ledger.tables import bulks, claims, intents, runs

_INTENT: Final = msgspec.json.Decoder(Intent)
_ENDED: Final = msgspec.json.Decoder(Ended)
_AT_ONCE: Final = 200
"""Ids in one question: databases take only so many."""
IN_FLIGHT: Final = timedelta(seconds=30)
"""A POST sent just before the deadline is over by then, whatever came of it; the claim protects nothing any more.

A claim lapses by the database's clock, whatever a replica's says. When that one is set on by minutes while a stop is at
work, another confirmed press on another card of the same activeflow may send one, too: the gate has read it as running,
VoIPBIN ends it once, and each card says what was read back. When it is set back, no claim that matters is kept: whoever
has one gives it back in the transaction that writes down what came of the press, also after a restart or a take-over.
"""


# What each stop says to the database is built once: that takes longer than to carry it out.
_TAKE_UP: Final = text(
    "INSERT INTO runs (press_id, number, begun_at) VALUES (:press_id, 1, :at)"
    " ON CONFLICT (press_id) DO UPDATE SET number = runs.number + 1, begun_at = excluded.begun_at RETURNING number"
)
_THIS: Final = (intents.c.id == bindparam("intent"), intents.c.account == bindparam("of_account"))
_INTENT_AND_STATE: Final = select(intents.c.body, intents.c.state, intents.c.press_id).where(*_THIS)
_HOW_IT_ENDED: Final = select(intents.c.ended).where(*_THIS)
_CHANGE: Final = (
    update(intents)
    .where(*_THIS, intents.c.state == bindparam("was"))
    .values(state=bindparam("to"), press_id=bindparam("press"))
)
_SETTLE: Final = (
    update(intents)
    .where(*_THIS, or_(intents.c.press_id == bindparam("press"), intents.c.state == str(IntentState.OPEN)))
    .values(state=bindparam("to"), ended=bindparam("told"))
)
_CLAIMED: Final = (claims.c.account == bindparam("of_account"), claims.c.activeflow_id == bindparam("claimed"))
_CLAIM: Final = select(claims).where(*_CLAIMED)
_UNCLAIM: Final = delete(claims).where(*_CLAIMED)
_GIVE_BACK: Final = delete(claims).where(claims.c.press_id == bindparam("press"))


def _take_up(connection: Connection, press_id: str, at: datetime) -> Fence:
    """Return a higher number than every run of this press before."""
    number = connection.execute(_TAKE_UP, {"press_id": press_id, "at": at.isoformat()}).scalar_one()
    return Fence(press_id, number)


def forget_runs(connection: Connection, before: datetime) -> int:
    """Delete the numbers of presses whose newest run began before then; all of these have to be over."""
    return connection.execute(delete(runs).where(runs.c.begun_at < before.isoformat())).rowcount


def _is_there(connection: Connection, intent_id: str) -> bool:
    return connection.execute(select(intents.c.id).where(intents.c.id == intent_id)).first() is not None


class StopStore:
    """Every method is one transaction and may raise ``LedgerUnavailable``; then nothing was written.

    Whoever changes an intent and writes a record takes its turn as the one writer first: two who took both in different
    orders would wait for each other until PostgreSQL ends one of them.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime],
        alone: Callable[[], bool] = lambda: True,
        account: str = "",
    ) -> None:
        """``alone``: can nobody have taken over this process's presses, even if the database does not answer?

        ``account``: whose stops; those of another one are not there for it.
        """
        self._database, self._now, self._alone, self._account = database, now, alone, account

    async def open_intent(self, intent: Intent, asked: Record, *, instead_of: str = "", by_press: str = "") -> bool:
        def work(connection: Connection) -> bool:
            one_writer(connection)
            if _is_there(connection, intent.id):
                return bool(instead_of)  # a run cut off after writing finds its own intent
            if instead_of and not self._supersede(connection, instead_of, by_press):
                return False
            body = msgspec.json.encode(intent).decode()
            connection.execute(
                insert(intents).values(
                    id=intent.id, account=self._account, state=str(IntentState.OPEN), press_id="", body=body
                )
            )
            audit.append(connection, self._of_account(asked))
            return True

        return await self._database.within(work)

    async def draft_intent(self, intent: Intent) -> None:
        def work(connection: Connection) -> None:
            one_writer(connection)
            if _is_there(connection, intent.id):
                return
            body = msgspec.json.encode(intent).decode()
            connection.execute(
                insert(intents).values(
                    id=intent.id, account=self._account, state=str(IntentState.DRAFT), press_id="", body=body
                )
            )

        await self._database.within(work)

    async def open_draft(self, intent: Intent, asked: Record) -> bool:
        def work(connection: Connection) -> bool:
            one_writer(connection)
            if not self._change(connection, intent.id, IntentState.DRAFT, IntentState.OPEN):
                return False
            body = msgspec.json.encode(intent).decode()
            connection.execute(update(intents).where(*self._this(intent.id)).values(body=body))
            audit.append(connection, self._of_account(asked))
            return True

        return await self._database.within(work)

    async def intent(self, intent_id: str) -> StoredIntent | None:
        return await self._database.reading(partial(self._stored, intent_id), patience=PATIENCE)

    async def flow_names(self, intent_ids: Collection[str]) -> Mapping[str, str]:
        def work(connection: Connection) -> Mapping[str, str]:
            wanted, names = sorted(intent_ids), dict[str, str]()
            for first in range(0, len(wanted), _AT_ONCE):
                these = intents.c.id.in_(wanted[first : first + _AT_ONCE])
                own = intents.c.account == self._account
                for row in connection.execute(select(intents.c.id, intents.c.body).where(these, own)):
                    names[row.id] = _INTENT.decode(row.body).seen.flow_name
            return {id_: name for id_, name in names.items() if name}

        return await self._database.within(work)

    async def card_posted(self, intent_id: str, message_ts: str) -> None:
        await self._database.within(lambda connection: self._rewrite(connection, intent_id, message_ts=message_ts))

    async def unsent(self, intent: Intent, press_id: str) -> bool:
        shared = self._database.is_postgresql  # another process may be changing a card that is open

        def work(connection: Connection) -> bool:
            this = select(intents.c.state, intents.c.press_id).where(*self._this(intent.id))
            row = connection.execute(this).first()
            if row is None or audit.went_on(connection, intent.activeflow_id, press_id):
                return False
            own = row.state == str(IntentState.STOPPING) and row.press_id == press_id
            return own or (not shared and row.state == str(IntentState.OPEN))

        return await self._database.reading(work)

    async def claim(self, intent: Intent, press: Press) -> Claim:
        claimed = _claimed(intent, press)
        lapses_at = (intent.deadline + IN_FLIGHT).isoformat()

        def work(connection: Connection) -> Claim:
            one_writer(connection)
            this = {"of_account": self._account, "claimed": claimed}
            held = connection.execute(_CLAIM, this).first()
            if held is not None and held.press_id == press.id:
                return Claim(mine=True)
            if held is not None and held.lapses_at > self._now().isoformat():
                return Claim(mine=False, by=held.by, state=IntentState.STOPPING)
            if press.wish is PressKind.STOP and not self._take(connection, intent.id, press.id):
                state = connection.execute(select(intents.c.state).where(*self._this(intent.id))).scalar()
                return Claim(mine=False, state=IntentState(state or IntentState.SETTLED))
            if intent.reason_by:
                self._rewrite(connection, intent.id, reason=intent.reason, reason_by=intent.reason_by)
            if held is not None:
                connection.execute(_UNCLAIM, this)
            mine = {"account": self._account, "activeflow_id": claimed, "press_id": press.id, "by": press.by}
            connection.execute(insert(claims), {**mine, "lapses_at": lapses_at})
            return Claim(mine=True)

        return await self._database.within(work)

    async def take_up(self, press_id: str) -> Fence:
        return await self._database.within(lambda connection: _take_up(connection, press_id, self._now()))

    async def take_up_card(self, press: Press) -> tuple[Fence, StoredIntent | None]:
        def work(connection: Connection) -> tuple[Fence, StoredIntent | None]:
            fence = _take_up(connection, press.id, self._now())
            return fence, self._stored(press.intent_id, connection)

        return await self._database.within(work)

    async def holds(self, fence: Fence) -> bool:
        try:
            return await self._database.reading(lambda connection: is_newest(connection, fence))
        except LedgerUnavailable:
            if self._alone():
                return True
            raise

    async def permit(self, intent: Intent, press: Press, fence: Fence, sending: Record) -> GateAnswer:
        def work(connection: Connection) -> GateAnswer:
            one_writer(connection)
            if not is_newest(connection, fence):
                return GateAnswer(GateRefusal.FENCED)
            claimed = {"of_account": self._account, "claimed": _claimed(intent, press)}
            held = connection.execute(_CLAIM, claimed).first()
            here = connection.execute(_INTENT_AND_STATE, self._of(intent.id)).first()
            if held is None or held.press_id != press.id or here is None:
                return GateAnswer(GateRefusal.NOT_CLAIMED)
            if press.wish is PressKind.STOP and intent.bulk_id:
                bulk = (bulks.c.id == intent.bulk_id, bulks.c.account == self._account)
                state = connection.execute(select(bulks.c.state).where(*bulk)).scalar()
                if state != str(BulkState.STOPPING):
                    return GateAnswer(GateRefusal.ABORTED)
            now = clock(connection, self._now)
            left = (intent.deadline - now).total_seconds()
            if left <= 0:
                return GateAnswer(GateRefusal.LATE)
            written = audit.append(connection, self._of_account(replace(sending, at=now)))
            if written.new:
                when_kept(connection, lambda _: _measured(metrics.TO_POST, press, now))
            return GateAnswer(left=left) if written.new else GateAnswer(GateRefusal.SENT_BEFORE)

        return await self._database.within(work)

    async def conclude(
        self,
        fence: Fence,
        intent: Intent,
        press: Press,
        records: Sequence[Record],
        state: IntentState,
        ended: Ended | None,
    ) -> str:
        def work(connection: Connection) -> str:
            one_writer(connection)
            if not is_newest(connection, fence):
                return ""
            written = [audit.append(connection, self._of_account(record)) for record in records]
            if written[-1].new:
                when_kept(connection, lambda _: _measured(metrics.TO_OUTCOME, press, records[-1].at))
            if press.wish is PressKind.STOP:  # with its receipt: a hang-up draws the card again from what is kept here
                kept = replace(ended, receipt=written[-1].receipt) if ended else None
                self._settle(connection, intent.id, press.id, state, kept)
            connection.execute(_GIVE_BACK, {"press": press.id})
            return written[-1].receipt

        return await self._database.within(work)

    async def keep_end(self, fence: Fence, intent_id: str, press_id: str, ended: Ended) -> Ended | None:
        def work(connection: Connection) -> Ended | None:
            one_writer(connection)
            if not is_newest(connection, fence):
                return None
            now = self._settle(connection, intent_id, press_id, IntentState.SETTLED, ended)
            connection.execute(_GIVE_BACK, {"press": press_id})
            return now

        return await self._database.within(work)

    async def settle(self, intent_id: str, press_id: str, state: IntentState) -> None:
        def work(connection: Connection) -> None:
            one_writer(connection)
            self._settle(connection, intent_id, press_id, state, None)
            connection.execute(_GIVE_BACK, {"press": press_id})

        await self._database.within(work)

    async def hung_up(self, intent_id: str, call: CallAfter) -> Ended | None:
        def work(connection: Connection) -> Ended | None:
            one_writer(connection)
            there = self._ended(connection, intent_id)
            if there is None:
                return None
            now = replace(there, call=call)
            connection.execute(
                update(intents).where(*self._this(intent_id)).values(ended=msgspec.json.encode(now).decode())
            )
            return now

        return await self._database.within(work)

    async def put_away(self, intent_id: str, record: Record) -> bool:
        def work(connection: Connection) -> bool:
            one_writer(connection)
            if not self._change(connection, intent_id, IntentState.OPEN, IntentState.CANCELLED):
                return False
            audit.append(connection, self._of_account(record))
            return True

        return await self._database.within(work)

    async def record(self, record: Record) -> ChainedRecord:
        return await self._database.within(lambda connection: audit.append(connection, self._of_account(record)))

    async def records(self, question: RecordQuery) -> Sequence[Entry]:
        """Read records. Whoever asks by keys, or about one activeflow, decides by the answer, and so waits for
        whoever is writing; of the rest some walk far, and no press waits for that.
        """

        def work(connection: Connection) -> list[Entry]:
            return audit.entries(connection, question, self._account)

        if question.keys is not None or question.activeflow_id is not None:
            return await self._database.within(work)
        return await self._database.reading(work, patience=PATIENCE)

    # ---------------------------------------------------------------- in a transaction

    def _of(self, intent_id: str) -> dict[str, str]:
        """Bind for the statements above: the intent of this id, if it is this account's."""
        return {"intent": intent_id, "of_account": self._account}

    def _this(self, intent_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """Return the intent of this id, if it is this account's."""
        return intents.c.id == intent_id, intents.c.account == self._account

    def _stored(self, intent_id: str, connection: Connection) -> StoredIntent | None:
        row = connection.execute(_INTENT_AND_STATE, self._of(intent_id)).first()
        return None if row is None else (_INTENT.decode(row.body), IntentState(row.state))

    def _of_account(self, record: Record) -> Record:
        return replace(record, account=self._account)

    def _take(self, connection: Connection, intent_id: str, press_id: str) -> bool:
        """Take the intent for this press, if it is open, or was this press's already."""
        if self._change(connection, intent_id, IntentState.OPEN, IntentState.STOPPING, press_id=press_id):
            return True
        row = connection.execute(_INTENT_AND_STATE, self._of(intent_id)).first()
        return row is not None and row.press_id == press_id and row.state == str(IntentState.STOPPING)

    def _supersede(self, connection: Connection, intent_id: str, press_id: str) -> bool:
        """Open, or being stopped by this press, whose claim is given back."""
        taken = and_(intents.c.state == str(IntentState.STOPPING), intents.c.press_id == press_id)
        there = or_(intents.c.state == str(IntentState.OPEN), taken)
        gone = update(intents).where(*self._this(intent_id), there).values(state=str(IntentState.SUPERSEDED))
        if connection.execute(gone).rowcount != 1:
            return False
        if press_id:
            connection.execute(delete(claims).where(claims.c.press_id == press_id))
        return True

    def _settle(
        self, connection: Connection, intent_id: str, press_id: str, state: IntentState, ended: Ended | None
    ) -> Ended | None:
        now = None if ended is None else ended.after(self._ended(connection, intent_id))
        told = None if now is None else msgspec.json.encode(now).decode()
        connection.execute(_SETTLE, {**self._of(intent_id), "press": press_id, "to": str(state), "told": told})
        return now

    def _ended(self, connection: Connection, intent_id: str) -> Ended | None:
        told = connection.execute(_HOW_IT_ENDED, self._of(intent_id)).scalar()
        return None if told is None else _ENDED.decode(told)

    def _rewrite(self, connection: Connection, intent_id: str, **fields: str) -> None:
        """Change these fields of an intent that is there, and leave the others as they are by now."""
        body = connection.execute(select(intents.c.body).where(*self._this(intent_id))).scalar()
        if body is not None:
            rewritten = msgspec.json.encode(replace(_INTENT.decode(body), **fields)).decode()  # type: ignore[arg-type] # fields by name
            connection.execute(update(intents).where(*self._this(intent_id)).values(body=rewritten))

    def _change(
        self, connection: Connection, intent_id: str, was: IntentState, to: IntentState, press_id: str = ""
    ) -> bool:
        """Compare and set: true for exactly one of those who try."""
        change = {**self._of(intent_id), "was": str(was), "to": str(to), "press": press_id}
        return connection.execute(_CHANGE, change).rowcount == 1


def _measured(seconds: Histogram, press: Press, at: datetime) -> None:
    """Measure how long after the press it was. (Two clocks that disagree measure nothing that is less than nothing.)"""
    seconds.labels(str(press.wish)).observe(max((at - press.at).total_seconds(), 0.0))


def _claimed(intent: Intent, press: Press) -> str:
    """Name what one press at a time has the right to: the activeflow, or its call."""
    return str(intent.seen.call_id if press.wish is PressKind.HANG_UP else intent.activeflow_id)
