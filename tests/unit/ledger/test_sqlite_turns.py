"""Writers of one SQLite file take turns, and nothing depends on it."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.ledger.database import engine_for, workflow_engine
from bot.ledger.sqlite_turns import Turns, turns_of


def taken(turns: Turns) -> bool:
    return not turns.free


def waits(turns: Turns, name: str, went: list[str], *, first: bool) -> threading.Thread:
    """Somebody who waits for a turn, and is known to wait when this returns."""

    def go() -> None:
        assert turns.take(first=first, within=30)
        went.append(name)
        turns.give_back()

    before = turns.waiting
    thread = threading.Thread(target=go)
    thread.start()
    while turns.waiting == before:
        pass
    return thread


def test_the_record_of_a_press_goes_first_and_the_others_as_they_came() -> None:
    turns, went = Turns(), list[str]()
    assert turns.take(first=False)
    threads = [waits(turns, name, went, first=name == "press") for name in ("one", "two", "press")]
    turns.give_back()
    for thread in threads:
        thread.join()
    assert went == ["press", "one", "two"]


def test_whoever_gets_no_turn_in_time_leaves_none_behind() -> None:
    turns = Turns()
    assert turns.take(first=False)
    assert not turns.take(first=True, within=0.001)
    turns.give_back()
    assert turns.take(first=False, within=0)


def test_both_engines_give_their_turns_back_however_it_ends(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    turns = turns_of(str(tmp_path / "ledger.db"))
    engines = engine_for(url), workflow_engine(url)
    with engines[0].begin() as connection:
        connection.execute(text("CREATE TABLE said (word TEXT UNIQUE)"))
        assert taken(turns)
    for engine in engines:
        assert not taken(turns)
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO said VALUES (:word)"), {"word": engine.pool.__class__.__name__ + str(id(engine))}
            )
            assert taken(turns)
        with engine.connect() as connection:
            connection.execute(text("DELETE FROM said"))
            connection.rollback()
        assert not taken(turns)
        with pytest.raises(Exception, match="no such table"), engine.begin() as connection:
            connection.execute(text("DELETE FROM unsaid"))
        assert not taken(turns)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM said")).scalar()
        engine.dispose()
