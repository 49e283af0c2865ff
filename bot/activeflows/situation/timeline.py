"""Read when each step began from VoIPBIN's events of an activeflow.

An activeflow's own steps carry no times; its events do, and each tells how many steps had been executed by then and which
one was current (https://api.voipbin.net/docs/activeflow_overview.html). Events come doubled, unordered, or not at all.
Promises: each step gets the instant at which it began, or none; an event that does not fit the steps as they were read
counts for nothing; instants never run backwards: of two that contradict each other neither is told.

Decisions: an event of an ended activeflow is timed by the end and not by a step, so it times none. While an activeflow
runs, its last change is the beginning of its current step, which therefore needs no event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from bot.activeflows.model import Activeflow, Status

Times: TypeAlias = Sequence[datetime | None]
"""When each step began: the executed ones, oldest first, and then the current one."""


class Moment(NamedTuple):
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

    moments: tuple[Moment, ...] = ()


def step_times(activeflow: Activeflow, timeline: Timeline | None = None) -> tuple[datetime | None, ...]:
    """When each executed step and then the current one began; ``None`` where that is not known."""
    steps = [action.id for action in activeflow.executed] + [activeflow.current.id]
    began: dict[int, datetime] = {}
    for at, executed, current, running in timeline.moments if timeline is not None else ():
        if running and executed < len(steps) and steps[executed] == current:
            began[executed] = min(at, began.get(executed, at))
    if activeflow.status is Status.RUNNING and activeflow.executed and activeflow.updated_at is not None:
        began.setdefault(len(steps) - 1, activeflow.updated_at)
    return _forwards([began.get(place) for place in range(len(steps))])


def _forwards(times: list[datetime | None]) -> tuple[datetime | None, ...]:
    """The same without those that lie before an earlier step's or after a later one's."""

    def fits(place: int, time: datetime) -> bool:
        before, after = times[:place], times[place + 1 :]
        return all(t is None or t <= time for t in before) and all(t is None or time <= t for t in after)

    return tuple(time if time is not None and fits(place, time) else None for place, time in enumerate(times))
