"""Bring the tables of a ledger to the layout of this bot: Alembic's revisions, in one transaction.

Whoever calls keeps all or nothing. Rules for a new revision (``versions/``):

- It only adds: replicas of the version before go on beside it until they are replaced, so what is new in a table that
  is there has a default or may be empty. What is no longer needed goes one release later.
- It is written out, and never changed once released; ``tables`` is the layout it leads to, and a test compares the two.
- Its number goes into ``tables.VERSION``. There is no way down: an older bot refuses the ledger, in words.

DBOS migrates its own tables when it is launched. It does not promise that an older one can work on what a newer one
left behind, so that is refused, too; what an older one left behind is carried out (``workflow_rows``).

https://alembic.sqlalchemy.org/en/latest/cookbook.html
"""

from pathlib import Path
from typing import Final

from dbos import _migration as of_dbos
from sqlalchemy import Connection, inspect, text

from bot.ledger.tables import VERSION, VERSION_TABLE, NewerLedger, metadata, refuse_foreign, version
from bot.ledger.workflow_rows import dbos_tables

_HERE: Final = Path(__file__).parent
_TABLES_LOCK: Final = 0x7461626C6573  # "tables": one maker of tables at a time
PREPARING: Final = 60.0
"""Seconds for the making of tables, and for waiting until somebody else has made them."""


def prepare(connection: Connection) -> int:
    """Upgrade, one bot after the other. Returns and raises as ``upgrade``."""
    return upgrade(_alone(connection))


def rehearse(connection: Connection) -> bool:
    """Do the same and take it back; whether the tables were there already.

    (Both databases take back tables, too. DBOS makes its tables in a schema of its own on PostgreSQL.)
    """
    with _alone(connection).begin_nested() as attempt:
        there = upgrade(connection)
        if connection.dialect.name == "postgresql" and not inspect(connection).has_schema("dbos"):
            connection.execute(text("CREATE SCHEMA dbos"))
        attempt.rollback()
    return there > 0


def _alone(connection: Connection) -> Connection:
    """Let no other bot change tables until this transaction ends.

    (What SQLite begins is one writer's already. DBOS takes a lock of its own for its tables.)
    """
    if connection.dialect.name == "postgresql":
        for bound in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(
                text("SELECT set_config(:bound, :value, true)"), {"bound": bound, "value": f"{PREPARING:g}s"}
            )
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TABLES_LOCK})
    return connection


def upgrade(connection: Connection, to: str = "head") -> int:
    """Upgrade the tables from whatever is there; returns the version it had, 0 for none. Raises ``ForeignLayout`` or
    ``NewerLedger``.
    """
    was = refuse_strange(connection)
    if was == VERSION and to == "head":
        return was
    from alembic.operations import Operations  # noqa: PLC0415 — 10 MB, and a tenth of the start, for an upgrade alone
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = ScriptDirectory(_HERE)
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    upwards = [*scripts.iterate_revisions(to, context.get_current_revision() or "base")]
    with Operations.context(context):
        for revision in reversed(upwards):
            revision.module.upgrade()
            context.stamp(scripts, revision.revision)
    if upwards and to == "head":
        refuse_foreign(connection, metadata)
    return was


def refuse_strange(connection: Connection) -> int:
    """Return the version of the ledger there, if this bot can take it over; changes nothing. Raises as ``upgrade``."""
    was = version(connection)
    if was > VERSION:
        raise NewerLedger(f"the ledger there is at version {was}, and this one knows {VERSION}")
    workflows, known = _of_dbos(connection)
    if workflows > known:
        raise NewerLedger(f"the workflow tables there (DBOS) are at version {workflows}, and this one knows {known}")
    if was == VERSION:
        refuse_foreign(connection, metadata)
    elif was == 1:
        from bot.ledger.migrations.versions.v0001_first_layout import layout  # noqa: PLC0415 — Alembic

        refuse_foreign(connection, layout)
    return was


def _of_dbos(connection: Connection) -> tuple[int, int]:
    """Return the version of DBOS's tables, and the newest that the installed DBOS knows."""
    on_postgresql = connection.dialect.name == "postgresql"
    known = of_dbos.get_dbos_migrations("dbos", use_listen_notify=False) if on_postgresql else of_dbos.sqlite_migrations
    table = dbos_tables(connection).get("dbos_migrations")
    if table is None:
        return 0, len(known)
    there = connection.execute(text(f"SELECT max(version) FROM {table}")).scalar()  # noqa: S608 # words of this file only
    return int(there or 0), len(known)
