"""Keep the files of a SQLite ledger to the bot's own user, whatever the umask.

They hold response_urls, with which anybody can write over the bot's cards, and the lock by which one bot at a time runs.
SQLite gives ``-wal``, ``-shm`` and ``-journal`` the permissions of the database (https://www.sqlite.org/src/doc/trunk/src/os_unix.c,
``findCreateFileMode``), so the database has to be there, and private, before SQLite opens it.

Decision: a file that is there is never opened here. Closing it would take away the locks that SQLite holds on it in this
process (https://www.sqlite.org/howtocorrupt.html, 2.2).
"""

import os
import stat
from contextlib import suppress
from typing import Final

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
