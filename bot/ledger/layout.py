"""Tell which layout a ledger has, and refuse one that is not this bot's.

``ledger_version`` holds the number of the newest migration that was carried out (``migrations``). A ledger without that
table was made before there were migrations, and has version 1.
"""

from typing import Final

from sqlalchemy import Connection, MetaData, inspect, text

from bot.ledger.tables import metadata

VERSION_TABLE: Final = "ledger_version"


class ForeignLayout(Exception):
    """The database has tables of our names that are not as this bot writes them; the text says which."""


class NewerLedger(Exception):
    """A newer bot has upgraded this ledger; the text says from what to what."""


def version(connection: Connection) -> int:
    """The version of the ledger there; 0: there is none."""
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
