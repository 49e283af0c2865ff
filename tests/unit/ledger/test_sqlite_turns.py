"""Writers of one SQLite file take turns: a press first, the others as they come, and no turn is lost."""

import ctypes
import subprocess
import sys
import threading

import pytest

from bot.ledger import database
from bot.ledger.database import WriteQueue, WriteTurn, turns_of


class Writer:
    """Somebody who writes."""


def waits(turns: WriteQueue, name: str, went: list[str], *, first: bool = False) -> threading.Thread:
    """Somebody who waits for a turn, and is known to wait when this returns."""
    writer = Writer()

    def go() -> None:
        turn = turns.take(writer, first=first, within=30)
        assert turn
        went.append(name)
        turns.give_back(turn)

    before = turns.waiting
    thread = threading.Thread(target=go)
    thread.start()
    while turns.waiting == before:
        pass
    return thread


def had(turns: WriteQueue, writer: Writer) -> WriteTurn:
    turn = turns.take(writer, first=False, within=0)
    assert turn
    return turn


def test_the_record_of_a_press_goes_first_and_the_others_as_they_came() -> None:
    turns, went, writer = WriteQueue(), list[str](), Writer()
    turn = had(turns, writer)
    threads = [waits(turns, name, went, first=name == "press") for name in ("one", "two", "press")]
    turns.give_back(turn)
    for thread in threads:
        thread.join()
    assert went == ["press", "one", "two"]
    assert turns.free


def test_whoever_gets_no_turn_in_time_leaves_none_behind() -> None:
    turns, writer, late = WriteQueue(), Writer(), Writer()
    turn = had(turns, writer)
    assert turns.take(late, first=True, within=0.001) is None
    turns.give_back(turn)
    assert turns.free


def test_the_turn_of_whoever_is_forgotten_lapses() -> None:
    turns, writer = WriteQueue(), Writer()
    had(turns, writer)
    del writer
    assert turns.take(Writer(), first=False, within=0)


def test_a_turn_that_has_lapsed_gives_back_nothing_of_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, late, writer, third = WriteQueue(), Writer(), Writer(), Writer()
    turn = had(turns, late)
    monkeypatch.setattr(database, "_LAPSES", -1.0)
    its = had(turns, writer)
    monkeypatch.setattr(database, "_LAPSES", 60.0)
    turns.give_back(turn)
    assert turns.take(third, first=True, within=0) is None
    turns.give_back(its)
    assert turns.free


def test_whoever_waits_finds_out_that_a_turn_has_lapsed() -> None:
    turns, writer, went = WriteQueue(), Writer(), list[str]()
    had(turns, writer)
    thread = waits(turns, "next", went)
    del writer
    thread.join()
    assert went == ["next"]


def test_whoever_is_broken_off_while_waiting_leaves_the_line() -> None:
    turns, writer, broken = WriteQueue(), Writer(), list[type[BaseException]]()
    turn = had(turns, writer)

    def go() -> None:
        try:
            turns.take(writer, first=False, within=30)
        except KeyboardInterrupt as interrupt:
            broken.append(type(interrupt))

    thread = threading.Thread(target=go)
    thread.start()
    while not any(turns.waiting):
        pass
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(KeyboardInterrupt))
    thread.join()
    assert broken == [KeyboardInterrupt]
    assert not any(turns.waiting)
    turns.give_back(turn)
    assert turns.free


FORKS = """
import os, threading
from bot.ledger import database
class Writer: pass
writer, turns, held = Writer(), database.turns_of("ledger.db"), threading.Event()
def hold():
    turns.take(writer, first=False, within=0)
    with turns._lock, database._finding:
        held.set()
        threading.Event().wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if not child:
    os._exit(0 if turns is database.turns_of("ledger.db") and turns.take(writer, first=False, within=0) else 1)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_process_that_is_forked_off_begins_without_the_turns_of_threads_it_has_not() -> None:
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", FORKS], check=False, timeout=60).returncode == 0


def test_one_file_has_one_line_however_it_is_named() -> None:
    assert turns_of("ledger.db") is turns_of("./ledger.db")
