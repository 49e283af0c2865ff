"""The steps an activeflow has done, folded for reading: seven laps of a menu are one line with "×7".

The current action is not among them, as in VoIPBIN's ``executed_actions``.
"""

from typing import NamedTuple

from bot.activeflows.laps import circle_words, folded
from bot.activeflows.model import FINISH_ID, START_ID, Activeflow
from bot.activeflows.situation import unnamed
from bot.activeflows.wording import NameOf, doing


class Done(NamedTuple):
    """One line of history: what was done, and how many times in a row."""

    words: str
    times: int


def step_history(activeflow: Activeflow, *, name_of: NameOf = unnamed, limit: int = 12) -> tuple[Done, ...]:
    """Oldest first, at most ``limit`` lines; when there were more, the first line says how many steps it leaves out."""
    steps = [a for a in activeflow.executed if a.id not in {START_ID, FINISH_ID} and a.type != "empty"]
    lines: list[tuple[Done, int]] = []
    for index, length, times in folded([(action.id, action.type) for action in steps]):
        words = doing(steps[index], name_of) if length == 1 else circle_words(steps[index : index + length])
        lines.append((Done(words or "jumps", times), length * times))
    if len(lines) <= max(limit, 1):
        return tuple(done for done, _ in lines)
    shown = lines[len(lines) - max(limit, 1) + 1 :]
    left_out = sum(size for _, size in lines) - sum(size for _, size in shown)
    return (Done(f"{left_out} earlier steps", 1), *(done for done, _ in shown))
