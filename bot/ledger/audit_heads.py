"""Record heads of the chain each day and after each outcome of a stop, so that a removed tail shows.

The rows alone cannot show that the newest of them were removed. A head, ``<seq>:<hash>``, that somebody keeps elsewhere
can: the chain must still go through it. Decisions:

- A head is claimed in a table of its own, not in the chain: announcing must not itself be what changes the head.
- It is claimed before it is told, so it is told by one of all replicas, and not again after a restart. A bot that ends
  before anybody could see it leaves one out; the next head proves the records before it, too.
- Several outcomes in a moment have one head: the newest proves all of them.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from sqlalchemy import Connection, desc, insert, inspect, select, update

from bot.activeflows.records import Head, What
from bot.ledger.audit import RECEIPT_DIGITS, last_cut
from bot.ledger.database import one_writer
from bot.ledger.tables import audit, heads

_WRITTEN: Final = re.compile(rf"(?<![\w:.])(\d{{1,9}}):([0-9a-f]{{{RECEIPT_DIGITS},64}})(?![\w:])")


def due(connection: Connection, day: date) -> bool:
    """Is there a head to be told: the first of this day, or one after an outcome that none was told after?"""
    told = connection.execute(select(heads.c.seq).where(heads.c.day == day.isoformat())).scalar()
    newer = select(audit.c.seq).where(audit.c.seq > (told or 0)).limit(1)
    if told is not None:
        newer = newer.where(audit.c.what == str(What.OUTCOME))
    return connection.execute(newer).first() is not None


def claim(connection: Connection, day: date) -> Head | None:
    """The head to be told, to exactly one asker; ``None``: none is due."""
    one_writer(connection)
    if not due(connection, day):
        return None
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(desc(audit.c.seq)).limit(1)).one()
    here = {"seq": last.seq, "hash": last.hash}
    if not connection.execute(update(heads).where(heads.c.day == day.isoformat()).values(here)).rowcount:
        connection.execute(insert(heads).values(day=day.isoformat(), **here))
    return Head(last.seq, last.hash)


def kept(connection: Connection) -> list[Head]:
    """The heads told so far, as the ledger itself remembers them: whoever removes the tail only, did not think of these."""
    if not inspect(connection).has_table(heads.name):
        return []
    return [Head(row.seq, row.hash) for row in connection.execute(select(heads).order_by(heads.c.day))]


def written(text: str) -> Iterator[Head]:
    """Every head in a text: a log, a channel's messages, or one that was typed."""
    return (Head(int(seq), digits) for seq, digits in _WRITTEN.findall(text))


def missing(connection: Connection, head: Head) -> str:
    """Why the chain does not go through that head any more; empty when it does, or when that was cut off."""
    there = connection.execute(select(audit.c.hash).where(audit.c.seq == head.seq)).scalar()
    if there is not None:
        return "" if there.startswith(head.hash) else f"record {head.seq} is another one now"
    cut = last_cut(connection)
    if cut is not None and head.seq <= cut.through:
        same = head.seq < cut.through or cut.hash.startswith(head.hash)
        return "" if same else f"record {head.seq} was another one when it was cut off"
    last = connection.execute(select(audit.c.seq).order_by(desc(audit.c.seq)).limit(1)).scalar() or 0
    return f"the chain ends at record {last}: its tail was removed" if last < head.seq else "that record is missing"


def standing(connection: Connection, head: Head) -> str:
    """What can be said of a head that is not ``missing``."""
    cut = last_cut(connection)
    if cut is None or connection.execute(select(audit.c.seq).where(audit.c.seq == head.seq)).first() is not None:
        return "is in the chain"
    with_it = f"records 1 to {cut.through}"
    if head.seq == cut.through:
        return f"was the last of {with_it} that were cut off, as record {cut.seq} says"
    return f"was cut off with {with_it}, as record {cut.seq} says: whether it was this one cannot be told"


def first_missing(connection: Connection, known: Iterable[Head]) -> tuple[Head, str] | None:
    """The first of these heads that the chain does not go through, and why; ``None``: it goes through them all."""
    return next(((head, why) for head in known if (why := missing(connection, head))), None)
