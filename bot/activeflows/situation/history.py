"""Fold the steps an activeflow has done for reading (seven laps of a menu are one line with "×7"), and time them.

The current action is not among them, as in VoIPBIN's ``executed_actions``; ``present_step`` tells of it. Times are told
as far as they are known (``Timeline``), and no time is made up from another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from bot.activeflows.model import FINISH_ID, START_ID, Action, Activeflow, Status
from bot.activeflows.situation.actions import NameOf, doing
from bot.activeflows.situation.current_step import circle_words, folded, unnamed

# ---------------------------------------------------------------- timeline
# Read when each step began from VoIPBIN's events of an activeflow.
#
# An activeflow's own steps carry no times; its events do, and each tells how many steps had been executed by then and
# which one was current (https://api.voipbin.net/docs/activeflow_overview.html). Events come doubled, unordered, or not
# at all. Promises: each step gets the instant at which it began, or none; an event that does not fit the steps as they
# were read counts for nothing; instants never run backwards: of two that contradict each other neither is told.
#
# Decisions: an event of an ended activeflow is timed by the end and not by a step, so it times none. While an
# activeflow runs, its last change is the beginning of its current step, which therefore needs no event.

Times: TypeAlias = Sequence[datetime | None]
"""When each step began: the executed ones, oldest first, and then the current one."""


class TimelineEvent(NamedTuple):
    """One event: what the activeflow had become at an instant."""

    at: datetime
    executed: int
    """How many steps had been executed."""
    current: UUID
    """The action that was current."""
    running: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """What VoIPBIN told of an activeflow's past, in no order that counts."""

    moments: tuple[TimelineEvent, ...] = ()


def step_times(activeflow: Activeflow, timeline: Timeline | None = None) -> tuple[datetime | None, ...]:
    """Return when each executed step and then the current one began; ``None`` where that is not known."""
    steps = [action.id for action in activeflow.executed] + [activeflow.current.id]
    began: dict[int, datetime] = {}
    for at, executed, current, running in timeline.moments if timeline is not None else ():
        if running and executed < len(steps) and steps[executed] == current:
            began[executed] = min(at, began.get(executed, at))
    if activeflow.status is Status.RUNNING and activeflow.executed and activeflow.updated_at is not None:
        began.setdefault(len(steps) - 1, activeflow.updated_at)
    return _forwards([began.get(place) for place in range(len(steps))])


def _forwards(times: list[datetime | None]) -> tuple[datetime | None, ...]:
    """Return the same without those that lie before an earlier step's or after a later one's."""

    def fits(place: int, time: datetime) -> bool:
        before, after = times[:place], times[place + 1 :]
        return all(t is None or t <= time for t in before) and all(t is None or time <= t for t in after)

    return tuple(time if time is not None and fits(place, time) else None for place, time in enumerate(times))


# ---------------------------------------------------------------- history

LINES: Final = 16
"""Lines of history that are told; of a longer one the middle is left out."""


class HistoryLine(NamedTuple):
    """One line of history: what was done, how many times in a row, and when."""

    words: str
    times: int = 1
    began: datetime | None = None
    """When it began, the first time."""
    last: datetime | None = None
    """When it began the last time."""
    took: timedelta | None = None
    """How long it took, all times together."""
    left_out: int = 0
    """Not a step, but the place of so many that are not told."""


def step_history(
    activeflow: Activeflow, *, times: Times = (), name_of: NameOf = unnamed, limit: int = LINES
) -> tuple[HistoryLine, ...]:
    """Return what was done, oldest first, at most ``limit`` lines; when there were more, one line in
    the middle stands for those left out.

    ``times``: as ``step_times`` gives them.
    """
    lines = list(_lines(activeflow, times, name_of))
    if len(lines) <= max(limit, 1):
        return tuple(done for done, _ in lines)
    first = (max(limit, 1) - 1) // 3
    last = len(lines) - (max(limit, 1) - 1 - first)
    left_out = sum(size for _, size in lines[first:last])
    gap = HistoryLine(f"{left_out} {'step' if left_out == 1 else 'steps'} more", left_out=left_out)
    return (*(done for done, _ in lines[:first]), gap, *(done for done, _ in lines[last:]))


def present_step(activeflow: Activeflow, *, times: Times = (), name_of: NameOf = unnamed) -> HistoryLine | None:
    """Return the step it is at, or was interrupted in; ``None`` at the start and the finish, which are no steps."""
    if not _tells(activeflow.current):
        return None
    began = _at(times, len(activeflow.executed))
    ended_at = activeflow.updated_at if activeflow.ended else None
    words = doing(activeflow.current, name_of) or "a step without a name"
    return HistoryLine(words, began=began, last=began, took=_between(began, ended_at))


def _lines(activeflow: Activeflow, times: Times, name_of: NameOf) -> Iterator[tuple[HistoryLine, int]]:
    """Yield each line with the number of its steps. A step lasts until the next one begins, told or not."""
    places = [place for place, action in enumerate(activeflow.executed) if _tells(action)]
    steps = [activeflow.executed[place] for place in places]
    for index, length, laps in folded([(action.id, action.type) for action in steps]):
        words = doing(steps[index], name_of) if length == 1 else circle_words(steps[index : index + length])
        size = length * laps
        began, ended_at = _at(times, places[index]), _at(times, places[index + size - 1] + 1)
        last = _at(times, places[index + size - length])
        yield HistoryLine(words or "jumps", laps, began, last, _between(began, ended_at)), size


def _tells(action: Action) -> bool:
    return action.id not in {START_ID, FINISH_ID} and action.type != "empty"


def _at(times: Times, place: int) -> datetime | None:
    return times[place] if place < len(times) else None


def _between(began: datetime | None, ended_at: datetime | None) -> timedelta | None:
    if began is None or ended_at is None or ended_at < began:
        return None
    return ended_at - began
