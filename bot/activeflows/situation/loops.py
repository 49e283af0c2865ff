"""Count how often a flow has come by the same step, and fold repeated steps."""

from collections.abc import Hashable, Sequence
from typing import Final

from bot.activeflows.model import Action, Activeflow
from bot.activeflows.situation.action_words import ordinal, step

SAID_FROM: Final = 3
"""Coming by twice is a menu said again; the third time is worth telling."""
_SILENT: Final = {"goto", "empty", ""}
_LONGEST: Final = 12
"""Steps in the longest circle that is looked for."""


def main_laps(activeflow: Activeflow) -> str:
    """Say ", 9th time round: text → keypad input" when the current step has come by at least twice before; else nothing."""
    lap = last_lap(activeflow)
    if not lap:
        return ""
    circle = circle_words(lap)
    return f", {ordinal(times_here(activeflow))} time round" + (f": {circle}" if circle else "")


def last_lap(activeflow: Activeflow) -> Sequence[Action]:
    """The steps since it was here last, that time included, when laps are told of; else none."""
    if times_here(activeflow) < SAID_FROM:
        return ()
    here = activeflow.current.id
    last = max(index for index, action in enumerate(activeflow.executed) if action.id == here)
    return activeflow.executed[last:]


def times_here(activeflow: Activeflow) -> int:
    """How often it has come by the current step, the present time included; 0 at a marker."""
    here = activeflow.current.id
    return 1 + sum(action.id == here for action in activeflow.executed) if activeflow.current.type else 0


def circle_words(actions: Sequence[Action]) -> str:
    """The steps of one lap: "text → keypad input → menu choice"; at most four, jumps left out."""
    steps = [step(action) for action in actions if action.type not in _SILENT]
    distinct = [name for index, name in enumerate(steps) if index == 0 or name != steps[index - 1]]
    return " → ".join(distinct[:4] + ["…"] * (len(distinct) > 4))


def folded(keys: Sequence[Hashable]) -> list[tuple[int, int, int]]:
    """Fold repetitions: ``abababc`` becomes ``[(0, 2, 3), (6, 1, 1)]``, each (first index, length, times).

    At each place the fold that covers most wins, the shortest of these first. Times × lengths add up to the whole.
    """
    found = []
    index = 0
    while index < len(keys):
        length, times = max(
            ((size, _times(keys, index, size)) for size in range(1, _LONGEST + 1)),
            key=lambda fold: (fold[0] * fold[1] if fold[1] > 1 else 0, -fold[0]),
        )
        found.append((index, length, times))
        index += length * times
    return found


def _times(keys: Sequence[Hashable], start: int, size: int) -> int:
    block = keys[start : start + size]
    times = 1
    while keys[start + times * size : start + (times + 1) * size] == block:
        times += 1
    return times
