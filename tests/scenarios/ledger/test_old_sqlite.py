"""What DBOS asks of SQLite is answered by every SQLite that a supported Python comes with."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from bot.ledger.sqlite import Connection

MILLISECONDS = "(unixepoch('subsec') * 1000)"  # as DBOS writes it, on Python 3.12 and newer


def test_the_time_is_a_number_in_a_question_and_as_a_columns_default(tmp_path: Path) -> None:
    before = time.time() * 1000
    with closing(sqlite3.connect(tmp_path / "ledger.db", factory=Connection)) as ledger:
        ledger.execute(f"CREATE TABLE kept (word TEXT, at INTEGER NOT NULL DEFAULT {MILLISECONDS})")
        ledger.execute("INSERT INTO kept (word) VALUES ('a press')")
        [(at, now)] = ledger.execute(f"SELECT at, {MILLISECONDS} FROM kept").fetchall()  # noqa: S608 — our own words
    assert before - 1 <= at <= now <= time.time() * 1000


@pytest.mark.skipif(sqlite3.sqlite_version_info >= (3, 42), reason="this SQLite is asked as it is")
def test_another_word_is_an_error_and_not_a_wrong_time() -> None:
    with (
        closing(sqlite3.connect(":memory:", factory=Connection)) as ledger,
        pytest.raises(sqlite3.OperationalError, match="user-defined function raised"),
    ):
        ledger.execute("SELECT unixepoch('now')")
