"""One database for everything that outlives the process: a SQLite file, or PostgreSQL when one machine is not enough.

SQLAlchemy Core, synchronous, in a few threads of its own (SQLite is synchronous at heart, and a commit of it takes
milliseconds); the event loop never waits on the disk. Decision: not the loop's default threads, because the durable
workflows (DBOS) replace and finally close those.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.activeflows.errors import LedgerUnavailable
from bot.ledger.tables import metadata

T = TypeVar("T")
log = structlog.get_logger(__name__)
_THREADS: Final = 4
_CONNECT: Final = "10"
"""Seconds to wait for a PostgreSQL that says nothing; the URL may ask for others (``?connect_timeout=3``)."""
_READS_ONLY: Final = "flows_bot_reads_only"
_AUDIT_LOCK: Final = 0x666C6F7773  # "flows": one writer of the chain at a time, across replicas


def engine_for(url: str) -> Engine:
    """An engine for ``sqlite:///file`` or ``postgresql://…``. Errors of it never print parameters.

    Raises ``ArgumentError`` for what is no such address, without a word of it.
    """
    try:
        parsed = make_url(url)
    except ValueError:
        raise ArgumentError("a port that is no number") from None  # its own words may repeat a password with a colon
    if parsed.get_backend_name() == "postgresql":
        patient = parsed.set(drivername="postgresql+psycopg", query={"connect_timeout": _CONNECT, **parsed.query})
        return create_engine(patient, hide_parameters=True, pool_pre_ping=True, pool_size=_THREADS)
    engine = create_engine(parsed, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver itself would begin a transaction only at the first write
        connection.execute("PRAGMA busy_timeout = 15000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # "recorded" must survive a power cut

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_READS_ONLY):
            connection.exec_driver_sql("BEGIN")  # what was committed until now, and nobody waits for whoever reads it
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # read, decide and write as one, with no other writer between

    return engine


class Database:
    """Transactions in threads. Every trouble of the database is ``LedgerUnavailable``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = engine_for(url)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ledger")

    @property
    def is_postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    async def prepare(self) -> None:
        """Create the tables that are missing."""
        await self.within(metadata.create_all)

    async def within(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one transaction: all of it is kept, or nothing."""
        return await self._run(self._engine, work)

    async def reading(self, work: Callable[[Connection], T]) -> T:
        """The same for work that writes nothing and may take long, such as walking the whole chain: no stop waits for it."""
        return await self._run(self._engine.execution_options(**{_READS_ONLY: True}), work)

    async def _run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with engine.begin() as connection:
                return work(connection)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, transaction)
        except SQLAlchemyError as trouble:
            log.error("ledger_unavailable", trouble=type(trouble).__name__)
            raise LedgerUnavailable("the ledger (the bot's database) could not be written or read") from None

    async def close(self) -> None:
        """Transactions under way end first: cancelling whoever waits for one does not end its thread."""

        def end() -> None:
            self._threads.shutdown()
            self._engine.dispose()

        with ThreadPoolExecutor(1) as thread:
            await asyncio.get_running_loop().run_in_executor(thread, end)


def one_writer(connection: Connection) -> None:
    """Until this transaction ends, nobody else appends to the chain. (SQLite's IMMEDIATE does the same.)"""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _AUDIT_LOCK})
