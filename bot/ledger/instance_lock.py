"""Lock a SQLite file for one bot, for as long as it runs.

A second one would take the presses under way of the first for those of a dead process and carry them out beside it: the
record before each POST would still keep that at one, but what becomes of it would be told twice, and perhaps differently.
Who needs two has PostgreSQL, where replicas know of each other.

Decision: the lock is an empty database beside the file, held by SQLite itself (https://www.sqlite.org/lockingv3.html),
because that works wherever the ledger does and the system lets it go when the process dies, however it dies. Nobody else
can open it, so nobody who may not run the bot can keep it from starting.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from bot.ledger.private_files import make_private


class AnotherInstance(Exception):
    """Another bot is running on this file."""


@contextmanager
def alone(url: str) -> Iterator[None]:
    """While the block lasts no other bot can run on this file. Raises ``AnotherInstance``, or what SQLite does of the file."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        yield
        return
    beside = f"{parsed.database}-running"
    make_private(beside)
    with closing(sqlite3.connect(beside, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as trouble:
            if trouble.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise AnotherInstance(parsed.database) from None
            raise
        yield


def taken(url: str) -> bool:
    """Does a bot run on this file? Makes no file."""
    database = make_url(url).database
    if not database or not Path(f"{database}-running").is_file():
        return False
    try:
        with alone(url):
            return False
    except AnotherInstance:
        return True
