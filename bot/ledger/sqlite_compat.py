"""Give a SQLite before 3.42 the one function that DBOS asks of it and it lacks.

On Python 3.12 and newer DBOS takes its times from ``unixepoch('subsec')``. Before 3.42 that is null, without an error
(https://www.sqlite.org/releaselog/3_42_0.html), and DBOS would fail at its first start.
"""

import sqlite3
import time
from typing import Any, Final

SPEAKS_OF_MILLISECONDS: Final = (3, 42, 0)


class Connection(sqlite3.Connection):
    """A connection of the standard library on which ``unixepoch('subsec')`` is a number, whatever the library's age."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if sqlite3.sqlite_version_info < SPEAKS_OF_MILLISECONDS:
            self.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(when: str) -> float:
    """Seconds, cut to milliseconds as SQLite does. Any other word is an error, and not a wrong time."""
    if when != "subsec":
        raise ValueError(when)
    return int(time.time() * 1000) / 1000
