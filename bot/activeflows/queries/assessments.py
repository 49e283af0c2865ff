"""Keep of each running activeflow what it does and what is wrong with it, in the order of a list.

Decision: what was worked out of an activeflow is kept until something changes it: a newer version of it, where it stays
and since when, what is called long there, the definition of its flow, or the time, of which it is known from when on it
may. So a list of thousands costs what has changed since the last one, and not what there is. Promises: the same as
``AnomalyDetector`` and ``situation`` say of each; others on the event loop get their turn; what is kept is bounded, as
the index is.
"""

import asyncio
import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final, TypeAlias
from uuid import UUID

from bot.activeflows.anomalies import EARLY, AnomalyDetector, Place, PlaceLimit, Reason, place, rank
from bot.activeflows.index import Change, Index
from bot.activeflows.model import Activeflow, Flow, number_of
from bot.activeflows.situation.current_step import Situation, SituationPool, situation

_BREATH: Final = 50
"""Worked out anew before others on the event loop get their turn."""
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_LATE: Final = frozenset({Reason.STUCK, Reason.STALE})
"""What comes with the time."""

_Key: TypeAlias = tuple[int, datetime, int]
"""Rank, beginning and id."""


@dataclass(slots=True, eq=False)
class _Spot(PlaceLimit):
    members: dict[int, "_Assessment"] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Assessment:
    activeflow: Activeflow
    glance: Situation
    """What it does, seen without the definition of its flow."""
    always: tuple[Reason, ...]
    """What is wrong by that, whatever the time."""
    spot: _Spot
    key: _Key
    doing: Situation
    """What it does, by the definition of its flow, once somebody has asked for it."""
    late: Reason | None = None
    """What is wrong with it by now."""
    due: float = math.inf
    """Before it, that stays so; in seconds."""
    always_doing: tuple[Reason, ...] = ()
    """What is wrong by that, whatever the time."""


class Assessments:
    """Of all that the index holds. Call ``catch_up``, and read what is wanted before anybody else gets their turn."""

    def __init__(self, index: Index, detector: AnomalyDetector, now: Callable[[], datetime]) -> None:
        self.index, self._detector, self._now = index, detector, now
        self._changed = {each.id.int: each.id for each in index.newest_first()}
        self._by_id: dict[int, _Assessment] = {}
        self._by_object: dict[int, _Assessment] = {}
        """By the version, which is held by its assessment, so that no other object gets its number."""
        self._keys: list[_Key] = []
        """The worst first, then the oldest, and in the same order:"""
        self._worst_first: list[Activeflow] = []
        self._spots: dict[Place | None, _Spot] = {}
        self._learned = -1
        self._due: list[tuple[float, int, _Assessment]] = []
        """A heap of those that the time may change; one counts while it has this moment."""
        self._number = count()
        self._moment = -math.inf
        self._definitions: dict[int, Flow | None] = {}
        """Those that were used, by the number of the flow."""
        self._by_flow: dict[int, dict[int, _Assessment]] = {}
        self._undone: dict[int, _Assessment] = {}
        """Those whose ``doing`` is not worked out."""
        self._defining = asyncio.Lock()
        self._pool = SituationPool()
        index.listen(self._hear)
        detector.stays.listen(self._moved)

    async def catch_up(self, definitions: Mapping[int, Flow | None] | None = None) -> None:
        """Work out what has changed. ``definitions``: of flows, by number, if ``doings`` or ``wrong`` are asked for."""
        if definitions is None:
            await self._work(None)
            return
        async with self._defining:  # or two that know different definitions would wait for each other for ever
            await self._work(definitions)

    def worst_first(self) -> Sequence[Activeflow]:
        """Return all of them. Not to be changed, and it does change."""
        return self._worst_first

    def rank(self, activeflow: Activeflow) -> int:
        """Return how wrong it is, seen without the definition of its flow; the lower, the worse."""
        return self._by_object[id(activeflow)].key[0]

    def doings(self, activeflows: Sequence[Activeflow]) -> list[Situation]:
        """Return what each does, by the definition of its flow."""
        return [each.doing for each in self._of(activeflows)]

    def wrong(self, activeflows: Sequence[Activeflow]) -> list[tuple[Reason, ...]]:
        """Return what is wrong with each by that, the gravest first."""
        return [_with(each.late, each.always_doing) for each in self._of(activeflows)]

    def _of(self, activeflows: Sequence[Activeflow]) -> list[_Assessment]:
        return list(map(self._by_object.__getitem__, map(id, activeflows)))

    # ---------------------------------------------------------------- what changes them

    def _hear(self, change: Change) -> None:
        if change.over:
            self._changed.pop(change.activeflow_id.int, None)
            self._forget(change.activeflow_id.int)
        else:
            self._changed[change.activeflow_id.int] = change.activeflow_id

    def _moved(self, activeflow_id: UUID) -> None:
        """Note that it stays somewhere else, or that it is not known any more where it stays."""
        if activeflow_id.int in self._by_id:
            self._changed[activeflow_id.int] = activeflow_id

    async def _work(self, definitions: Mapping[int, Flow | None] | None) -> None:
        worked = 0
        while self._work_one(definitions):
            worked += 1
            if worked % _BREATH == 0:
                await asyncio.sleep(0)

    def _work_one(self, definitions: Mapping[int, Flow | None] | None) -> bool:
        """Do one piece of what is to be done; false when nothing is left."""
        if self._learned != self._detector.stays.learned:
            self._learned = self._detector.stays.learned
            for spot in [spot for spot in self._spots.values() if spot.learned(self._detector)]:
                self._changed |= {number: each.activeflow.id for number, each in spot.members.items()}
        if self._changed:
            self._assess(self._changed.popitem()[1])
            return True
        now = self._now()
        moment = now.timestamp()
        if moment < self._moment:  # the clock was set back
            self._changed |= {n: each.activeflow.id for n, each in self._by_id.items() if each.late is not None}
        self._moment = moment
        while self._due and (self._due[0][2].due != self._due[0][0] or self._due[0][0] <= moment):
            due, _, assessment = heappop(self._due)
            if assessment.due == due:
                self._judge(assessment, now)
                return True
        if self._changed:
            return True
        if definitions is None:
            return False
        self._define(definitions)
        if self._undone:
            self._do(self._undone.popitem()[1])
            return True
        return False

    # ---------------------------------------------------------------- one of them

    def _assess(self, activeflow_id: UUID) -> None:
        activeflow, held = self.index.get(activeflow_id), self._by_id.get(activeflow_id.int)
        if activeflow is None:
            return
        if held is None or held.activeflow is not activeflow:
            self._forget(activeflow_id.int)
            held = self._keep(activeflow)
        self._judge(held, self._now())

    def _keep(self, activeflow: Activeflow) -> _Assessment:
        glance, number, flow = self._pool.same(situation(activeflow)), activeflow.id.int, number_of(activeflow.flow_id)
        where = place(activeflow)
        spot = self._spots.get(where)
        if spot is None:
            spot = self._spots[where] = _Spot(where)
            spot.learned(self._detector)
        always = self._detector.whatever_the_time(activeflow, glance)
        key = (rank(always), activeflow.created_at or _BEGINNING, number)
        assessment = _Assessment(activeflow, glance, always, spot, key, glance)
        self._by_id[number] = self._by_object[id(activeflow)] = spot.members[number] = assessment
        self._by_flow.setdefault(flow, {})[number] = self._undone[number] = assessment
        self._put(assessment)
        return assessment

    def _forget(self, number: int) -> None:
        assessment = self._by_id.pop(number, None)
        if assessment is None:
            return
        spot, flow = assessment.spot, number_of(assessment.activeflow.flow_id)
        del self._by_object[id(assessment.activeflow)], self._by_flow[flow][number], spot.members[number]
        self._undone.pop(number, None)
        if not self._by_flow[flow]:
            del self._by_flow[flow]
            self._definitions.pop(flow, None)
        if not spot.members:
            del self._spots[spot.where]
        assessment.due = math.inf
        self._take_out(assessment)

    def _judge(self, assessment: _Assessment, now: datetime) -> None:
        """Say what is wrong with it by now, and from when on that may be another thing."""
        moment, activeflow = now.timestamp(), assessment.activeflow
        spot = assessment.spot
        began = self._detector.late_from(activeflow, assessment.glance, spot.where, spot.limit)
        late: Reason | None = None
        if any(each - EARLY <= moment for each in began):
            found = self._detector.of(activeflow, assessment.glance, now)
            late = found[0].reason if found and found[0].reason in _LATE else None
        later = [each - EARLY for each in began if moment < each + EARLY]
        due = max(min(later), math.nextafter(moment, math.inf)) if later else math.inf
        if late is not assessment.late:
            self._take_out(assessment)
            assessment.late = late
            assessment.key = (rank(_with(late, assessment.always)), *assessment.key[1:])
            self._put(assessment)
        if due != assessment.due:
            assessment.due = due
            if due != math.inf:
                self._wait(assessment)

    def _wait(self, assessment: _Assessment) -> None:
        heappush(self._due, (assessment.due, next(self._number), assessment))
        if len(self._due) > 2 * len(self._by_id) + _BREATH:
            self._due = [(each.due, next(self._number), each) for each in self._by_id.values() if each.due != math.inf]
            heapify(self._due)

    def _put(self, assessment: _Assessment) -> None:
        at = bisect_left(self._keys, assessment.key)
        self._keys.insert(at, assessment.key)
        self._worst_first.insert(at, assessment.activeflow)

    def _take_out(self, assessment: _Assessment) -> None:
        at = bisect_left(self._keys, assessment.key)
        del self._keys[at], self._worst_first[at]

    # ---------------------------------------------------------------- by the definition of its flow

    def _define(self, definitions: Mapping[int, Flow | None]) -> None:
        """Use these from now on."""
        for number, flow in definitions.items():
            if number not in self._by_flow:
                continue
            before = self._definitions.get(number)
            if flow is not before:
                self._definitions[number] = flow
                if flow != before:
                    self._undone |= self._by_flow[number]

    def _do(self, assessment: _Assessment) -> None:
        activeflow = assessment.activeflow
        flow = self._definitions.get(number_of(activeflow.flow_id))
        if flow is None:
            assessment.doing, assessment.always_doing = assessment.glance, assessment.always
        else:
            assessment.doing = self._pool.same(situation(activeflow, flow=flow))
            assessment.always_doing = self._detector.whatever_the_time(activeflow, assessment.doing)


def _with(late: Reason | None, always: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Return the reasons, what comes with the time before what stays: it is the graver."""
    return always if late is None else (late, *always)
