"""The picture of a stop in the documents is what the code does."""

import re
from pathlib import Path

import pytest

from bot.activeflows.stopping.states import NEXT, StopState
from bot.activeflows.stopping.states import Path as Way

DRAWN = Path("docs/stop.md").read_text(encoding="utf-8")
ARROWS = set(re.findall(r"^    (\S+) --> (\w+)", DRAWN, re.MULTILINE)) | set(
    re.findall(r"^    (\w+) --> (\[\*\])", DRAWN, re.MULTILINE)
)


def test_each_arrow_of_the_code_is_drawn_and_no_other() -> None:
    arrows = {(str(one), str(other)) for one, following in NEXT.items() for other in following}
    ends = {(str(state), "[*]") for state in StopState if state not in NEXT}
    assert arrows | ends | {("[*]", "Recorded")} == ARROWS


def test_a_way_that_is_not_drawn_cannot_be_gone() -> None:
    way = Way()
    way.to(StopState.ADMITTED)
    with pytest.raises(RuntimeError, match="from Admitted to Sent"):
        way.to(StopState.SENT)
    assert way.state is StopState.ADMITTED
