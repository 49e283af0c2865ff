"""Open one database for everything that outlives the process: a SQLite file, or PostgreSQL.

SQLAlchemy Core, synchronous, in a few threads of its own (SQLite is synchronous at heart, and a commit of it takes
milliseconds); the event loop never waits on the disk. Decision: not the loop's default threads, because the durable
workflows (DBOS) replace and finally close those.

No statement, lock or lost host holds anybody up for longer than seconds. A process that is frozen, or whose host is
gone, keeps what it has locked until somebody ends its transaction: PostgreSQL does, by bounds that this client sets.
Decisions:

- The bounds are set in each transaction and for it alone (``set_config(…, true)`` is ``SET LOCAL``), and nothing is
  prepared on the server: so both engines also work through PgBouncer in transaction mode, where a connection is another
  one after each transaction (https://www.pgbouncer.org/features.html).
- A transaction that idles is ended (``_IDLE``) before those who wait for its locks give up (``_LOCK``).
- SQLite waits for another writer for a bounded time, too, and in the engine of the durable workflows as long: by itself
  DBOS would wait 30 s, and hold a thread and say nothing meanwhile. It tries again without end, and logs each time.
- The URL may ask for others: ``?connect_timeout=10``, ``?options=-c%20lock_timeout%3D5s``; what ``options`` name is
  left alone.
"""

import asyncio
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, TypeVar, cast
from weakref import WeakValueDictionary, ref

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.max_ages import boot_time
from bot.ledger import sqlite
from bot.ledger.metrics import UNAVAILABLE
from bot.ledger.sqlite import make_private
from bot.ledger.tables import VERSION

# ---------------------------------------------------------------- turns
# Let the writers of one SQLite file go in turn, across the ledger's connections and those of the durable workflows.
#
# SQLite has one writer at a time, and whoever finds the file locked sleeps and looks again, up to a tenth of a second
# at a time: who waits longest is served by luck. In this process a writer waits for its turn here, before its
# transaction begins: first come, first served, but that the record of a press goes before all others, because somebody
# waits for its ack.
#
# Nothing depends on a turn. Decisions:
#
# - Who gets none within ``_WITHIN`` begins all the same, and SQLite decides, as it does between processes. What was
#   waited for the turn is taken off the time that SQLite may wait, so that a write waits as long as ever where somebody
#   else has locked the file.
# - A turn lapses when it lasts longer than any wait of SQLite's, and when its connection is forgotten. Who was late
#   gives back nothing then that is another's by now.
# - A process that is forked off begins without turns: the threads that had them are not in it.

_WITHIN: Final = 1.0
"""Seconds until a writer begins without a turn."""
_LAPSES: Final = 7.0
"""Seconds after which a turn is nobody's any more."""
_LOOK_EVERY: Final = 0.1
"""Seconds until whoever waits looks whether a turn has lapsed, of which nobody tells."""
_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE")
"""What the driver begins a transaction for by itself.

https://docs.python.org/3/library/sqlite3.html#sqlite3.Connection.isolation_level
"""
_A_PRESS: Final = "INSERT INTO main.workflow_status "
"""How DBOS records a press. (Members of a bulk stop, too: one after the other, so that nobody waits for long behind
them.)
"""


class WriteTurn:
    """The turn of one writer, or its place in the line."""

    def __init__(self, writer: object) -> None:
        self._writer, self._began, self.has_come = ref(writer), 0.0, threading.Event()

    def begin(self) -> None:
        """Let its writer write."""
        self._began = time.monotonic()
        self.has_come.set()

    @property
    def lapsed(self) -> bool:
        """Will nobody give it back?"""
        return self._writer() is None or time.monotonic() - self._began > _LAPSES


class WriteQueue:
    """The turns of one file."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, with nobody in the line."""
        self._lock, self._now = threading.Lock(), cast("WriteTurn | None", None)
        self._first, self._others = deque[WriteTurn](), deque[WriteTurn]()

    def take(self, writer: object, *, first: bool, within: float) -> WriteTurn | None:
        """Wait for a turn, and hold it until it is given back; ``None``: there was none in time."""
        mine = WriteTurn(writer)
        try:
            with self._lock:
                (self._first if first else self._others).append(mine)
                self._go_on()
            until = time.monotonic() + within
            while not mine.has_come.wait(max(0.0, min(_LOOK_EVERY, until - time.monotonic()))):
                with self._lock:
                    self._go_on()
                    if not mine.has_come.is_set() and time.monotonic() >= until:
                        self._leave(mine)
                        return None
        except BaseException:
            self.give_back(mine)
            raise
        return mine

    def give_back(self, turn: WriteTurn) -> None:
        """Let the next one go."""
        with self._lock:
            self._leave(turn)

    @property
    def waiting(self) -> tuple[int, int]:
        """How many wait: those who go first, and the others."""
        return len(self._first), len(self._others)

    @property
    def free(self) -> bool:
        """Would whoever comes now go at once?"""
        return self._now is None

    def _leave(self, turn: WriteTurn) -> None:
        if self._now is turn:
            self._now = None
        for line in self._first, self._others:
            if turn in line:
                line.remove(turn)
        self._go_on()

    def _go_on(self) -> None:
        if self._now is not None and not self._now.lapsed:
            return
        line = self._first or self._others
        self._now = line.popleft() if line else None
        if self._now is not None:
            self._now.begin()


_of_files: WeakValueDictionary[str, WriteQueue] = WeakValueDictionary()
_finding = threading.Lock()


def turns_of(file: str) -> WriteQueue:
    """Return the turns of this file, the same for all connections to it."""
    path = os.path.realpath(file)
    with _finding:
        found = _of_files.get(path)
        if found is None:
            found = _of_files[path] = WriteQueue()
        return found


def _forked() -> None:
    global _finding  # noqa: PLW0603 # a thread that is not in this process may have had it
    _finding = threading.Lock()
    for turns in list(_of_files.values()):
        turns.forget()


os.register_at_fork(after_in_child=_forked)


class QueuedConnection(sqlite.Connection):
    """A connection that takes a turn before it begins to write, and gives it back when the transaction is over."""

    turns: WriteQueue | None = None
    patience = 0
    """Milliseconds that a write waits for others, be it for its turn or for SQLite."""
    _turn: WriteTurn | None = None
    _hurried = False

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor that waits for its turn."""
        return super().cursor(factory or _Cursor)

    def commit(self) -> None:
        """Commit, and let the next one go."""
        try:
            super().commit()
        finally:
            self._let_go()

    def rollback(self) -> None:
        """Roll back, and let the next one go."""
        try:
            super().rollback()
        finally:
            self._let_go()

    def close(self) -> None:
        """Close, which rolls back, and let the next one go."""
        try:
            super().close()
        finally:
            self._give_back()

    def in_turn(self, execute: Callable[[str, Any], Any], statement: str, parameters: Any) -> Any:
        """Execute it, after a wait for its turn if it begins a transaction that writes."""
        try:
            if self.turns is not None and not self.in_transaction and self._begins(statement):
                self._take(first=statement.startswith(_A_PRESS))
            return execute(statement, parameters)
        finally:
            try:
                if self._hurried:
                    self._wait_for(self.patience)
            finally:
                self._let_go()  # when it began nothing, or ended it

    def _begins(self, statement: str) -> bool:
        words = statement.lstrip()[:15].upper()
        return words == "BEGIN IMMEDIATE" or (self.isolation_level == "IMMEDIATE" and words.startswith(_WRITES))

    def _take(self, *, first: bool) -> None:
        assert self.turns is not None  # noqa: S101 # for the type checker: whoever calls has looked
        self._give_back()  # of a transaction that SQLite itself has ended
        began = time.monotonic()
        self._turn = self.turns.take(self, first=first, within=min(_WITHIN, self.patience / 1000))
        waited = int((time.monotonic() - began) * 1000)
        if waited:
            self._wait_for(max(0, self.patience - waited))

    def _wait_for(self, milliseconds: int) -> None:
        self._hurried = milliseconds != self.patience
        super().cursor().execute(f"PRAGMA busy_timeout = {milliseconds}")

    def _let_go(self) -> None:
        if self._turn is not None and not self.in_transaction:
            self._give_back()

    def _give_back(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None and self.turns is not None:
            self.turns.give_back(turn)


class _Cursor(sqlite3.Cursor):
    """Executes as any, in turn."""

    def execute(self, statement: str, parameters: Any = ()) -> "_Cursor":
        connection = cast("QueuedConnection", self.connection)
        return cast("_Cursor", connection.in_turn(super().execute, statement, parameters))

    def executemany(self, statement: str, parameters: Any) -> "_Cursor":
        connection = cast("QueuedConnection", self.connection)
        return cast("_Cursor", connection.in_turn(super().executemany, statement, parameters))


# ---------------------------------------------------------------- engines

T = TypeVar("T")
log = structlog.get_logger(__name__)
_THREADS: Final = 4
PATIENCE: Final = 8.0
"""Seconds until whoever waits is told that there was no answer: longer than any bound of a connection."""
_REFUSED: Final = 0.1
_REFUSED_FOR: Final = 2.0
"""Seconds from a refusal to the next try, each time twice as long, and in all."""
_AUDIT_LOCK: Final = 0x666C6F7773  # "flows": one writer of the chain at a time, across replicas
_TELLING: Final = "flows_bot_telling"
Tell: TypeAlias = Callable[[bool], None]
"""Tells what a transaction wrote; whether it is certain that it was kept. Quick, in a thread of the ledger, raises
nothing.
"""
_LIBPQ: Final = {
    "connect_timeout": "3",
    "keepalives": "1",
    "keepalives_idle": "3",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "tcp_user_timeout": "4000",
}
"""Of the connection itself, in seconds (the last one: milliseconds).

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""
_IDLE: Final = 2000
_LOCK: Final = 2500
_STATEMENT: Final = 5000
"""Milliseconds. https://www.postgresql.org/docs/current/runtime-config-client.html"""
WORKFLOW_LOCK: Final = 1000
"""Milliseconds that DBOS waits for a lock at most. What it records carries the time at which the transaction began, so
``durable_workflows`` adds as much before it judges whether a press was recorded in time."""
_MIGRATION: Final = 60_000
"""Milliseconds for a statement of DBOS, which also makes and changes its tables."""
_WORKFLOWS: Final = 20
"""Connections of DBOS, as many as it would open by itself."""
_BUSY: Final = 6000
"""Milliseconds that SQLite waits for another writer."""
READS_ONLY: Final = "flows_bot_reads_only"
Along: TypeAlias = Callable[[Connection], None]
ALONG: Final[ContextVar[Along | None]] = ContextVar("along", default=None)
"""What each transaction of this task, and of those that it begins, writes before its own work, so that both are kept,
or neither. What is kept already may be written again.
"""


def parsed_url(url: str) -> URL:
    """Return the parts of ``sqlite:///file`` or ``postgresql://…``. Raises ``ArgumentError`` for no such address,
    without a word of it.
    """
    try:
        return make_url(url)
    except ValueError:
        raise ArgumentError("a port that is no number") from None  # its own words may repeat a password with a colon


def engine_for(url: str, *, connections: int = 4, statement: int = _STATEMENT) -> Engine:
    """Return an engine with at most so many connections; ``statement``: milliseconds. Errors of it never print
    parameters.

    Raises ``ArgumentError``.
    """
    parsed = parsed_url(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed, connections, statement)
    return _sqlite(parsed)


def workflow_engine(url: str) -> Engine:
    """Return the engine of the durable workflows."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed, _WORKFLOWS, _MIGRATION, lock=WORKFLOW_LOCK)
    engine = create_engine(
        parsed,
        hide_parameters=True,
        pool_size=_WORKFLOWS,
        max_overflow=0,
        connect_args={"factory": QueuedConnection},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"  # as DBOS has it where it makes its own
        connection.execute("PRAGMA foreign_keys = ON")
        _set_pragmas(connection)
        _in_turn(connection, parsed)

    return engine


def _postgresql(parsed: URL, connections: int, statement: int, *, lock: int = _LOCK) -> Engine:
    bounded = parsed.set(drivername="postgresql+psycopg", query={**_LIBPQ, **parsed.query})
    engine = create_engine(
        bounded,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_STATEMENT / 1000,
        connect_args={"prepare_threshold": None},
    )
    asked = str(parsed.query.get("options", ""))
    wanted = {"lock_timeout": lock, "statement_timeout": statement, "idle_in_transaction_session_timeout": _IDLE}
    bounds = {name: str(value) for name, value in wanted.items() if name not in asked}
    if not bounds:
        return engine
    sets = text("SELECT " + ", ".join(f"set_config('{name}', :{name}, true)" for name in bounds))  # names of our own

    @event.listens_for(engine, "begin")
    def _bound(connection: Connection) -> None:
        connection.execute(sets, bounds)

    return engine


def _sqlite(parsed: URL) -> Engine:
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        make_private(parsed.database)
    engine = create_engine(parsed, hide_parameters=True, connect_args={"factory": QueuedConnection})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver itself would begin a transaction only at the first write
        _set_pragmas(connection)
        _in_turn(connection, parsed)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(READS_ONLY):
            connection.exec_driver_sql("BEGIN")  # what was committed until now, and nobody waits for whoever reads it
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # read, decide and write as one, with no other writer between

    return engine


def _in_turn(connection: Any, parsed: URL) -> None:
    if parsed.database and parsed.database != ":memory:":
        connection.turns, connection.patience = turns_of(parsed.database), _BUSY


def _set_pragmas(connection: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # "recorded" must survive a power cut


# ---------------------------------------------------------------- database


class Database:
    """Transactions in threads. Every trouble of the database is ``LedgerUnavailable``."""

    def __init__(self, url: str, *, threads: int = _THREADS) -> None:
        self.url = url
        self._engine = engine_for(url, connections=threads)
        self._readers = self._engine.execution_options(**{READS_ONLY: True})
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ledger")

    def apart(self) -> "Database":
        """Return the same ledger over connections and threads of its own, so that nothing waits behind the work. Close
        it, too.
        """
        return Database(self.url, threads=2)

    @property
    def is_postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    async def prepare(self) -> None:
        """Bring the tables to this bot's layout, one bot after the other. Raises ``ForeignLayout`` or
        ``NewerLedger``.
        """
        from bot.ledger import migrations  # noqa: PLC0415 — Alembic and DBOS: commands that only read answer sooner

        was = await self.within(migrations.prepare, patience=migrations.PREPARING)
        if was != VERSION:
            log.info("ledger_upgraded", was=was, version=VERSION)

    async def rehearse(self) -> bool:
        """Try the same and take it back; whether the tables were there already. Raises as ``prepare``."""
        from bot.ledger import migrations  # noqa: PLC0415 — as above

        return await self.within(migrations.rehearse, patience=migrations.PREPARING)

    async def within(self, work: Callable[[Connection], T], *, patience: float = PATIENCE) -> T:
        """Run ``work`` in one transaction: all of it is kept, or nothing.

        Without an answer for ``patience`` seconds it is given up; it may then be kept all the same, a moment later.
        What is refused at once is tried again for a moment: of a database that starts anew nobody has to hear.
        """
        return await self._patiently(self._engine, work, patience, ALONG.get())

    async def reading(self, work: Callable[[Connection], T], *, patience: float | None = None) -> T:
        """Return the same for work that writes nothing and may take long, such as walking the whole chain: no stop
        waits for it.
        """
        return await self._patiently(self._readers, work, patience, None)

    async def _patiently(
        self, engine: Engine, work: Callable[[Connection], T], patience: float | None, along: Along | None
    ) -> T:
        loop, pause = asyncio.get_running_loop(), _REFUSED
        until = loop.time() + min(_REFUSED_FOR, (patience or 0.0) / 4)
        while True:
            try:
                return await self._run(engine, work, patience, along)
            except LedgerUnavailable as refused:
                if refused.may_be_kept or loop.time() + pause > until:
                    raise
            await asyncio.sleep(pause)
            pause *= 2

    async def _run(
        self, engine: Engine, work: Callable[[Connection], T], patience: float | None, along: Along | None
    ) -> T:
        done = False

        def transaction() -> T:
            nonlocal done
            telling: list[Tell] = []
            kept = False
            try:
                with engine.begin() as connection:
                    connection.info[_TELLING] = telling
                    if along is not None:
                        along(connection)
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
            what = "the ledger (the bot's database) could not be written or read"
            raise LedgerUnavailable(what, may_be_kept=done) from None

    async def close(self) -> None:
        """Close it. Transactions under way end first: cancelling whoever waits for one does not end its thread."""

        def end() -> None:
            self._threads.shutdown()
            self._engine.dispose()

        with ThreadPoolExecutor(1) as thread:
            await asyncio.get_running_loop().run_in_executor(thread, end)


def when_kept(connection: Connection, tell: Tell) -> None:
    """Tell of what this transaction writes as soon as it is kept, and of nothing that is taken back."""
    connection.info.setdefault(_TELLING, []).append(tell)


def one_writer(connection: Connection) -> None:
    """Let nobody else, until this transaction ends, append to the chain. (SQLite's IMMEDIATE does the same.)"""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _AUDIT_LOCK})


# ---------------------------------------------------------------- clock
# Read one clock for everybody on one ledger: the database's, so that replicas agree when a card's time is over.
#
# PostgreSQL is asked, and this process's clock is compared with it now and then. On SQLite there is one process, and
# its clock is the one.

COMPARE_EVERY: Final = 5.0
"""Seconds between two comparisons."""


def clock(connection: Connection, now: Callable[[], datetime]) -> datetime:
    """Return what time it is for the database; ``now`` tells it on SQLite."""
    if connection.dialect.name != "postgresql":
        return now()
    told: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return told.astimezone(UTC)


class SharedClock:
    """The database's clock, which goes on by seconds that nobody sets from one comparison to the next.

    ``wall``: the process's own, which counts until the first one.
    """

    def __init__(self, database: Database, wall: Callable[[], datetime]) -> None:
        self._database, self._wall = database, wall
        self._told: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        if self._told is None:
            return self._wall()
        told, at = self._told
        return told + timedelta(seconds=boot_time() - at)

    async def compare(self) -> None:
        """Ask the database. May raise ``LedgerUnavailable``; then the last comparison counts on."""
        if self._database.is_postgresql:
            began = boot_time()
            told = await self._database.within(lambda connection: clock(connection, self._wall))
            self._told = told, (began + boot_time()) / 2
