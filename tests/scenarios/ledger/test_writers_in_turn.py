"""The writers of one SQLite file go in turn, and no write waits longer for it than SQLite waits by itself."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import OperationalError

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.ledger import database
from bot.ledger.database import WriteQueue, engine_for, turns_of, workflow_engine
from tests.scenarios.conftest import ALICE, Stage
from tests.scenarios.outage import locked

ENGINES = pytest.mark.parametrize("engine_of", [engine_for, workflow_engine], ids=["ledger", "workflows"])
PATIENCE = 300


@pytest.fixture
def url(tmp_path: Path) -> str:
    file = tmp_path / "ledger.db"
    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE said (word TEXT UNIQUE)")
    return f"sqlite:///{file}"


def line(url: str) -> WriteQueue:
    return turns_of(url.removeprefix("sqlite:///"))


def says(engine: Engine, word: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO said VALUES (:word)"), {"word": word})


def traced(engine: Engine) -> list[str]:
    """What its connections ask of SQLite, which they wait ``PATIENCE`` for."""
    asked: list[str] = []

    @event.listens_for(engine, "connect")
    def _trace(connection: Any, _record: object) -> None:
        connection.patience = PATIENCE
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        connection.set_trace_callback(asked.append)

    engine.connect().close()
    return asked


@ENGINES
def test_a_turn_is_given_back_however_it_ends(url: str, engine_of: Callable[[str], Engine]) -> None:
    engine, turns = engine_of(url), line(url)
    held: list[bool] = []

    def write(connection: Connection, statement: str) -> None:
        connection.execute(text(statement))
        held.append(not turns.free)

    with engine.begin() as connection:
        write(connection, "INSERT INTO said VALUES ('kept')")
    ends = [turns.free]
    with engine.connect() as connection:
        write(connection, "DELETE FROM said")
        connection.rollback()
        ends.append(turns.free)
    with engine.connect() as connection:
        write(connection, "DELETE FROM said")
    ends.append(turns.free)
    with suppress(OperationalError), engine.begin() as connection:
        write(connection, "DELETE FROM said")
        write(connection, "DELETE FROM unsaid")
    ends.append(turns.free)
    with suppress(KeyboardInterrupt), engine.begin() as connection:
        write(connection, "DELETE FROM said")
        raise KeyboardInterrupt
    ends.append(turns.free)
    with engine.connect() as connection:
        write(connection, "DELETE FROM said")
        connection.detach()
        connection.connection.close()
    ends.append(turns.free)
    assert (held, ends) == ([True] * 6, [True] * 6)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT word FROM said")).scalars().all() == ["kept"]
    engine.dispose()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@ENGINES
def test_a_thread_that_dies_in_the_middle_leaves_no_turn_behind(url: str, engine_of: Callable[[str], Engine]) -> None:
    engine, began = engine_of(url), list[bool]()

    def die() -> None:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO said VALUES ('half')"))
            began.append(not line(url).free)
            raise SystemExit

    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    says(engine, "whole")
    assert began == [True]
    assert line(url).free
    with engine.connect() as connection:
        assert connection.execute(text("SELECT word FROM said")).scalars().all() == ["whole"]
    engine.dispose()


@ENGINES
def test_what_was_waited_for_a_turn_is_not_waited_for_once_more(url: str, engine_of: Callable[[str], Engine]) -> None:
    engine, turns, writer = engine_of(url), line(url), threading.Event()
    asked = traced(engine)
    with locked(url):
        turn = turns.take(writer, first=False, within=0)
        assert turn
        with pytest.raises(OperationalError, match="locked"):
            says(engine, "in vain")
        waited = [asked.index(f"PRAGMA busy_timeout = {ms}") for ms in (0, PATIENCE)]
        begun = next(place for place, statement in enumerate(asked) if statement.startswith("BEGIN IMMEDIATE"))
        assert waited[0] < begun < waited[1]
    turns.give_back(turn)
    says(engine, "after it")
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == PATIENCE
        assert connection.execute(text("SELECT word FROM said")).scalars().all() == ["after it"]
    engine.dispose()


@ENGINES
def test_whoever_has_a_turn_waits_for_a_file_that_is_locked_from_outside_as_ever(
    url: str, engine_of: Callable[[str], Engine]
) -> None:
    engine = engine_of(url)
    asked = traced(engine)
    with locked(url):
        with pytest.raises(OperationalError, match="locked"):
            says(engine, "in vain")
        assert any(one.startswith("BEGIN IMMEDIATE") for one in asked)
        assert not any("busy_timeout" in one for one in asked)
        assert line(url).free
    says(engine, "after it")
    engine.dispose()


def test_writers_of_both_engines_in_many_threads_keep_everything(url: str) -> None:
    engines = engine_for(url), workflow_engine(url)

    def write(name: int) -> None:
        for number in range(25):
            says(engines[number % 2], f"{name}-{number}")

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engines[0].connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM said")).scalar() == 100
    assert line(url).free
    for engine in engines:
        engine.dispose()


async def test_a_press_is_recorded_before_whoever_wanted_to_write_earlier(
    bot: Stage, slack: Workspace, voipbin: World, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_WITHIN", 60.0)
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    card = await bot.asks_to_stop(activeflow)
    engine, turns, found = engine_for(sqlite_url), line(sqlite_url), list[int]()

    def write() -> None:
        with engine.begin() as connection:
            found.append(int(connection.execute(text("SELECT count(*) FROM workflow_status")).scalar_one()))

    with engine.begin():
        earlier = threading.Thread(target=write)
        earlier.start()
        await slack.until(lambda: turns.waiting[1] >= 1)
        pressed = asyncio.create_task(slack.clicks(ALICE, card, "stop.flow"))
        await slack.until(lambda: turns.waiting[0] >= 1)
    assert (await pressed).error is None
    earlier.join()
    assert found == [1]
    engine.dispose()
    await bot.reads("Stopped by")
