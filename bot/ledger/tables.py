"""Define the tables of the ledger, the same on SQLite and PostgreSQL. Times are UTC, as ISO 8601 text that sorts.

``account`` is the VoIPBIN account that a row is about, by its name in the settings; empty where the bot has only one,
and in what is about the bot itself. Two accounts may have the same ids: a row belongs to the store of its account, and
to no other.

``audit`` is append-only: nothing in the bot updates a row of it, and only ``prune`` deletes some, the oldest.
Who changes anything here writes a revision for it (``migrations``).
"""

from typing import Final

from sqlalchemy import Column, Connection, Index, Integer, MetaData, String, Table, Text, inspect, text

VERSION: Final = 3
"""Of this layout."""
metadata = MetaData()
LONGEST_ACCOUNT: Final = 20


def _account(*, key: bool = False) -> Column[str]:
    return Column("account", String(LONGEST_ACCOUNT), primary_key=key, nullable=False, server_default="", default="")


audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("at", String(32), nullable=False),
    Column("what", String(16), nullable=False),
    Column("who", String(32), nullable=False),
    Column("activeflow_id", String(36)),
    _account(),
    Column("body", Text, nullable=False),  # the record as canonical JSON: what the hash is taken of
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_by_activeflow", "activeflow_id", "seq"),
    Index("audit_by_person", "who", "seq"),
    Index("audit_by_time", "at"),
    Index("audit_by_kind", "what", "seq"),
)

intents = Table(
    "intents",
    metadata,
    Column("id", String(32), primary_key=True),
    _account(),
    Column("state", String(16), nullable=False),
    Column("press_id", String(200), nullable=False, default=""),
    Column("body", Text, nullable=False),
    Column("ended", Text),
)

claims = Table(
    "claims",
    metadata,
    _account(key=True),
    Column("activeflow_id", String(36), primary_key=True),
    Column("press_id", String(200), nullable=False),
    Column("by", String(32), nullable=False),
    Column("lapses_at", String(32), nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("press_id", String(200), primary_key=True),
    Column("number", Integer, nullable=False),  # of the newest run of its workflow: the fence for those before
    Column("begun_at", String(32), nullable=False),
)

heads = Table(
    "heads",
    metadata,
    Column("day", String(10), primary_key=True),  # UTC
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

replicas = Table(
    "replicas",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("seen_at", Integer, nullable=False),  # seconds since the epoch, by the database's own clock
)

bulks = Table(
    "bulks",
    metadata,
    Column("id", String(32), primary_key=True),
    _account(),
    Column("state", String(16), nullable=False),
    Column("press_id", String(200), nullable=False, default=""),
    Column("by", String(32), nullable=False, default=""),
    Column("since", String(32)),
    Column("until", String(32)),
    Column("aborted_by", String(32), nullable=False, default=""),
    Column("body", Text, nullable=False),
    Column("ending", Text),
)

bulk_members = Table(
    "bulk_members",
    metadata,
    Column("bulk_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("became", String(16), nullable=False),
)

watches = Table(
    "watches",
    metadata,
    Column("id", String(32), primary_key=True),
    _account(),
    Column("activeflow_id", String(36), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("since", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("message_ts", String(32), nullable=False),
    Column("body", Text, nullable=False),  # who wanted it, for how long
    Column("known", Text, nullable=False),  # what its card says
    Column("ending", Text),
    Column("ended_at", String(32)),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(36), nullable=False),
    Column("lapses_at", Integer, nullable=False),  # seconds since the epoch, by the database's own clock
)

usual = Table(
    "usual",
    metadata,
    _account(key=True),
    Column("flow_id", String(36), primary_key=True),
    Column("place", String(48), primary_key=True),
    Column("counts", Text, nullable=False),
    Column("learned_at", String(32), nullable=False),
    Index("usual_by_age", "learned_at"),
)

alerts = Table(
    "alerts",
    metadata,
    _account(key=True),
    Column("activeflow_id", String(36), primary_key=True),
    Column("reason", String(16), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("rule", String(40), nullable=False),
    Column("since", String(32), nullable=False),
    Column("told_at", String(32)),  # when a card, or a line, told of it
)


# ---------------------------------------------------------------- layout
# Tell which layout a ledger has, and refuse one that is not this bot's.
#
# ``ledger_version`` holds the number of the newest migration that was carried out (``migrations``). A ledger without
# that table was made before there were migrations, and has version 1.

VERSION_TABLE: Final = "ledger_version"


class ForeignLayout(Exception):
    """The database has tables of our names that are not as this bot writes them; the text says which."""


class NewerLedger(Exception):
    """A newer bot has upgraded this ledger; the text says from what to what."""


def version(connection: Connection) -> int:
    """Return the version of the ledger there; 0: there is none."""
    there = inspect(connection).get_table_names()
    if VERSION_TABLE in there:
        stamp = connection.execute(text(f"SELECT max(version_num) FROM {VERSION_TABLE}")).scalar()  # noqa: S608 # a word of this file
        if stamp is not None:
            return int(stamp)
    return 1 if set(metadata.tables) & set(there) else 0


def refuse_foreign(connection: Connection, layout: MetaData) -> None:
    """Raise ``ForeignLayout`` when a table that is there cannot be read or written as this layout says."""
    columns = inspect(connection).get_multi_columns(filter_names=list(layout.tables))
    for (_, name), there in columns.items():
        ours = layout.tables[name].columns.keys()
        names = {column["name"] for column in there}
        missing = [column for column in ours if column not in names]
        if missing:
            raise ForeignLayout(f"table {name} has no column {missing[0]}")
        if any(
            not (c["nullable"] or c["default"] or c.get("autoincrement") is True)
            for c in there
            if c["name"] not in ours
        ):
            raise ForeignLayout(f"table {name} wants something else in each row")
