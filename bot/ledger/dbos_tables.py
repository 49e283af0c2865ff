"""Name the tables of DBOS, which it keeps in a schema of its own on PostgreSQL.

https://docs.dbos.dev/explanations/system-tables
"""

from collections.abc import Mapping

from sqlalchemy import Connection, inspect


def dbos_tables(connection: Connection) -> Mapping[str, str]:
    """Return those that are there, by name: how each is called in a statement. (On SQLite the bot's own are among them.)"""
    schema = "dbos" if connection.dialect.name == "postgresql" else None
    names = inspect(connection).get_table_names(schema=schema)
    return {name: f"{schema}.{name}" if schema else name for name in names}
