"""Open the database so that no statement, lock or lost host holds anybody up for longer than seconds.

A process that is frozen, or whose host is gone, keeps what it has locked until somebody ends its transaction: PostgreSQL
does, by bounds that this client sets. Decisions:

- The bounds are set in each transaction and for it alone (``set_config(…, true)`` is ``SET LOCAL``), and nothing is prepared
  on the server: so both engines also work through PgBouncer in transaction mode, where a connection is another one after
  each transaction (https://www.pgbouncer.org/features.html).
- A transaction that idles is ended (``_IDLE``) before those who wait for its locks give up (``_LOCK``).
- The URL may ask for others: ``?connect_timeout=10``, ``?options=-c%20lock_timeout%3D5s``; what ``options`` name is left alone.
"""

from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from bot.ledger.private_files import make_private

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
_MIGRATION: Final = 60_000
"""Milliseconds for a statement of DBOS, which also makes and changes its tables."""
_WORKFLOWS: Final = 20
"""Connections of DBOS, as many as it would open by itself."""
_BUSY: Final = 6000
"""Milliseconds that SQLite waits for another writer."""
READS_ONLY: Final = "flows_bot_reads_only"


def parsed_url(url: str) -> URL:
    """The parts of ``sqlite:///file`` or ``postgresql://…``. Raises ``ArgumentError`` for no such address, without a word of it."""
    try:
        return make_url(url)
    except ValueError:
        raise ArgumentError("a port that is no number") from None  # its own words may repeat a password with a colon


def engine_for(url: str, *, connections: int = 4, statement: int = _STATEMENT) -> Engine:
    """An engine with at most so many connections; ``statement``: milliseconds. Errors of it never print parameters.

    Raises ``ArgumentError``.
    """
    parsed = parsed_url(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed, connections, statement)
    return _sqlite(parsed)


def workflow_engine(url: str) -> Engine | None:
    """The engine of the durable workflows, when that is PostgreSQL's: ``None`` on SQLite, where DBOS needs its own."""
    if parsed_url(url).get_backend_name() != "postgresql":
        return None
    return engine_for(url, connections=_WORKFLOWS, statement=_MIGRATION)


def _postgresql(parsed: URL, connections: int, statement: int) -> Engine:
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
    wanted = {"lock_timeout": _LOCK, "statement_timeout": statement, "idle_in_transaction_session_timeout": _IDLE}
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
    engine = create_engine(parsed, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver itself would begin a transaction only at the first write
        connection.execute(f"PRAGMA busy_timeout = {_BUSY}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # "recorded" must survive a power cut

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(READS_ONLY):
            connection.exec_driver_sql("BEGIN")  # what was committed until now, and nobody waits for whoever reads it
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # read, decide and write as one, with no other writer between

    return engine
