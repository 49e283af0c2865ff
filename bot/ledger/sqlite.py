"""Keep one SQLite file: its writers go in turn, one bot has it, and nobody else reads it."""

import os
import sqlite3
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, cast
from weakref import WeakValueDictionary, ref

from sqlalchemy import make_url

from bot.ledger import sqlite_compat

# ---------------------------------------------------------------- sqlite turns
# Let the writers of one SQLite file go in turn, across the ledger's connections and those of the durable workflows.
#
# SQLite has one writer at a time, and whoever finds the file locked sleeps and looks again, up to a tenth of a second
# at a time: who waits longest is served by luck. In this process a writer waits for its turn here, before its
# transaction begins: first come, first served, but that the record of a press goes before all others, because somebody
# waits for its ack.
#
# Nothing depends on a turn. Decisions:
#
# - Who gets none within ``_WITHIN`` begins all the same, and SQLite decides, as it does between processes. What was
#   waited for the turn is taken off the time that SQLite may wait, so that a write waits as long as ever where somebody
#   else has locked the file.
# - A turn lapses when it lasts longer than any wait of SQLite's, and when its connection is forgotten. Who was late
#   gives back nothing then that is another's by now.
# - A process that is forked off begins without turns: the threads that had them are not in it.

_WITHIN: Final = 1.0
"""Seconds until a writer begins without a turn."""
_LAPSES: Final = 7.0
"""Seconds after which a turn is nobody's any more."""
_LOOK_EVERY: Final = 0.1
"""Seconds until whoever waits looks whether a turn has lapsed, of which nobody tells."""
_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE")
"""What the driver begins a transaction for by itself.

https://docs.python.org/3/library/sqlite3.html#sqlite3.Connection.isolation_level
"""
_A_PRESS: Final = "INSERT INTO main.workflow_status "
"""How DBOS records a press. (Members of a bulk stop, too: one after the other, so that nobody waits for long behind
them.)
"""


class Turn:
    """The turn of one writer, or its place in the line."""

    def __init__(self, writer: object) -> None:
        self._writer, self._began, self.has_come = ref(writer), 0.0, threading.Event()

    def begin(self) -> None:
        """Let its writer write."""
        self._began = time.monotonic()
        self.has_come.set()

    @property
    def lapsed(self) -> bool:
        """Will nobody give it back?"""
        return self._writer() is None or time.monotonic() - self._began > _LAPSES


class Turns:
    """The turns of one file."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, with nobody in the line."""
        self._lock, self._now = threading.Lock(), cast("Turn | None", None)
        self._first, self._others = deque[Turn](), deque[Turn]()

    def take(self, writer: object, *, first: bool, within: float) -> Turn | None:
        """Wait for a turn, and hold it until it is given back; ``None``: there was none in time."""
        mine = Turn(writer)
        try:
            with self._lock:
                (self._first if first else self._others).append(mine)
                self._go_on()
            until = time.monotonic() + within
            while not mine.has_come.wait(max(0.0, min(_LOOK_EVERY, until - time.monotonic()))):
                with self._lock:
                    self._go_on()
                    if not mine.has_come.is_set() and time.monotonic() >= until:
                        self._leave(mine)
                        return None
        except BaseException:
            self.give_back(mine)
            raise
        return mine

    def give_back(self, turn: Turn) -> None:
        """Let the next one go."""
        with self._lock:
            self._leave(turn)

    @property
    def waiting(self) -> tuple[int, int]:
        """How many wait: those who go first, and the others."""
        return len(self._first), len(self._others)

    @property
    def free(self) -> bool:
        """Would whoever comes now go at once?"""
        return self._now is None

    def _leave(self, turn: Turn) -> None:
        if self._now is turn:
            self._now = None
        for line in self._first, self._others:
            if turn in line:
                line.remove(turn)
        self._go_on()

    def _go_on(self) -> None:
        if self._now is not None and not self._now.lapsed:
            return
        line = self._first or self._others
        self._now = line.popleft() if line else None
        if self._now is not None:
            self._now.begin()


_of_files: WeakValueDictionary[str, Turns] = WeakValueDictionary()
_finding = threading.Lock()


def turns_of(file: str) -> Turns:
    """The turns of this file, the same for all connections to it."""
    path = os.path.realpath(file)
    with _finding:
        found = _of_files.get(path)
        if found is None:
            found = _of_files[path] = Turns()
        return found


def _forked() -> None:
    global _finding  # noqa: PLW0603 # a thread that is not in this process may have had it
    _finding = threading.Lock()
    for turns in list(_of_files.values()):
        turns.forget()


os.register_at_fork(after_in_child=_forked)


class Connection(sqlite_compat.Connection):
    """A connection that takes a turn before it begins to write, and gives it back when the transaction is over."""

    turns: Turns | None = None
    patience = 0
    """Milliseconds that a write waits for others, be it for its turn or for SQLite."""
    _turn: Turn | None = None
    _hurried = False

    def cursor(self, factory: Any = None) -> Any:
        """A cursor that waits for its turn."""
        return super().cursor(factory or _Cursor)

    def commit(self) -> None:
        """Commit, and let the next one go."""
        try:
            super().commit()
        finally:
            self._let_go()

    def rollback(self) -> None:
        """Roll back, and let the next one go."""
        try:
            super().rollback()
        finally:
            self._let_go()

    def close(self) -> None:
        """Close, which rolls back, and let the next one go."""
        try:
            super().close()
        finally:
            self._give_back()

    def in_turn(self, execute: Callable[[str, Any], Any], statement: str, parameters: Any) -> Any:
        """Execute it, after a wait for its turn if it begins a transaction that writes."""
        try:
            if self.turns is not None and not self.in_transaction and self._begins(statement):
                self._take(first=statement.startswith(_A_PRESS))
            return execute(statement, parameters)
        finally:
            try:
                if self._hurried:
                    self._wait_for(self.patience)
            finally:
                self._let_go()  # when it began nothing, or ended it

    def _begins(self, statement: str) -> bool:
        words = statement.lstrip()[:15].upper()
        return words == "BEGIN IMMEDIATE" or (self.isolation_level == "IMMEDIATE" and words.startswith(_WRITES))

    def _take(self, *, first: bool) -> None:
        assert self.turns is not None  # noqa: S101 # for the type checker: whoever calls has looked
        self._give_back()  # of a transaction that SQLite itself has ended
        began = time.monotonic()
        self._turn = self.turns.take(self, first=first, within=min(_WITHIN, self.patience / 1000))
        waited = int((time.monotonic() - began) * 1000)
        if waited:
            self._wait_for(max(0, self.patience - waited))

    def _wait_for(self, milliseconds: int) -> None:
        self._hurried = milliseconds != self.patience
        super().cursor().execute(f"PRAGMA busy_timeout = {milliseconds}")

    def _let_go(self) -> None:
        if self._turn is not None and not self.in_transaction:
            self._give_back()

    def _give_back(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None and self.turns is not None:
            self.turns.give_back(turn)


class _Cursor(sqlite3.Cursor):
    """Executes as any, in turn."""

    def execute(self, statement: str, parameters: Any = ()) -> "_Cursor":
        connection = cast("Connection", self.connection)
        return cast("_Cursor", connection.in_turn(super().execute, statement, parameters))

    def executemany(self, statement: str, parameters: Any) -> "_Cursor":
        connection = cast("Connection", self.connection)
        return cast("_Cursor", connection.in_turn(super().executemany, statement, parameters))


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
    """While the block lasts no other bot can run on this file. Raises ``AnotherInstance``, or what SQLite does of the
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
    """Does a bot run on this file? Makes no file."""
    database = make_url(url).database
    if not database or not Path(f"{database}-running").is_file():
        return False
    try:
        with alone(url):
            return False
    except AnotherInstance:
        return True
