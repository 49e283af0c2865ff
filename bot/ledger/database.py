"""Open one database for everything that outlives the process: a SQLite file, or PostgreSQL.

SQLAlchemy Core, synchronous, in a few threads of its own (SQLite is synchronous at heart, and a commit of it takes
milliseconds); the event loop never waits on the disk. Decision: not the loop's default threads, because the durable
workflows (DBOS) replace and finally close those.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeAlias, TypeVar

import structlog
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from bot.activeflows.errors import LedgerUnavailable
from bot.ledger.engine import READS_ONLY, engine_for
from bot.ledger.metrics import UNAVAILABLE
from bot.ledger.tables import VERSION

T = TypeVar("T")
log = structlog.get_logger(__name__)
_THREADS: Final = 4
_PATIENCE: Final = 8.0
"""Seconds until whoever waits is told that there was no answer: longer than any bound of a connection."""
_AUDIT_LOCK: Final = 0x666C6F7773  # "flows": one writer of the chain at a time, across replicas
_TABLES_LOCK: Final = 0x7461626C6573  # "tables": one maker of tables at a time
_PREPARING: Final = 60.0
"""Seconds for the making of tables, and for waiting until somebody else has made them."""
_TELLING: Final = "flows_bot_telling"
Tell: TypeAlias = Callable[[bool], None]
"""Tells what a transaction wrote; whether it is certain that it was kept. Quick, in a thread of the ledger, raises nothing."""


class Database:
    """Transactions in threads. Every trouble of the database is ``LedgerUnavailable``."""

    def __init__(self, url: str, *, threads: int = _THREADS) -> None:
        self.url = url
        self._engine = engine_for(url, connections=threads)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ledger")

    def apart(self) -> "Database":
        """The same ledger over connections and threads of its own, so that nothing waits behind the work. Close it, too."""
        return Database(self.url, threads=2)

    @property
    def is_postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    async def prepare(self) -> None:
        """Bring the tables to this bot's layout, one bot after the other. Raises ``ForeignLayout`` or ``NewerLedger``."""
        from bot.ledger import migrations  # noqa: PLC0415 — Alembic and DBOS: commands that only read answer sooner

        was = await self.within(lambda connection: migrations.upgrade(_alone(connection)), patience=_PREPARING)
        if was != VERSION:
            log.info("ledger_upgraded", was=was, version=VERSION)

    async def rehearse(self) -> bool:
        """Try the same and take it back; whether the tables were there already. Raises as ``prepare``."""
        from bot.ledger import migrations  # noqa: PLC0415 — as above

        return await self.within(partial(_rehearsed, migrations.upgrade), patience=_PREPARING)

    async def within(self, work: Callable[[Connection], T], *, patience: float = _PATIENCE) -> T:
        """Run ``work`` in one transaction: all of it is kept, or nothing.

        Without an answer for ``patience`` seconds it is given up; it may then be kept all the same, a moment later.
        """
        return await self._run(self._engine, work, patience)

    async def reading(self, work: Callable[[Connection], T]) -> T:
        """The same for work that writes nothing and may take long, such as walking the whole chain: no stop waits for it."""
        return await self._run(self._engine.execution_options(**{READS_ONLY: True}), work, None)

    async def _run(self, engine: Engine, work: Callable[[Connection], T], patience: float | None) -> T:
        def transaction() -> T:
            telling: list[Tell] = []
            done = kept = False
            try:
                with engine.begin() as connection:
                    connection.info[_TELLING] = telling
                    result = work(connection)
                    done = True
                kept = True
                return result
            finally:
                for tell in telling if done else ():  # a commit whose answer was lost may have been kept
                    tell(kept)

        try:
            async with asyncio.timeout(patience):  # given up before its turn, it never runs
                return await asyncio.get_running_loop().run_in_executor(self._threads, transaction)
        except TimeoutError:
            UNAVAILABLE.inc()
            log.error("ledger_unavailable", trouble="no answer", seconds=patience)
            raise LedgerUnavailable("the ledger (the bot's database) did not answer in time") from None
        except SQLAlchemyError as trouble:
            UNAVAILABLE.inc()
            log.error("ledger_unavailable", trouble=type(trouble).__name__)
            raise LedgerUnavailable("the ledger (the bot's database) could not be written or read") from None

    async def close(self) -> None:
        """Transactions under way end first: cancelling whoever waits for one does not end its thread."""

        def end() -> None:
            self._threads.shutdown()
            self._engine.dispose()

        with ThreadPoolExecutor(1) as thread:
            await asyncio.get_running_loop().run_in_executor(thread, end)


def when_kept(connection: Connection, tell: Tell) -> None:
    """Tell of what this transaction writes as soon as it is kept, and of nothing that is taken back."""
    connection.info.setdefault(_TELLING, []).append(tell)


def one_writer(connection: Connection) -> None:
    """Until this transaction ends, nobody else appends to the chain. (SQLite's IMMEDIATE does the same.)"""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _AUDIT_LOCK})


def _alone(connection: Connection) -> Connection:
    """No other bot changes tables until this transaction ends.

    (What SQLite begins is one writer's already. DBOS takes a lock of its own for its tables.)
    """
    if connection.dialect.name == "postgresql":
        for bound in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(
                text("SELECT set_config(:bound, :value, true)"), {"bound": bound, "value": f"{_PREPARING:g}s"}
            )
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TABLES_LOCK})
    return connection


def _rehearsed(upgrade: Callable[[Connection], int], connection: Connection) -> bool:
    """(Both databases take back tables, too. DBOS makes its tables in a schema of its own on PostgreSQL.)"""
    with _alone(connection).begin_nested() as attempt:
        there = upgrade(connection)
        if connection.dialect.name == "postgresql" and not inspect(connection).has_schema("dbos"):
            connection.execute(text("CREATE SCHEMA dbos"))
        attempt.rollback()
    return there > 0
