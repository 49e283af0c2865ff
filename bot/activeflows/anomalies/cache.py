"""Cache what cannot be wrong with each of many activeflows yet, so that thousands are judged in one quick pass.

Promises: the same as ``AnomalyDetector`` says; others on the event loop get their turn; what is remembered is bounded.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from bot.activeflows.anomalies.detector import LONGEST_CALL, SHORTEST, AnomalyDetector, Reason
from bot.activeflows.anomalies.dwell_times import Durations, Place, place
from bot.activeflows.model import Activeflow
from bot.activeflows.situation.current_step import MOST, Situation, Versions, situation

FINE: Final = len(Reason)
"""The rank of one that nothing is wrong with."""
_ORDER: Final = {reason: rank for rank, reason in enumerate(Reason)}
_BREATH: Final = 50
"""Judged anew before others on the event loop get their turn."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_LEAST: Final = timedelta.resolution


@dataclass(slots=True, eq=False)
class _Spot:
    """A place, and what is called long there by now."""

    where: Place | None
    past: Durations | None = None
    changes: int = -1
    limit: timedelta | None = None
    before: datetime = _NEVER
    """Whoever came there before this is there for long."""

    def look(self, judging: AnomalyDetector, now: datetime) -> None:
        """Work it out for now; the limit only when something was learned."""
        if self.where is not None:
            past = judging.past(self.where)
            if past is not self.past or past.changes != self.changes:
                self.past, self.changes, self.limit = past, past.changes, judging.longest(self.where)
            if self.limit is not None:
                self.before = now - self.limit + _LEAST
            else:
                self.before = _NEVER


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
    suspect_from: datetime
    """Before it, nothing else can be wrong."""
    judge_from: datetime
    """From then on only the detector can tell."""
    stay_began: datetime = _NEVER
    """``_NEVER``: it is not known yet."""


class Reasons:
    """What is wrong with each, by activeflow."""

    def __init__(self, judging: AnomalyDetector) -> None:
        self._judging = judging
        self._versions = Versions[_Version]()
        self._spots: dict[Place | None, _Spot] = {}

    async def of(
        self, activeflows: Sequence[Activeflow], now: datetime, doings: Sequence[Situation] | None = None
    ) -> list[tuple[Reason, ...]]:
        """In the same order, of each the gravest first.

        ``doings``: their situations, the same object for the same version; without them no definition of a flow is
        known.
        """
        versions, judged = await self._looked(activeflows, now, doings)
        told = [version.always for version in versions]
        for number, reasons in judged.items():
            told[number] = reasons
        return told

    async def worst_first(self, found: list[Activeflow], now: datetime) -> tuple[list[Activeflow], list[int]]:
        """Those of one rank stay in their order. Looked at without names or definitions, which need not be had for
        it.
        """
        versions, judged = await self._looked(found, now, None)
        ranks = [version.rank for version in versions]
        for number, reasons in judged.items():
            ranks[number] = rank(reasons)
        wrong = [number for number, of_it in enumerate(ranks) if of_it != FINE]
        if not wrong:
            return found, ranks
        wrong.sort(key=ranks.__getitem__)
        first, fine = set(wrong), [FINE] * (len(found) - len(wrong))
        rest = [activeflow for number, activeflow in enumerate(found) if number not in first]
        return [found[number] for number in wrong] + rest, [ranks[number] for number in wrong] + fine

    async def _looked(
        self, activeflows: Sequence[Activeflow], now: datetime, doings: Sequence[Situation] | None
    ) -> tuple[list[_Version], dict[int, tuple[Reason, ...]]]:
        """What each is, and what the detector says of those that may be more than what they always are, by their
        place.
        """
        known = self._versions.of(activeflows)
        worked = 0
        if doings is None:
            new = [number for number, version in enumerate(known) if version is None]
        else:
            pairs = enumerate(zip(known, doings, strict=True))
            new = [number for number, (version, doing) in pairs if version is None or version.doing is not doing]
        for number in new:
            known[number] = self._kept(activeflows[number], None if doings is None else doings[number])
            worked += 1
            if worked % _BREATH == 0:
                await asyncio.sleep(0)
        versions = cast("list[_Version]", known)
        if new:
            self._versions.forget_others(versions)
        spots = {version.spot for version in versions}
        if len(self._spots) > MOST:
            self._spots = {spot.where: spot for spot in spots}
        for spot in spots:  # of these, not of all that are known by now: others were looked at meanwhile
            spot.look(self._judging, now)
        suspects = [
            number
            for number, version in enumerate(versions)
            if version.stay_began < version.spot.before or version.judge_from <= now
        ]
        judged: dict[int, tuple[Reason, ...]] = {}
        for number in suspects:
            version = versions[number]
            if now >= version.suspect_from and self._suspected(version, now):
                troubles = self._judging.of(version.activeflow, version.doing, now)
                judged[number] = tuple(trouble.reason for trouble in troubles)
                worked += 1
                if worked % _BREATH == 0:
                    await asyncio.sleep(0)
        return versions, judged

    def _suspected(self, version: _Version, now: datetime) -> bool:
        if now >= version.judge_from:
            return True
        if version.stay_began == _NEVER:
            stay = self._judging.stay_at(version.activeflow, version.spot.where)
            if stay is None:
                return False
            version.stay_began = stay.began
        return version.stay_began < version.spot.before

    def _kept(self, activeflow: Activeflow, doing: Situation | None) -> _Version:
        """Work it out, instead of what was known of another version of the same."""
        where = place(activeflow)
        spot = self._spots.get(where)
        if spot is None:
            spot = self._spots[where] = _Spot(where)
        version = _version(self._judging, activeflow, doing or situation(activeflow), spot)
        self._versions.keep(version)
        return version


def _version(judging: AnomalyDetector, activeflow: Activeflow, doing: Situation, spot: _Spot) -> _Version:
    created = activeflow.created_at
    soon = _NEVER if created is None else created + SHORTEST
    old = created + LONGEST_CALL if activeflow.reference.is_call and created is not None else _LATEST
    always = judging.whatever_the_time(activeflow, doing)
    return _Version(
        activeflow,
        doing,
        spot,
        always=always,
        rank=rank(always),
        suspect_from=soon,
        judge_from=soon if doing.kind == "starting" else old,
    )


def rank(reasons: tuple[Reason, ...]) -> int:
    """The lower, the worse: the place of its gravest reason, or ``FINE``."""
    return _ORDER[reasons[0]] if reasons else FINE
