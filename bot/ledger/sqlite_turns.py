"""Let the writers of one SQLite file go in turn, across the ledger's connections and those of the durable workflows.

SQLite has one writer at a time, and whoever finds the file locked sleeps and looks again, up to a tenth of a second at a time:
who waits longest is served by luck. In this process a writer waits for its turn here, before its transaction begins: first come,
first served, but that the record of a press goes before all others, because somebody waits for its ack.

Nothing depends on a turn: who gets none in time begins all the same, and SQLite decides, as it does between processes.
"""

import os
import sqlite3
import threading
from collections import deque
from typing import Any, Final, cast
from weakref import WeakValueDictionary

from bot.ledger import sqlite_compat

_WITHIN: Final = 2.0
"""Seconds until a writer begins without a turn."""
_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_A_PRESS: Final = "INSERT INTO workflow_status"


class Turns:
    """The turns of one file."""

    def __init__(self) -> None:
        self._lock, self._taken = threading.Lock(), False
        self._first: deque[threading.Event] = deque()
        self._others: deque[threading.Event] = deque()

    def take(self, *, first: bool, within: float = _WITHIN) -> bool:
        """Wait for a turn, and hold it; whether there was one in time."""
        queue = self._first if first else self._others
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Event()
            queue.append(mine)
        if mine.wait(within):
            return True
        with self._lock:
            if mine.is_set():
                return True
            queue.remove(mine)
        return False

    @property
    def free(self) -> bool:
        """Would the next one get a turn at once?"""
        return not self._taken

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._first) + len(self._others)

    def give_back(self) -> None:
        """Let the next one go."""
        with self._lock:
            queue = self._first or self._others
            if queue:
                queue.popleft().set()  # the turn stays taken
            else:
                self._taken = False


_of_files: "WeakValueDictionary[str, Turns]" = WeakValueDictionary()
_finding: Final = threading.Lock()


def turns_of(file: str) -> Turns:
    """The turns of this file, the same for all connections to it."""
    path = os.path.realpath(file)
    with _finding:
        found = _of_files.get(path)
        if found is None:
            found = _of_files[path] = Turns()
        return found


class Connection(sqlite_compat.Connection):
    """A connection that takes a turn before it begins to write, and gives it back when the transaction is over."""

    turns: Turns | None = None
    _has_turn = False

    def cursor(self, factory: Any = None) -> Any:
        """A cursor that asks for a turn."""
        return super().cursor(factory or _Cursor)

    def commit(self) -> None:
        """Commit, and let the next one go."""
        try:
            super().commit()
        finally:
            self.let_go()

    def rollback(self) -> None:
        """Roll back, and let the next one go."""
        try:
            super().rollback()
        finally:
            self.let_go()

    def close(self) -> None:
        """Close, which rolls back."""
        try:
            super().close()
        finally:
            self.let_go(over=True)

    def __del__(self) -> None:
        """Whoever forgets it does not keep the turn."""
        self.let_go(over=True)

    def wait_for_turn(self, statement: str) -> None:
        """Wait, if this statement begins a transaction that writes."""
        if self.turns is None or self._has_turn or self.in_transaction:
            return
        begins = statement.startswith("BEGIN IMMEDIATE")
        if begins or (self.isolation_level == "IMMEDIATE" and statement.lstrip()[:7].upper().startswith(_WRITES)):
            self._has_turn = self.turns.take(first=statement.startswith(_A_PRESS))

    def let_go(self, *, over: bool = False) -> None:
        """Give the turn back, unless a transaction is under way still."""
        if self._has_turn and self.turns is not None and (over or not self.in_transaction):
            self._has_turn = False
            self.turns.give_back()


class _Cursor(sqlite3.Cursor):
    """Executes as any, in turn."""

    def execute(self, statement: str, parameters: Any = ()) -> "_Cursor":
        return self._in_turn(super().execute, statement, parameters)

    def executemany(self, statement: str, parameters: Any) -> "_Cursor":
        return self._in_turn(super().executemany, statement, parameters)

    def _in_turn(self, execute: Any, statement: str, parameters: Any) -> "_Cursor":
        connection = cast("Connection", self.connection)
        connection.wait_for_turn(statement)
        try:
            done: _Cursor = execute(statement, parameters)
            return done
        finally:
            connection.let_go()  # when it began nothing, or ended it
