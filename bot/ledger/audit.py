"""Chain the audit: each row carries the hash of the one before, so that a change, a gap or an insertion shows.

``hash = sha256(previous hash, seq, body)`` where ``body`` is the record as canonical JSON (sorted keys, no blanks).
The other columns repeat parts of the body for searching; ``verify`` holds them against it too. A removed tail cannot be
seen from the rows alone: give ``flows-bot audit verify --head`` the receipt of the last public stop card, which is a head.
The oldest records may be cut off (``audit_prune``): then a record further on says up to which, with that one's hash.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, desc, false, func, insert, or_, select

from bot.activeflows.records import Entry, Question, Record, What, Written
from bot.ledger.audit_log import tell
from bot.ledger.database import one_writer, when_kept
from bot.ledger.tables import audit

GENESIS: Final = "0" * 64
RECEIPT_DIGITS: Final = 10
_OWN: Final = (str(What.POLICY), str(What.PRUNED))
"""Kinds of record that are about the bot itself, and no account."""
_FEW: Final = 10_000
"""Records whose places are looked up in a few milliseconds."""


def hash_of(previous: str, seq: int, body: str) -> str:
    return hashlib.sha256(f"{previous}\n{seq}\n{body}".encode()).hexdigest()


def receipt_of(seq: int, digest: str) -> str:
    """What people are told of a record: its number and the beginning of its hash, as ``audit verify --head`` takes it."""
    return f"{seq}:{digest[:RECEIPT_DIGITS]}"


def body_of(record: Record) -> str:
    """The record as canonical JSON; of a bot with one account, without a word of it."""
    fields = asdict(record)
    if not record.account:
        del fields["account"]
    return json.dumps(fields, default=str, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def append(connection: Connection, record: Record) -> Written:
    """Write at the end of the chain. A key that is there already is answered, not written again."""
    one_writer(connection)
    there = connection.execute(select(audit.c.seq, audit.c.hash).where(audit.c.key == record.key)).first()
    if there is not None:
        return Written(there.seq, receipt_of(there.seq, there.hash), new=False)
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(desc(audit.c.seq)).limit(1)).first()
    seq, previous = (last.seq + 1, last.hash) if last is not None else (1, GENESIS)
    body = body_of(record)
    digest = hash_of(previous, seq, body)
    connection.execute(insert(audit).values(seq=seq, body=body, previous=previous, hash=digest, **_columns(record)))
    when_kept(connection, partial(tell, record, seq))
    return Written(seq, receipt_of(seq, digest), new=True)


def _columns(record: Record) -> dict[str, str | None]:
    return {
        "key": record.key,
        "at": record.at.isoformat(),
        "what": str(record.what),
        "who": record.who,
        "activeflow_id": str(record.activeflow_id) if record.activeflow_id else None,
        "account": record.account,
    }


def record_of(body: str) -> Record:
    """The record a body was made of."""
    fields = json.loads(body)
    activeflow_id = fields.pop("activeflow_id")
    return Record(
        at=datetime.fromisoformat(fields.pop("at")),
        what=What(fields.pop("what")),
        activeflow_id=UUID(activeflow_id) if activeflow_id else None,
        **fields,
    )


def went_on(connection: Connection, activeflow_id: UUID, press_id: str) -> bool:
    """Whether there is more of this press on record than that it was allowed: sending, an outcome, a refusal."""
    its = audit.c.key.startswith(f"{press_id}/", autoescape=True)
    more = select(audit.c.seq).where(
        audit.c.activeflow_id == str(activeflow_id), its, audit.c.what != str(What.PRESSED)
    )
    return connection.execute(more.limit(1)).first() is not None


def entries(connection: Connection, question: Question, account: str = "") -> list[Entry]:
    """Those of this account, and of the bot itself (which are about no activeflow), newest first."""
    upwards = question.after_seq is not None
    order = audit.c.seq if upwards else desc(audit.c.seq)
    wanted = select(audit.c.seq, audit.c.body, audit.c.hash).order_by(order).limit(question.limit)
    own = and_(audit.c.account == "", audit.c.what.in_(_OWN))
    wanted = wanted.where(or_(audit.c.account == account, own) if account else audit.c.account == "")
    if question.who is not None:
        wanted = wanted.where(audit.c.who == question.who)
    if question.what is not None:
        wanted = wanted.where(audit.c.what == str(question.what))
    if question.kinds is not None:
        wanted = wanted.where(audit.c.what.in_([str(kind) for kind in question.kinds]))
    if question.keys is not None:
        wanted = wanted.where(audit.c.key.in_(question.keys))
    if question.activeflow_id is not None:
        wanted = wanted.where(audit.c.activeflow_id == str(question.activeflow_id))
    if question.activeflow_prefix is not None:
        wanted = wanted.where(*_beginning_with(question.activeflow_prefix))
    if question.since is not None:
        wanted = wanted.where(*_since(connection, question.since))
    if question.before_seq is not None:
        wanted = wanted.where(audit.c.seq < question.before_seq)
    if question.after_seq is not None:
        wanted = wanted.where(audit.c.seq > question.after_seq)
    found = [Entry(row.seq, record_of(row.body), receipt_of(row.seq, row.hash)) for row in connection.execute(wanted)]
    return found[::-1] if upwards else found


def _beginning_with(digits: str) -> tuple[ColumnElement[bool], ...]:
    """Whose activeflow's id begins so. An index has no use for LIKE, so a range that holds all of them comes first.

    No hexadecimal digit comes after ``g``, nor does the dash, in whatever order a database sorts words.
    """
    column, shortest = audit.c.activeflow_id, digits.split("-", 1)[0]
    return column >= shortest, column < f"{shortest}g", column.startswith(digits, autoescape=True)


def _since(connection: Connection, since: datetime) -> tuple[ColumnElement[bool], ...]:
    """Of that time and later. SQLite does not know whether those are few, and would walk the whole chain for the last of them:
    so it is told where the first of few stands.
    """
    of_that_time = audit.c.at >= since.isoformat()
    if connection.dialect.name != "sqlite":
        return (of_that_time,)
    some = select(audit.c.seq).where(of_that_time).limit(_FEW + 1).subquery()
    number, first = connection.execute(select(func.count(), func.min(some.c.seq)).select_from(some)).one()
    return (of_that_time,) if number > _FEW else (of_that_time, audit.c.seq >= first if number else false())


# ---------------------------------------------------------------- proof and export


@dataclass(frozen=True, slots=True)
class Flaw:
    """A row that does not fit, and why. ``seq`` is where the chain breaks."""

    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class Cut:
    """Records 1 to ``through`` were cut off; that one's hash, and the number of the record that says so."""

    through: int
    hash: str
    seq: int

    def __str__(self) -> str:
        return f"records 1 to {self.through} were cut off, as record {self.seq} says"


def last_cut(connection: Connection) -> Cut | None:
    """The newest one, if there was one."""
    pruned = select(audit.c.seq, audit.c.body).where(audit.c.what == str(What.PRUNED))
    row = connection.execute(pruned.order_by(desc(audit.c.seq)).limit(1)).first()
    try:
        detail = {} if row is None else record_of(row.body).detail
        through, digest = detail.get("through"), detail.get("hash")
    except (ValueError, TypeError, AttributeError, KeyError):
        return None  # changed by somebody, which ``verify`` says
    if row is None or not isinstance(through, int) or not isinstance(digest, str) or through >= row.seq:
        return None
    return Cut(through, digest, row.seq)


def verify(rows: Iterable[Mapping[str, Any]], cut: Cut | None = None) -> Iterator[Flaw]:
    """Walk the chain from the first row; yields every row that was changed, removed or inserted.

    After a ``cut`` it may begin anywhere up to the record after it: rows are deleted a few at a time.

    Whoever computes a changed row's hash anew is betrayed by the next row, which was written after another one; the
    newest row has none, and takes a head that was told outside.
    """
    expected, previous = 1, GENESIS
    for row in rows:
        if previous == GENESIS and expected == 1 and cut is not None and 1 < row["seq"] <= cut.through + 1:
            expected, previous = row["seq"], cut.hash if row["seq"] > cut.through else row["previous"]
        if cut is not None and row["seq"] == cut.through and row["hash"] != cut.hash:
            yield Flaw(row["seq"], f"is not the one that record {cut.seq} was written after")
        seq, intact = row["seq"], hash_of(row["previous"], row["seq"], row["body"]) == row["hash"]
        if seq != expected:
            missing = str(expected) if seq == expected + 1 else f"{expected} to {seq - 1}"
            yield Flaw(seq, f"record {missing} is missing before this one")
        elif row["previous"] != previous and intact and seq > 1:
            yield Flaw(seq - 1, f"is not the one that record {seq} was written after")
        elif row["previous"] != previous:
            yield Flaw(seq, "does not follow the record before it")
        if not intact:
            yield Flaw(seq, "was changed after it was written")
        elif not _says_the_same(row):
            yield Flaw(seq, "its search columns were changed after it was written")
        expected, previous = seq + 1, row["hash"]


def _says_the_same(row: Mapping[str, Any]) -> bool:
    """Whether the other columns repeat the body. A forged body may be no record at all."""
    try:
        columns = _columns(record_of(row["body"]))
    except (ValueError, TypeError, AttributeError, KeyError):
        return False
    return all(row[name] == value for name, value in columns.items())


@dataclass(frozen=True, slots=True)
class Proof:
    """How long the chain is, its newest receipt, every flaw, and what was cut off."""

    count: int
    newest: str
    flaws: tuple[Flaw, ...]
    cut: Cut | None


def proof(connection: Connection) -> Proof:
    """Walk the whole chain once."""
    count, newest = 0, ""

    def counted() -> Iterator[Mapping[str, Any]]:
        nonlocal count, newest
        for row in chain(connection):
            count, newest = count + 1, receipt_of(row["seq"], row["hash"])
            yield row

    cut = last_cut(connection)
    flaws = tuple(verify(counted(), cut))
    return Proof(count, newest, flaws, cut)


def piece(connection: Connection, after: int, most: int) -> list[Mapping[str, Any]]:
    """So many rows at most that come after that number, oldest first."""
    rows = connection.execute(select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(most))
    return [dict(row) for row in rows.mappings()]


def chain(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """Every row, oldest first, a few at a time."""
    rows = connection.execution_options(yield_per=500).execute(select(audit).order_by(audit.c.seq))
    for row in rows.mappings():
        yield dict(row)


def exported(row: Mapping[str, Any]) -> str:
    """One line of JSON: the record with its place in the chain."""
    fields = {**json.loads(row["body"]), "seq": row["seq"], "previous": row["previous"], "hash": row["hash"]}
    return json.dumps(fields, ensure_ascii=False)
