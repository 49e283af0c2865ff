"""The real bot, that kills itself with SIGKILL at its n-th write into the database.

It imports everything, waits for a line on its standard input, and is then ``flows-bot run``. From the moment the file
``KILLED_BY`` exists, holding ``before 7`` or ``after 7``, the transactions that write are counted, the ledger's and
DBOS's alike, and the process dies straight before or straight after the commit of that one. Decision: a transaction
that only reads changes nothing that could be found after a restart, so it is not counted.
"""

import os
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Pool, event

from bot.__main__ import main

_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)


class Killer:
    """Counts writes once the order is there."""

    def __init__(self, order: Path) -> None:
        self._order = order
        self._count = 0
        self._lock = threading.Lock()

    def listen(self) -> None:
        event.listen(Engine, "before_cursor_execute", self._executing)
        event.listen(Engine, "after_cursor_execute", self._executed)
        event.listen(Engine, "commit", self._committing)
        event.listen(Engine, "rollback", lambda connection: connection.info.pop("wrote", None))
        event.listen(Pool, "checkin", lambda _, record: self._kept(record.info))

    def _executing(self, connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if _WRITES.match(statement):
            connection.info["wrote"] = True
            if _commits_at_once(connection):
                self._committing(connection)

    def _executed(self, connection: Connection, *_: object) -> None:
        if _commits_at_once(connection):
            self._kept(connection.info)

    def _committing(self, connection: Connection) -> None:
        if connection.info.pop("wrote", False):
            with self._lock:
                when, nth = self._ordered()
                self._count += bool(nth)
                connection.info["number"] = self._count
                if when == "before" and nth == self._count:
                    os.kill(os.getpid(), signal.SIGKILL)

    def _kept(self, info: dict[Any, Any]) -> None:
        number = info.pop("number", 0)
        when, nth = self._ordered() if number else ("", 0)
        if when == "after" and nth == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def _ordered(self) -> tuple[str, int]:
        try:
            when, nth = self._order.read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return "", 0
        return when, int(nth)


def _commits_at_once(connection: Connection) -> bool:
    return connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"


if __name__ == "__main__":
    Killer(Path(os.environ["KILLED_BY"])).listen()
    sys.stdin.readline()
    main(["run"])
