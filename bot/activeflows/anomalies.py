"""Learn how long stays take, and find what is wrong with what runs: stuck, looping, nearly out of steps, left over."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import log
from typing import Final, Protocol, TypeAlias, cast
from uuid import UUID

from bot.activeflows.index import MOST, Change, VersionCache
from bot.activeflows.model import Activeflow, Call, Flow, in_words
from bot.activeflows.situation.actions import NameOf, nesting
from bot.activeflows.situation.current_step import Situation, main_laps, situation, times_here, unnamed

# ---------------------------------------------------------------- durations
# Estimate how long something usually takes, from counts in logarithmic buckets.
#
# Promises: bounded whatever is added; a few strange times do not move the middle; what was long ago counts less,
# because the counts are halved whenever there are many. A quantile is right within one bucket, which is a quarter of
# its value.

_RATIO: Final = 1.25
BUCKETS: Final = 56
"""The first holds everything up to one second, the last everything above two and a half days."""
MOST_COUNTED: Final = 1000
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
        """Add one more time that it took so long."""
        bucket = 0 if seconds <= 1 else min(int(log(seconds) / log(_RATIO)) + 1, BUCKETS - 1)
        self.counts[bucket] += 1
        self._age()

    def merge(self, other: "Durations") -> None:
        """Add everything that the other one counted."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self._age()

    def at_most(self, share: float) -> float | None:
        """Return the seconds within which this share of them (0 to 1) was over, or a little more; ``None`` without
        any.
        """
        wanted, counted = share * self.total, 0
        for bucket, count in enumerate(self.counts):
            counted += count
            if count and counted >= wanted:
                return float(_RATIO**bucket)
        return None

    def typical(self) -> float | None:
        """Return the seconds that it takes about in the middle: half of them took less."""
        half = self.at_most(0.5)
        return None if half is None else half / _RATIO**0.5

    def _age(self) -> None:
        self.changes += 1
        while self.total > MOST_COUNTED:
            self.counts = [count // 2 for count in self.counts]


# ---------------------------------------------------------------- dwell times
# Measure how long each running activeflow has been at its action, and how long that took in the past.
#
# A stay is the time in one situation: in one queue however often its music comes round, with one agent, or at one step.
# VoIPBIN dates no steps (https://api.voipbin.net/docs/activeflow_struct_activeflow.html), but every step is an update
# with its time, so the versions that come one after the other tell. Promises:
#
# - A stay whose beginning was not seen (met in the middle, or steps were missed) is "at least" so long, and teaches
#   nothing.
# - One flow's past never judges another's. What is kept of the past is bounded, and of the present as what runs.
# - An end is the end of a stay, too, whoever ended it: people wait "usually 45 s" also when they then hang up.

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
class StepStay:
    """Where one is, and since when; ``seen``: that this is when it came there, not only when it was met there."""

    place: Place | None
    began: datetime
    seen: bool


class DwellTimes:
    """Learns from changes; ``hear`` is quick, ``work`` does the thinking."""

    def __init__(self) -> None:
        self._here: dict[UUID, StepStay] = {}
        self._waiting: deque[Change] = deque()
        self._past: dict[Place, Durations] = {}
        self._new: dict[Place, Durations] = {}
        self._ears: list[Callable[[UUID], None]] = []
        self.learned = 0
        """Another number each time that anything was learned."""

    def listen(self, hear: Callable[[UUID], None]) -> None:
        """Call ``hear`` from now on with whatever is known to stay elsewhere, or not known any more to stay there."""
        self._ears.append(hear)

    def hear(self, change: Change) -> None:
        """Remember one change of the index, for ``work``."""
        if len(self._waiting) >= _WAITING:
            dropped = self._waiting.popleft().activeflow_id
            self._here.pop(dropped, None)
            self._tell(dropped)
        self._waiting.append(change)

    def work(self, most: int) -> bool:
        """Work through so many changes; whether more are waiting."""
        for _ in range(min(most, len(self._waiting))):
            self._take(self._waiting.popleft())
        return bool(self._waiting)

    def began(self, activeflow_id: UUID) -> datetime | None:
        """Return since when it is where it was last seen; ``None`` when that is not known."""
        stay = self._here.get(activeflow_id)
        return None if stay is None else stay.began

    def stay(self, activeflow: Activeflow) -> StepStay | None:
        """Return where this one is since when; ``None`` when that is not known, or it has moved on since."""
        return self.stay_at(activeflow.id, place(activeflow))

    def stay_at(self, activeflow_id: UUID, where: Place | None) -> StepStay | None:
        """Return the same, of one that is there."""
        stay = self._here.get(activeflow_id)
        return stay if stay is not None and stay.place == where else None

    def past(self, where: Place) -> Durations:
        """Return how long it took there before. Not to be changed."""
        return self._past.get(where, _NOTHING)

    def take_new(self) -> Mapping[Place, Durations]:
        """Return what was learned since the last time, to be kept."""
        new, self._new = self._new, {}
        return new

    def give_back(self, new: Mapping[Place, Durations]) -> None:
        """Give back what could not be kept, or not all of it: the next ``take_new`` has it, too. Counted twice is
        better than lost.
        """
        for where, durations in new.items():
            self._new.setdefault(where, Durations()).merge(durations)

    def know(self, past: Mapping[Place, Durations]) -> None:
        """Take in the past of these places, as everybody has seen it."""
        for where, durations in past.items():
            self._past.pop(where, None)
            self._past[where] = durations
        while len(self._past) > MOST_PLACES:
            del self._past[next(iter(self._past))]
        self.learned += 1

    def _tell(self, activeflow_id: UUID) -> None:
        for hear in self._ears:
            hear(activeflow_id)

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
        self._here[after.id] = StepStay(where, began, _came_here(change))
        self._tell(after.id)

    def _learn(self, stay: StepStay | None, after: Activeflow) -> None:
        if stay is None or stay.place is None or not stay.seen or after.updated_at is None:
            return
        seconds = (after.updated_at - stay.began).total_seconds()
        for kept in (self._new, self._past):
            if stay.place in kept or len(kept) < MOST_PLACES:
                kept.setdefault(stay.place, Durations()).add(seconds)
        self.learned += 1


def place(activeflow: Activeflow) -> Place | None:
    """Return where it is; ``None`` without a flow, or at a step without an id."""
    if activeflow.flow_id is None or not activeflow.current.id.int:
        return None
    inside = nesting(activeflow).innermost(*_LEADS)
    if inside is None:
        return activeflow.flow_id, str(activeflow.current.id)
    return activeflow.flow_id, f"{inside.opener.id}{':in' if inside.closed else ''}"


def _came_here(change: Change) -> bool:
    """Tell whether this was the very next version after the one before."""
    if change.after is None:
        return False
    steps = change.after.steps_used
    return steps <= 1 if change.before is None else steps - change.before.steps_used <= 1


# ---------------------------------------------------------------- anomaly
# Define what can be wrong with a running activeflow.


class Reason(StrEnum):
    """Why somebody should look."""

    STUCK = "stuck"
    """In this situation for much longer than this flow usually is."""
    LOOPING = "looping"
    """Going round in the same circle."""
    STEPS = "steps"
    """Nearly out of steps: VoIPBIN will end it."""
    STALE = "stale"
    """Still called running although its call ended, or although no call lives so long."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One of them, in words for people: "11 min in queue Support, usually 45 s". Plain text, nothing personal."""

    reason: Reason
    words: str


# ---------------------------------------------------------------- warnings
# Select what is worth a warning on a card, in words.


class WarningSource(Protocol):
    """Warnings in plain words, nothing personal. What is asked for them is a courtesy: never raises, never takes
    long.
    """

    async def __call__(self, activeflow: Activeflow, situation: Situation, /) -> tuple[str, ...]: ...


async def by_situation(_: Activeflow, situation: Situation) -> tuple[str, ...]:
    """Return what the situation itself warns of."""
    return (situation.warning,) if situation.warning else ()


# ---------------------------------------------------------------- detector
# Detect what is wrong with a running activeflow: stuck, looping, nearly out of steps, or left over.
#
# Decisions:
#
# - Stuck is said against the flow's own past only: at least twenty stays there were seen, and this one is longer than
#   two minutes and than four times what nineteen of twenty took. Without an event stream nothing is learned and nothing
#   claimed.
# - Created more than ten minutes ago without a step is stuck, too, whatever the flow's past: no call rings so long.
# - Waiting in a queue goes round in circles by design: that is no loop. Elsewhere the fifth time at the same step is.
# - VoIPBIN cuts calls after one hour (https://api.voipbin.net/docs/call_overview.html), so an activeflow of a call that
#   is older is left over. What started on complete of another one runs for a call that is over already: that says
#   nothing.
# - How many steps are used is said in the situation's own words.

ENOUGH: Final = 20
"""Stays seen at a place before any is called long."""
LOOPING_FROM: Final = 5
LONGEST_CALL: Final = timedelta(minutes=65)
"""An hour, and a margin for two clocks."""
_STARTED_BY: Final = timedelta(minutes=10)
"""By then a first step has been done, whatever it runs for."""
SHORTEST: Final = timedelta(minutes=2)
"""No shorter stay is ever called long."""
_TIMES: Final = 4
_JUST_ENDED: Final = timedelta(minutes=2)
"""A call that ended so lately is still being cleared up."""


class AnomalyDetector:
    """Judges by what it has seen. Asks nobody, and never raises."""

    def __init__(self, stays: DwellTimes) -> None:
        self.stays = stays

    def troubles(
        self,
        activeflow: Activeflow,
        now: datetime,
        *,
        flow: Flow | None = None,
        name_of: NameOf = unnamed,
        call: Call | None = None,
    ) -> tuple[Anomaly, ...]:
        """Return what is wrong with it, at most one of each reason; ``call``: the one it runs for, if that was
        looked up.
        """
        return self.of(activeflow, situation(activeflow, flow=flow, name_of=name_of), now, call=call)

    def of(
        self, activeflow: Activeflow, doing: Situation, now: datetime, *, call: Call | None = None
    ) -> tuple[Anomaly, ...]:
        """Return the same, when its situation is known already."""
        return () if activeflow.ended else tuple(self._found(activeflow, doing, now, call))

    def longest(self, where: Place) -> timedelta | None:
        """Return from when on a stay there is called long; ``None`` while too few were seen."""
        past = self.stays.past(where)
        long = past.at_most(0.95)
        return None if past.total < ENOUGH or long is None else max(SHORTEST, _TIMES * timedelta(seconds=long))

    def late_from(
        self, activeflow: Activeflow, doing: Situation, where: Place | None, limit: timedelta | None
    ) -> list[float]:
        """Return the moments, in seconds, from which on it may be stuck or left over; before them it is not.

        ``where`` it is, and ``limit``: from when on a stay is long there.
        """
        found: list[float] = []
        if activeflow.created_at is not None:
            began = activeflow.created_at.timestamp()
            if doing.kind == "starting":
                found.append(began + _STARTED_BY.total_seconds())
            if activeflow.reference.is_call and activeflow.parent_id is None:
                found.append(began + LONGEST_CALL.total_seconds())
        if limit is not None and (stay := self.stays.stay_at(activeflow.id, where)) is not None:
            found.append(stay.began.timestamp() + limit.total_seconds())
        return found

    def whatever_the_time(self, activeflow: Activeflow, doing: Situation) -> tuple[Reason, ...]:
        """Return what is wrong for as long as it stays as it is: it loops, or is nearly out of steps."""
        if activeflow.ended:
            return ()
        looping = [Reason.LOOPING] if _looping(activeflow, doing) else []
        return (*looping, *([Reason.STEPS] if doing.warning else []))

    def _found(self, activeflow: Activeflow, doing: Situation, now: datetime, call: Call | None) -> Iterator[Anomaly]:
        if words := _stale(activeflow, now, call):
            yield Anomaly(Reason.STALE, words)
        elif words := _never_started(activeflow, doing, now) or self._stuck(activeflow, doing, now):
            yield Anomaly(Reason.STUCK, words)
        if words := _looping(activeflow, doing):
            yield Anomaly(Reason.LOOPING, words)
        if doing.warning:
            yield Anomaly(Reason.STEPS, doing.warning)

    def _stuck(self, activeflow: Activeflow, doing: Situation, now: datetime) -> str:
        began = self.stays.began(activeflow.id)
        if began is None or now - began < SHORTEST:  # wherever it is: that need not be worked out
            return ""
        stay = self.stays.stay(activeflow)
        if stay is None or stay.place is None:
            return ""
        limit, lasted = self.longest(stay.place), now - stay.began
        if limit is None or lasted < limit:
            return ""
        usual = self.stays.past(stay.place).typical()
        if usual is None:
            return ""
        return f"{_so_long(stay, lasted)} {_where(doing)}, usually about {in_words(timedelta(seconds=usual))}"


def may_be_stale(activeflow: Activeflow, now: datetime) -> bool:
    """Tell whether it is so old that its call is worth a look."""
    age = activeflow.age(now)
    return activeflow.running and activeflow.reference.is_call and age is not None and age > LONGEST_CALL


def _stale(activeflow: Activeflow, now: datetime, call: Call | None) -> str:
    if not activeflow.reference.is_call or activeflow.parent_id is not None:
        return ""
    if call is not None and call.over:
        if call.hangup_at is None:
            return "its call ended: stale"
        since = now - call.hangup_at
        return f"call ended {in_words(since)} ago: stale" if since >= _JUST_ENDED else ""
    if call is None and may_be_stale(activeflow, now):
        return "older than any call can be (1 h): probably stale"
    return ""


def _never_started(activeflow: Activeflow, doing: Situation, now: datetime) -> str:
    age = activeflow.age(now)
    if doing.kind != "starting" or age is None or age < _STARTED_BY:
        return ""
    return f"created {in_words(age)} ago and never started"


def _looping(activeflow: Activeflow, doing: Situation) -> str:
    """Say in the words of the situation, which says laps only where going round is not how it works."""
    laps = main_laps(activeflow)
    return laps.removeprefix(", ") if laps in doing.words and times_here(activeflow) >= LOOPING_FROM else ""


def _so_long(stay: StepStay, lasted: timedelta) -> str:
    return in_words(lasted) if stay.seen else f"at least {in_words(lasted)}"


def _where(doing: Situation) -> str:
    return doing.words if doing.certain else "in this situation"


# ---------------------------------------------------------------- cache
# Cache what cannot be wrong with each of many activeflows yet, so that thousands are judged in one quick pass.
#
# Promises: the same as ``AnomalyDetector`` says; others on the event loop get their turn; what is remembered is
# bounded.

FINE: Final = len(Reason)
"""The rank of one that nothing is wrong with."""
_ORDER: Final = {reason: rank for rank, reason in enumerate(Reason)}
_BREATH: Final = 50
"""Judged anew before others on the event loop get their turn."""
EARLY: Final = 2e-6
"""Seconds by which one is looked at too early: moments are numbers here, which are not exact; the detector is."""


@dataclass(slots=True, eq=False)
class PlaceLimit:
    """A place, and from when on a stay there is called long, by what was learned of it."""

    where: Place | None
    past: Durations | None = None
    changes: int = -1
    limit: timedelta | None = None

    def learned(self, detector: AnomalyDetector) -> bool:
        """Look what was learned; whether another time is called long now."""
        if self.where is None:
            return False
        past, before = detector.stays.past(self.where), self.limit
        if past is not self.past or past.changes != self.changes:
            self.past, self.changes, self.limit = past, past.changes, detector.longest(self.where)
        return self.limit != before


@dataclass(slots=True, eq=False)
class _Spot(PlaceLimit):
    before: float = -math.inf
    """Whoever came there before this is there for long; in seconds, as all moments here."""

    def look(self, detector: AnomalyDetector, now: float) -> None:
        """Work it out for now."""
        self.learned(detector)
        self.before = -math.inf if self.limit is None else now - self.limit.total_seconds() + EARLY


@dataclass(slots=True, eq=False)
class _Version:
    """What is the same for as long as an activeflow stays as it is."""

    activeflow: Activeflow
    doing: Situation
    spot: _Spot
    always: tuple[Reason, ...]
    """What is wrong whatever the time."""
    rank: int
    """Of that."""
    judge_from: float
    """From then on only the detector can tell."""
    stay_began: float = -math.inf
    """Without an end: it is not known yet."""


class AnomalyCache:
    """What is wrong with each, by activeflow."""

    def __init__(self, detector: AnomalyDetector) -> None:
        self._detector = detector
        self._versions = VersionCache[_Version]()
        self._spots: dict[Place | None, _Spot] = {}

    async def of(
        self, activeflows: Sequence[Activeflow], now: datetime, doings: Sequence[Situation] | None = None
    ) -> list[tuple[Reason, ...]]:
        """Return what is wrong with each, in the same order, of each the gravest first.

        ``doings``: their situations, the same object for the same version; without them no definition of a flow is
        known.
        """
        versions, judged = await self._looked(activeflows, now, doings)
        told = [version.always for version in versions]
        for number, reasons in judged.items():
            told[number] = reasons
        return told

    async def worst_first(self, found: list[Activeflow], now: datetime) -> tuple[list[Activeflow], list[int]]:
        """Sort the worst first; those of one rank stay in their order. They are looked at without names or
        definitions, which need not be had for it.
        """
        versions, judged = await self._looked(found, now, None)
        ranks = [version.rank for version in versions]
        for number, reasons in judged.items():
            ranks[number] = rank(reasons)
        wrong = [number for number, of_it in enumerate(ranks) if of_it != FINE]
        rest = list(found)
        for number in reversed(wrong):
            del rest[number]
        wrong.sort(key=ranks.__getitem__)
        return [found[number] for number in wrong] + rest, [ranks[number] for number in wrong] + [FINE] * len(rest)

    async def _looked(
        self, activeflows: Sequence[Activeflow], now: datetime, doings: Sequence[Situation] | None
    ) -> tuple[list[_Version], dict[int, tuple[Reason, ...]]]:
        """Return what each is, and what the detector says of those that may be more than what they always are, by
        their place.
        """
        versions = await self._known(activeflows, doings)
        moment = now.timestamp()
        spots = {version.spot for version in versions}
        if len(self._spots) > MOST:
            self._spots = {spot.where: spot for spot in spots}
        for spot in spots:  # of these, not of all that are known by now: others were looked at meanwhile
            spot.look(self._detector, moment)
        suspects = [
            number
            for number, version in enumerate(versions)
            if version.stay_began < version.spot.before or version.judge_from <= moment
        ]
        judged: dict[int, tuple[Reason, ...]] = {}
        for number in suspects:
            version = versions[number]
            if self._suspected(version, moment):
                troubles = self._detector.of(version.activeflow, version.doing, now)
                judged[number] = tuple(trouble.reason for trouble in troubles)
                if len(judged) % _BREATH == 0:
                    await asyncio.sleep(0)
        return versions, judged

    async def _known(self, activeflows: Sequence[Activeflow], doings: Sequence[Situation] | None) -> list[_Version]:
        """Return what each is: worked out for those that are not known yet."""
        known = self._versions.of(activeflows)
        new: list[int] = []
        if doings is not None:
            pairs = enumerate(zip(known, doings, strict=True))
            new = [number for number, (version, doing) in pairs if version is None or version.doing is not doing]
        elif not all(known):
            new = [number for number, version in enumerate(known) if version is None]
        for worked, number in enumerate(new, 1):
            known[number] = self._kept(activeflows[number], None if doings is None else doings[number])
            if worked % _BREATH == 0:
                await asyncio.sleep(0)
        versions = cast("list[_Version]", known)
        if new:
            self._versions.forget_others(versions)
        return versions

    def _suspected(self, version: _Version, moment: float) -> bool:
        if moment >= version.judge_from:
            return True
        if version.stay_began == -math.inf:
            stay = self._detector.stays.stay_at(version.activeflow.id, version.spot.where)
            if stay is None:
                return False
            version.stay_began = stay.began.timestamp()
        return version.stay_began < version.spot.before

    def _kept(self, activeflow: Activeflow, doing: Situation | None) -> _Version:
        """Work it out, instead of what was known of another version of the same."""
        where = place(activeflow)
        spot = self._spots.get(where)
        if spot is None:
            spot = self._spots[where] = _Spot(where)
        version = _version(self._detector, activeflow, doing or situation(activeflow), spot)
        self._versions.keep(version)
        return version


def _version(detector: AnomalyDetector, activeflow: Activeflow, doing: Situation, spot: _Spot) -> _Version:
    always = detector.whatever_the_time(activeflow, doing)
    late_from = detector.late_from(activeflow, doing, None, None)
    return _Version(
        activeflow, doing, spot, always, rank=rank(always), judge_from=min(late_from, default=math.inf) - EARLY
    )


def rank(reasons: tuple[Reason, ...]) -> int:
    """Return its rank, the lower, the worse: the place of its gravest reason, or ``FINE``."""
    return _ORDER[reasons[0]] if reasons else FINE
