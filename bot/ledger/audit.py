"""Chain the audit: each row carries the hash of the one before, so that a change, a gap or an insertion shows.

``hash = sha256(previous hash, seq, body)`` where ``body`` is the record as canonical JSON (sorted keys, no blanks). The
other columns repeat parts of the body for searching; ``verify`` holds them against it too. A removed tail cannot be
seen from the rows alone: give ``flows-bot audit verify --head`` the receipt of the last public stop card, which is a
head. The oldest records may be cut off (``audit_archive``): then a record further on says up to which, with that one's
hash.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    desc,
    false,
    func,
    insert,
    inspect,
    or_,
    select,
    update,
)

from bot import tracing
from bot.activeflows.records import ChainedRecord, Entry, Head, Record, RecordKind, RecordQuery
from bot.activeflows.stopping.stop import DeclineReason, PressKind
from bot.ledger import metrics
from bot.ledger.database import one_writer, when_kept
from bot.ledger.tables import audit, heads

# ---------------------------------------------------------------- audit log
# Log each record of the audit as it is kept, so that the log and the audit cannot disagree.
#
# The event is the kind of record, but for three that have names of their own (``_event``); ``intent_id`` is what a
# press can be followed by, ``seq`` its number in the audit. What people typed and what names or ends of numbers hold
# (the reason, the filters of a bulk stop, the endings that were looked for) stays in the audit: only what ``_SAID``
# names is logged. A process that ends in the instant after a record was kept leaves it without a line: the audit is the
# truth.

log = structlog.get_logger(__name__)
_SAID: Final = (
    *("because", "why", "grant", "policy", "wish", "bulk", "thread", "asked_by", "attempt", "seen", "was", "now"),
    *("outcome", "attribution", "request_id", "halted", "count", "shown", "wanted", "numbers", "sha256", "grants"),
    *("through", "before", "mentioned"),
)
"""What of a record's detail is words of our own, ids and figures."""
_TRACED: Final = ("why", "wish", "attempt", "outcome", "attribution", "request_id")


def tell(record: Record, seq: int, certain: bool) -> None:
    """Count it, and write the line. ``certain``: that the record was kept; else the database's answer was lost."""
    said = {name: record.detail[name] for name in _SAID if record.detail.get(name) not in (None, "")}
    if not certain:
        said["kept"] = "not known"
    event = _event(record)
    _count(record, event)
    traced: dict[str, object] = {name: said[name] for name in _TRACED if name in said}
    traced |= {"seq": seq, "activeflow_id": str(record.activeflow_id or "")}
    tracing.told(event, traced, intent_id=record.intent_id, first=record.what is RecordKind.ASKED)
    log.info(
        event,
        seq=seq,
        intent_id=record.intent_id,
        activeflow_id=str(record.activeflow_id or ""),
        person=record.who,
        channel=record.channel,
        **({"account": record.account} if record.account else {}),
        **said,
    )


def _count(record: Record, event: str) -> None:
    wish = str(record.detail.get("wish") or PressKind.STOP)
    metrics.RECORDS.labels(str(record.what)).inc()
    if event in {"pressed", "bulk_begun"}:
        metrics.PRESSES.labels(wish if event == "pressed" else str(PressKind.BULK)).inc()
    elif event in {"outcome", "hung_up"}:
        metrics.STOPS.labels(wish, str(record.detail.get("outcome") or "")).inc()
    elif event == "bulk_over":
        metrics.BULK_STOPS.inc()
    elif event == "refused":
        metrics.REFUSALS.labels(str(record.detail.get("why") or DeclineReason.NOT_PERMITTED)).inc()


def _event(record: Record) -> str:
    detail, whole = record.detail, bool(record.intent_id) and record.detail.get("bulk") == record.intent_id
    if whole and record.what is RecordKind.PRESSED:
        return "bulk_begun"
    if whole and record.what is RecordKind.OUTCOME:
        return "bulk_over"
    if record.what is RecordKind.OUTCOME and detail.get("wish") == str(PressKind.HANG_UP):
        return "hung_up"
    return str(record.what)


# ---------------------------------------------------------------- audit

GENESIS: Final = "0" * 64
_FIELDS: Final = tuple(field.name for field in fields(Record))
RECEIPT_DIGITS: Final = 10
_OWN: Final = (str(RecordKind.POLICY), str(RecordKind.PRUNED))
"""Kinds of record that are about the bot itself, and no account."""
_FEW: Final = 10_000
"""Records whose places are looked up in a few milliseconds."""


def hash_of(previous: str, seq: int, body: str) -> str:
    return hashlib.sha256(f"{previous}\n{seq}\n{body}".encode()).hexdigest()


def receipt_of(seq: int, digest: str) -> str:
    """Return what people are told of a record: its number and the beginning of its hash, as ``audit verify --head``
    takes it.
    """
    return f"{seq}:{digest[:RECEIPT_DIGITS]}"


def body_of(record: Record) -> str:
    """Return the record as canonical JSON; of a bot with one account, without a word of it."""
    fields = {name: getattr(record, name) for name in _FIELDS if record.account or name != "account"}
    return json.dumps(fields, default=str, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# Built once: that takes longer than to carry them out.
_OF_KEY: Final = select(audit.c.seq, audit.c.hash).where(audit.c.key == bindparam("of_key"))
_LAST: Final = select(audit.c.seq, audit.c.hash).order_by(desc(audit.c.seq)).limit(1)
_APPEND: Final = insert(audit)


def newest_head(connection: Connection) -> Head | None:
    """Return the head of the chain as it is now."""
    row = connection.execute(_LAST).first()
    return None if row is None else Head(row.seq, row.hash)


def append(connection: Connection, record: Record) -> ChainedRecord:
    """Write at the end of the chain. A key that is there already is answered, not written again."""
    one_writer(connection)
    there = connection.execute(_OF_KEY, {"of_key": record.key}).first()
    if there is not None:
        return ChainedRecord(there.seq, receipt_of(there.seq, there.hash), new=False)
    last = newest_head(connection)
    seq, previous = (last.seq + 1, last.hash) if last is not None else (1, GENESIS)
    body = body_of(record)
    digest = hash_of(previous, seq, body)
    row = {"seq": seq, "body": body, "previous": previous, "hash": digest, **_columns(record)}
    connection.execute(_APPEND, row)
    when_kept(connection, partial(tell, record, seq))
    return ChainedRecord(seq, receipt_of(seq, digest), new=True)


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
    """Return the record a body was made of."""
    fields = json.loads(body)
    activeflow_id = fields.pop("activeflow_id")
    return Record(
        at=datetime.fromisoformat(fields.pop("at")),
        what=RecordKind(fields.pop("what")),
        activeflow_id=UUID(activeflow_id) if activeflow_id else None,
        **fields,
    )


def went_on(connection: Connection, activeflow_id: UUID, press_id: str) -> bool:
    """Tell whether there is more of this press on record than that it was allowed: sending, an outcome, a refusal."""
    its = audit.c.key.startswith(f"{press_id}/", autoescape=True)
    more = select(audit.c.seq).where(
        audit.c.activeflow_id == str(activeflow_id), its, audit.c.what != str(RecordKind.PRESSED)
    )
    return connection.execute(more.limit(1)).first() is not None


def entries(connection: Connection, question: RecordQuery, account: str = "") -> list[Entry]:
    """Return those of this account, and of the bot itself (which are about no activeflow), newest first."""
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
    """Select the records whose activeflow's id begins so. An index has no use for LIKE, so a range
    that holds all of them comes first.

    No hexadecimal digit comes after ``g``, nor does the dash, in whatever order a database sorts words.
    """
    column, shortest = audit.c.activeflow_id, digits.split("-", 1)[0]
    return column >= shortest, column < f"{shortest}g", column.startswith(digits, autoescape=True)


def _since(connection: Connection, since: datetime) -> tuple[ColumnElement[bool], ...]:
    """Select records of that time and later. SQLite does not know whether those are few, and would walk the whole
    chain for the last of them: so it is told where the first of few stands.
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
class ChainCut:
    """Records 1 to ``through`` were cut off; that one's hash, and the number of the record that says so."""

    through: int
    hash: str
    seq: int

    def __str__(self) -> str:
        return f"records 1 to {self.through} were cut off, as record {self.seq} says"


def last_cut(connection: Connection) -> ChainCut | None:
    """Return the newest one, if there was one."""
    pruned = select(audit.c.seq, audit.c.body).where(audit.c.what == str(RecordKind.PRUNED))
    row = connection.execute(pruned.order_by(desc(audit.c.seq)).limit(1)).first()
    try:
        detail = {} if row is None else record_of(row.body).detail
        through, digest = detail.get("through"), detail.get("hash")
    except (ValueError, TypeError, AttributeError, KeyError):
        return None  # changed by somebody, which ``verify`` says
    if row is None or not isinstance(through, int) or not isinstance(digest, str) or through >= row.seq:
        return None
    return ChainCut(through, digest, row.seq)


def verify(rows: Iterable[Mapping[str, Any]], cut: ChainCut | None = None) -> Iterator[Flaw]:
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
    """Tell whether the other columns repeat the body. A forged body may be no record at all."""
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
    cut: ChainCut | None


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
    """Read so many rows at most that come after that number, oldest first."""
    rows = connection.execute(select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(most))
    return [dict(row) for row in rows.mappings()]


def chain(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """Yield every row, oldest first, a few at a time."""
    rows = connection.execution_options(yield_per=500).execute(select(audit).order_by(audit.c.seq))
    for row in rows.mappings():
        yield dict(row)


def exported(row: Mapping[str, Any]) -> str:
    """Return one line of JSON: the record with its place in the chain."""
    fields = {**json.loads(row["body"]), "seq": row["seq"], "previous": row["previous"], "hash": row["hash"]}
    return json.dumps(fields, ensure_ascii=False)


# ---------------------------------------------------------------- audit heads
# Record heads of the chain each day and after each outcome of a stop, so that a removed tail shows.
#
# The rows alone cannot show that the newest of them were removed. A head, ``<seq>:<hash>``, that somebody keeps
# elsewhere can: the chain must still go through it. Decisions:
#
# - A head is claimed in a table of its own, not in the chain: announcing must not itself be what changes the head.
# - It is claimed before it is told, so it is told by one of all replicas, and not again after a restart. A bot that
#   ends before anybody could see it leaves one out; the next head proves the records before it, too.
# - Several outcomes in a moment have one head: the newest proves all of them.

_WRITTEN: Final = re.compile(rf"(?<![\w:.])(\d{{1,9}}):([0-9a-f]{{{RECEIPT_DIGITS},64}})(?![\w:])")


def due(connection: Connection, day: date) -> bool:
    """Tell whether there is a head to be told: the first of this day, or one after an outcome that none was told
    after.
    """
    told = connection.execute(select(heads.c.seq).where(heads.c.day == day.isoformat())).scalar()
    newer = select(audit.c.seq).where(audit.c.seq > (told or 0)).limit(1)
    if told is not None:
        newer = newer.where(audit.c.what == str(RecordKind.OUTCOME))
    return connection.execute(newer).first() is not None


def claim(connection: Connection, day: date) -> Head | None:
    """Return the head to be told, to exactly one asker; ``None``: none is due."""
    one_writer(connection)
    last = newest_head(connection)
    if last is None or not due(connection, day):
        return None
    here = {"seq": last.seq, "hash": last.hash}
    if not connection.execute(update(heads).where(heads.c.day == day.isoformat()).values(here)).rowcount:
        connection.execute(insert(heads).values(day=day.isoformat(), **here))
    return last


def kept(connection: Connection) -> list[Head]:
    """Return the heads told so far, as the ledger itself remembers them: whoever removes the tail only, did not think
    of these.
    """
    if not inspect(connection).has_table(heads.name):
        return []
    return [Head(row.seq, row.hash) for row in connection.execute(select(heads).order_by(heads.c.day))]


def written(text: str) -> Iterator[Head]:
    """Yield every head in a text: a log, a channel's messages, or one that was typed."""
    return (Head(int(seq), digits) for seq, digits in _WRITTEN.findall(text))


def missing(connection: Connection, head: Head) -> str:
    """Return why the chain does not go through that head any more; empty when it does, or when that was cut off."""
    there = connection.execute(select(audit.c.hash).where(audit.c.seq == head.seq)).scalar()
    if there is not None:
        return "" if there.startswith(head.hash) else f"record {head.seq} is another one now"
    cut = last_cut(connection)
    if cut is not None and head.seq <= cut.through:
        same = head.seq < cut.through or cut.hash.startswith(head.hash)
        return "" if same else f"record {head.seq} was another one when it was cut off"
    last = newest_head(connection)
    ends = 0 if last is None else last.seq
    return f"the chain ends at record {ends}: its tail was removed" if ends < head.seq else "that record is missing"


def standing(connection: Connection, head: Head) -> str:
    """Return what can be said of a head that is not ``missing``."""
    cut = last_cut(connection)
    if cut is None or connection.execute(select(audit.c.seq).where(audit.c.seq == head.seq)).first() is not None:
        return "is in the chain"
    with_it = f"records 1 to {cut.through}"
    if head.seq == cut.through:
        return f"was the last of {with_it} that were cut off, as record {cut.seq} says"
    return f"was cut off with {with_it}, as record {cut.seq} says: whether it was this one cannot be told"


def first_missing(connection: Connection, known: Iterable[Head]) -> tuple[Head, str] | None:
    """Return the first of these heads that the chain does not go through, and why; ``None``: it goes through them
    all.
    """
    return next(((head, why) for head in known if (why := missing(connection, head))), None)


# ---------------------------------------------------------------- policy log
# Record in the chain which policy was in force, so that a decision can be read later by its rules.


def note(connection: Connection, record: Record) -> bool:
    """Append it, unless the newest record of a policy says the same; whether it was appended.

    Several replicas see the same change, and each start sees the policy that was in force before.
    """
    one_writer(connection)
    newest = select(audit.c.body).where(audit.c.what == str(RecordKind.POLICY)).order_by(desc(audit.c.seq)).limit(1)
    body = connection.execute(newest).scalar()
    if body is not None and json.loads(body)["detail"] == dict(record.detail):
        return False
    return append(connection, record).new
