"""The pictures of a stop, a bulk stop and a watch in the documents are what the code does."""

import re
from pathlib import Path

import pytest

from bot.activeflows.bulk.bulk_stop import BulkState
from bot.activeflows.stopping.stop import NEXT, StopState
from bot.activeflows.stopping.stop import Path as Way


def arrows_of(drawn: str) -> set[tuple[str, str]]:
    found = re.findall(r"^    (\[\*\]|\w+) --> (\[\*\]|\w+)", drawn, re.MULTILINE)
    return {(one, other) for one, other in found}


def picture_of(title: str) -> str:
    """The first state diagram below this title of the architecture."""
    below = Path("docs/architecture.md").read_text(encoding="utf-8").partition(f"## {title}\n")[2]
    return below.partition("stateDiagram\n")[2].partition("```")[0]


def test_each_arrow_of_the_code_is_drawn_and_no_other() -> None:
    arrows = {(str(one), str(other)) for one, following in NEXT.items() for other in following}
    ends = {(str(state), "[*]") for state in StopState if state not in NEXT}
    assert arrows | ends | {("[*]", "Recorded")} == arrows_of(Path("docs/stop.md").read_text(encoding="utf-8"))


def test_the_picture_of_a_bulk_stop_has_its_states() -> None:
    drawn = {state for arrow in arrows_of(picture_of("How a bulk stop goes")) for state in arrow}
    assert drawn == {"[*]", "Draft", *(str(state).capitalize() for state in BulkState)}


def test_each_change_of_a_bulk_stop_in_the_ledger_is_drawn() -> None:
    store = Path("bot/ledger/bulk_store.py").read_text(encoding="utf-8")
    changes = re.findall(r"_change\(connection, \S+, (?:BulkState\.)?(\w+), BulkState\.(\w+)", store)
    assert len(changes) == 5
    arrows = {(one.strip("_").capitalize(), other.capitalize()) for one, other in changes}
    assert arrows <= arrows_of(picture_of("How a bulk stop goes"))


def test_the_picture_of_a_watch_has_the_states_that_the_ledger_has() -> None:
    drawn = {state for arrow in arrows_of(picture_of("How a watch goes")) for state in arrow} - {"[*]"}
    store = Path("bot/ledger/watch_store.py").read_text(encoding="utf-8")
    assert set(re.findall(r'state(?:\.in_\(\(|\W+)"(\w+)"', store)) == {state.lower() for state in drawn}


def test_a_way_that_is_not_drawn_cannot_be_gone() -> None:
    way = Way()
    way.to(StopState.ADMITTED)
    with pytest.raises(RuntimeError, match="from Admitted to Sent"):
        way.to(StopState.SENT)
    assert way.state is StopState.ADMITTED
