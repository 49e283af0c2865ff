"""Cache what cannot be wrong with each of many activeflows yet, so that thousands are judged in one quick pass.

Promises: the same as ``AnomalyDetector`` says; others on the event loop get their turn; what is remembered is bounded.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Final

from bot.activeflows.anomalies.anomaly import Reason
from bot.activeflows.anomalies.detector import LONGEST_CALL, SHORTEST, AnomalyDetector
from bot.activeflows.anomalies.dwell_times import Place, place
from bot.activeflows.model import Activeflow
from bot.activeflows.situation.current_step import Situation, situation

FINE: Final = len(Reason)
"""The rank of one that nothing is wrong with."""
MOST: Final = 20_000
_ORDER: Final = {reason: rank for rank, reason in enumerate(Reason)}
_BREATH: Final = 50
"""Judged anew before others on the event loop get their turn."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_NOWHERE: Final = (0, "")


@dataclass(slots=True)
class _Version:
    """What is the same for as long as an activeflow stays as it is."""

    activeflow: Activeflow
    doing: Situation
    where: Place | None
    at: tuple[int, str]
    """The same place, quick to compare."""
    always: tuple[Reason, ...]
    """What is wrong whatever the time."""
    suspect_from: datetime
    """Before it, nothing else can be wrong."""
    judge_from: datetime
    """From then on only the detector can tell."""
    stay_began: datetime | None = None


class Reasons:
    """What is wrong with each, by activeflow."""

    def __init__(self, judging: AnomalyDetector) -> None:
        self._judging = judging
        self._last: dict[int, _Version] = {}

    async def of(
        self, activeflows: Sequence[Activeflow], now: datetime, doings: Iterable[Situation] | None = None
    ) -> list[tuple[Reason, ...]]:
        """In the same order, of each the gravest first.

        ``doings``: their situations, the same object for the same version; without them no definition of a flow is known.
        """
        found, judged = dict[int, _Version](), 0
        told, longest = list[tuple[Reason, ...]](), dict[tuple[int, str], timedelta | None]()
        for activeflow, doing in zip(
            activeflows, repeat(None) if doings is None else doings, strict=doings is not None
        ):
            id_ = activeflow.id.int
            version = self._last.get(id_)
            if version is None or version.activeflow is not activeflow or (doing and version.doing is not doing):
                version = _version(self._judging, activeflow, doing or situation(activeflow))
                judged += 1
            found[id_] = version
            if now < version.suspect_from or not self._suspected(activeflow, version, now, longest):
                told.append(version.always)
            else:
                told.append(tuple(trouble.reason for trouble in self._judging.of(activeflow, version.doing, now)))
                judged += 1
            if judged >= _BREATH:
                judged = 0
                await asyncio.sleep(0)
        self._keep(found)
        return told

    async def worst_first(self, found: list[Activeflow], now: datetime) -> tuple[list[Activeflow], list[int]]:
        """Those of one rank stay in their order. Looked at without names or definitions, which need not be had for it."""
        ranks = [rank(reasons) for reasons in await self.of(found, now)]
        if min(ranks, default=FINE) == FINE:
            return found, ranks
        places = sorted(range(len(found)), key=ranks.__getitem__)
        return [found[n] for n in places], [ranks[n] for n in places]

    def _suspected(
        self,
        activeflow: Activeflow,
        version: _Version,
        now: datetime,
        longest: dict[tuple[int, str], timedelta | None],
    ) -> bool:
        if now >= version.judge_from:
            return True
        if version.where is None:
            return False
        at = version.at
        if at not in longest:
            longest[at] = self._judging.longest(version.where)
        limit = longest[at]
        if limit is None:
            return False
        if version.stay_began is None:
            stay = self._judging.stay_at(activeflow, version.where)
            version.stay_began = stay.began if stay is not None else None
        return version.stay_began is not None and now - version.stay_began >= limit

    def _keep(self, found: dict[int, _Version]) -> None:
        """A small part of what runs does not push out the rest, until that is too much."""
        if 2 * len(found) >= len(self._last) or len(self._last) > MOST:
            self._last = found
        else:
            self._last |= found


def _version(judging: AnomalyDetector, activeflow: Activeflow, doing: Situation) -> _Version:
    created, where = activeflow.created_at, place(activeflow)
    soon = _NEVER if created is None else created + SHORTEST
    old = created + LONGEST_CALL if activeflow.reference.is_call and created is not None else _LATEST
    return _Version(
        activeflow,
        doing,
        where,
        at=(where[0].int, where[1]) if where is not None else _NOWHERE,
        always=judging.whatever_the_time(activeflow, doing),
        suspect_from=soon,
        judge_from=soon if doing.kind == "starting" else old,
    )


def rank(reasons: tuple[Reason, ...]) -> int:
    """The lower, the worse: the place of its gravest reason, or ``FINE``."""
    return _ORDER[reasons[0]] if reasons else FINE
