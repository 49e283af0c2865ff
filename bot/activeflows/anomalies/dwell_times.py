"""Measure how long each running activeflow has been at its action, and how long that took in the past.

A stay is the time in one situation: in one queue however often its music comes round, with one agent, or at one step.
VoIPBIN dates no steps (https://api.voipbin.net/docs/activeflow_struct_activeflow.html), but every step is an update
with its time, so the versions that come one after the other tell. Promises:

- A stay whose beginning was not seen (met in the middle, or steps were missed) is "at least" so long, and teaches
  nothing.
- One flow's past never judges another's. What is kept of the past is bounded, and of the present as what runs.
- An end is the end of a stay, too, whoever ended it: people wait "usually 45 s" also when they then hang up.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log
from typing import Final, TypeAlias
from uuid import UUID

from bot.activeflows.index import Change
from bot.activeflows.model import Activeflow
from bot.activeflows.situation.actions import nesting

# ---------------------------------------------------------------- durations
# Estimate how long something usually takes, from counts in logarithmic buckets.
#
# Promises: bounded whatever is added; a few strange times do not move the middle; what was long ago counts less,
# because the counts are halved whenever there are many. A quantile is right within one bucket, which is a quarter of
# its value.

_RATIO: Final = 1.25
BUCKETS: Final = 56
"""The first holds everything up to one second, the last everything above two and a half days."""
MOST: Final = 1000
"""Times counted; then every count is halved."""


class Durations:
    """Counts by bucket."""

    __slots__ = ("changes", "counts")

    def __init__(self, counts: Sequence[int] = ()) -> None:
        """``counts``: as ``counts`` gave them before; what does not fit there is left out."""
        kept = [max(int(count), 0) for count in counts[:BUCKETS]]
        self.counts = kept + [0] * (BUCKETS - len(kept))
        self.changes = 0
        """Another number each time that a count has changed."""

    @property
    def total(self) -> int:
        return sum(self.counts)

    def add(self, seconds: float) -> None:
        """One more time that it took so long."""
        bucket = 0 if seconds <= 1 else min(int(log(seconds) / log(_RATIO)) + 1, BUCKETS - 1)
        self.counts[bucket] += 1
        self._age()

    def merge(self, other: "Durations") -> None:
        """Everything that the other one counted, too."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self._age()

    def at_most(self, share: float) -> float | None:
        """Seconds within which this share of them (0 to 1) was over, or a little more; ``None`` without any."""
        wanted, counted = share * self.total, 0
        for bucket, count in enumerate(self.counts):
            counted += count
            if count and counted >= wanted:
                return float(_RATIO**bucket)
        return None

    def typical(self) -> float | None:
        """Seconds that it takes about in the middle: half of them took less."""
        half = self.at_most(0.5)
        return None if half is None else half / _RATIO**0.5

    def _age(self) -> None:
        self.changes += 1
        while self.total > MOST:
            self.counts = [count // 2 for count in self.counts]


# ---------------------------------------------------------------- dwell times

Place: TypeAlias = tuple[UUID, str]
"""A flow, and where in it: the id of the step that leads there, and for some of them ``:in`` once it has come to its
point.
"""

MOST_PLACES: Final = 5000
_NOTHING: Final = Durations()
_WAITING: Final = 20_000
"""Changes not worked through yet; beyond that they are dropped, and the stays they were about begin unseen."""
_LEADS: Final = ("queue_join", "connect", "ai_talk", "ai_task", "conference_join")


@dataclass(frozen=True, slots=True)
class Stay:
    """Where one is, and since when; ``seen``: that this is when it came there, not only when it was met there."""

    place: Place | None
    began: datetime
    seen: bool


class DwellTimes:
    """Learns from changes; ``hear`` is quick, ``work`` does the thinking."""

    def __init__(self) -> None:
        self._here: dict[UUID, Stay] = {}
        self._waiting: deque[Change] = deque()
        self._past: dict[Place, Durations] = {}
        self._new: dict[Place, Durations] = {}

    def hear(self, change: Change) -> None:
        """Remember one change of the index, for ``work``."""
        if len(self._waiting) >= _WAITING:
            self._here.pop(self._waiting.popleft().activeflow_id, None)
        self._waiting.append(change)

    def work(self, most: int) -> bool:
        """Work through so many changes; whether more are waiting."""
        for _ in range(min(most, len(self._waiting))):
            self._take(self._waiting.popleft())
        return bool(self._waiting)

    def began(self, activeflow_id: UUID) -> datetime | None:
        """Since when it is where it was last seen; ``None`` when that is not known."""
        stay = self._here.get(activeflow_id)
        return None if stay is None else stay.began

    def stay(self, activeflow: Activeflow) -> Stay | None:
        """Where this one is since when; ``None`` when that is not known, or it has moved on since."""
        return self.stay_at(activeflow.id, place(activeflow))

    def stay_at(self, activeflow_id: UUID, where: Place | None) -> Stay | None:
        """The same, of one that is there."""
        stay = self._here.get(activeflow_id)
        return stay if stay is not None and stay.place == where else None

    def past(self, where: Place) -> Durations:
        """How long it took there before. Not to be changed."""
        return self._past.get(where, _NOTHING)

    def take_new(self) -> Mapping[Place, Durations]:
        """What was learned since the last time, to be kept."""
        new, self._new = self._new, {}
        return new

    def give_back(self, new: Mapping[Place, Durations]) -> None:
        """It could not be kept, or not all of it: the next ``take_new`` has it, too. Counted twice is better than
        lost.
        """
        for where, durations in new.items():
            self._new.setdefault(where, Durations()).merge(durations)

    def know(self, past: Mapping[Place, Durations]) -> None:
        """This is the past of these places, as everybody has seen it."""
        for where, durations in past.items():
            self._past.pop(where, None)
            self._past[where] = durations
        while len(self._past) > MOST_PLACES:
            del self._past[next(iter(self._past))]

    def _take(self, change: Change) -> None:
        before, after = self._here.get(change.activeflow_id), change.after
        if after is None or change.over:
            self._here.pop(change.activeflow_id, None)
            if after is not None:
                self._learn(before, after)
            return
        where, began = place(after), after.updated_at or after.created_at
        if began is None or (before is not None and before.place == where):
            return
        self._learn(before, after)
        self._here[after.id] = Stay(where, began, _came_here(change))

    def _learn(self, stay: Stay | None, after: Activeflow) -> None:
        if stay is None or stay.place is None or not stay.seen or after.updated_at is None:
            return
        seconds = (after.updated_at - stay.began).total_seconds()
        for kept in (self._new, self._past):
            if stay.place in kept or len(kept) < MOST_PLACES:
                kept.setdefault(stay.place, Durations()).add(seconds)


def place(activeflow: Activeflow) -> Place | None:
    """Where it is; ``None`` without a flow, or at a step without an id."""
    if activeflow.flow_id is None or not activeflow.current.id.int:
        return None
    inside = nesting(activeflow).innermost(*_LEADS)
    if inside is None:
        return activeflow.flow_id, str(activeflow.current.id)
    return activeflow.flow_id, f"{inside.opener.id}{':in' if inside.closed else ''}"


def _came_here(change: Change) -> bool:
    """Was this the very next version after the one before?"""
    if change.after is None:
        return False
    steps = change.after.steps_used
    return steps <= 1 if change.before is None else steps - change.before.steps_used <= 1
