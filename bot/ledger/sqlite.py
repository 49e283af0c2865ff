"""Keep one SQLite file: one bot has it, nobody else reads it, and old versions of the library serve."""

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import make_url

# ---------------------------------------------------------------- private files
# Keep the files of a SQLite ledger to the bot's own user, whatever the umask.
#
# They hold response_urls, with which anybody can write over the bot's cards, and the lock by which one bot at a time
# runs. SQLite gives ``-wal``, ``-shm`` and ``-journal`` the permissions of the database
# (https://www.sqlite.org/src/doc/trunk/src/os_unix.c, ``findCreateFileMode``), so the database has to be there, and
# private, before SQLite opens it.
#
# Decision: a file that is there is never opened here. Closing it would take away the locks that SQLite holds on it in
# this process (https://www.sqlite.org/howtocorrupt.html, 2.2).

_OURS: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_BESIDE: Final = ("-wal", "-shm", "-journal")


def make_private(path: str) -> None:
    """Create it, empty, if it is missing; else take it away from everybody else, as far as it is ours to do so.

    Where that cannot be done nothing happens: SQLite says what it cannot open, and the start who else can read it.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OURS))
    for each in (path, *(f"{path}{ending}" for ending in _BESIDE)):
        with suppress(OSError):
            if os.stat(each).st_mode & _OTHERS:  # noqa: PTH116 # Path has no more to say
                os.chmod(each, _OURS)  # noqa: PTH101 # as above


# ---------------------------------------------------------------- instance lock
# Lock a SQLite file for one bot, for as long as it runs.
#
# A second one would take the presses under way of the first for those of a dead process and carry them out beside it:
# the record before each POST would still keep that at one, but what becomes of it would be told twice, and perhaps
# differently. Who needs two has PostgreSQL, where replicas know of each other.
#
# Decision: the lock is an empty database beside the file, held by SQLite itself
# (https://www.sqlite.org/lockingv3.html), because that works wherever the ledger does and the system lets it go when
# the process dies, however it dies. Nobody else can open it, so nobody who may not run the bot can keep it from
# starting.


class AnotherInstance(Exception):
    """Another bot is running on this file."""


@contextmanager
def alone(url: str) -> Iterator[None]:
    """Keep other bots off this file while the block lasts. Raises ``AnotherInstance``, or what SQLite does of the
    file.
    """
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
    """Tell whether a bot runs on this file. Makes no file."""
    database = make_url(url).database
    if not database or not Path(f"{database}-running").is_file():
        return False
    try:
        with alone(url):
            return False
    except AnotherInstance:
        return True


# ---------------------------------------------------------------- old versions
# Give a SQLite before 3.42 the one function that DBOS asks of it and it lacks.
#
# On Python 3.12 and newer DBOS takes its times from ``unixepoch('subsec')``. Before 3.42 that is null, without an error
# (https://www.sqlite.org/releaselog/3_42_0.html), and DBOS would fail at its first start.

SPEAKS_OF_MILLISECONDS: Final = (3, 42, 0)


class Connection(sqlite3.Connection):
    """A connection of the standard library on which ``unixepoch('subsec')`` is a number, whatever the library's age."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if sqlite3.sqlite_version_info < SPEAKS_OF_MILLISECONDS:
            self.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(when: str) -> float:
    """Return the seconds, cut to milliseconds as SQLite does. Any other word is an error, and not a wrong time."""
    if when != "subsec":
        raise ValueError(when)
    return int(time.time() * 1000) / 1000
