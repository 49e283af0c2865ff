"""Cache what cannot be wrong with each of many activeflows yet, so that thousands are judged in one quick pass.

Promises: the same as ``AnomalyDetector`` says; others on the event loop get their turn; what is remembered is bounded.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.activeflows.anomalies.anomaly import Reason
from bot.activeflows.anomalies.detector import SHORTEST, AnomalyDetector, may_be_stale
from bot.activeflows.anomalies.dwell_times import Place, place
from bot.activeflows.model import Activeflow
from bot.activeflows.situation.current_step import Situation

FINE: Final = len(Reason)
"""The rank of one that nothing is wrong with."""
MOST: Final = 20_000
_ORDER: Final = {reason: rank for rank, reason in enumerate(Reason)}
_BREATH: Final = 50
"""Judged anew before others on the event loop get their turn."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Version:
    """What is the same for as long as an activeflow stays as it is."""

    doing: Situation
    where: Place | None
    quiet_until: datetime
    """Before it, only ``always`` can make it wrong."""
    always: bool


class Reasons:
    """What is wrong with each, by activeflow."""

    def __init__(self, judging: AnomalyDetector) -> None:
        self._judging = judging
        self._last: dict[int, _Version] = {}

    async def of(
        self, activeflows: Sequence[Activeflow], doings: Sequence[Situation], now: datetime
    ) -> list[tuple[Reason, ...]]:
        """In the same order, of each the gravest first; ``doings``: their situations, the same object for the same version."""
        found, judged = dict[int, _Version](), 0
        told, longest = list[tuple[Reason, ...]](), dict[Place, timedelta | None]()
        for activeflow, doing in zip(activeflows, doings, strict=True):
            id_ = activeflow.id.int
            version = self._last.get(id_)
            if version is None or version.doing is not doing:
                version = self._version(activeflow, doing)
                judged += 1
            found[id_] = version
            if not version.always and (
                now < version.quiet_until or not self._suspected(activeflow, version, now, longest)
            ):
                told.append(())
                continue
            judged += 1
            told.append(tuple(trouble.reason for trouble in self._judging.of(activeflow, doing, now)))
            if judged % _BREATH == 0:
                await asyncio.sleep(0)
        self._keep(found)
        return told

    def _version(self, activeflow: Activeflow, doing: Situation) -> _Version:
        began = activeflow.created_at
        return _Version(
            doing,
            place(activeflow),
            _NEVER if began is None else began + SHORTEST,
            self._judging.wrong_as_it_is(activeflow, doing),
        )

    def _suspected(
        self, activeflow: Activeflow, version: _Version, now: datetime, longest: dict[Place, timedelta | None]
    ) -> bool:
        if version.doing.kind == "starting" or may_be_stale(activeflow, now):
            return True
        stay = self._judging.stay_at(activeflow, version.where)
        if stay is None or stay.place is None:
            return False
        if stay.place not in longest:
            longest[stay.place] = self._judging.longest(stay.place)
        limit = longest[stay.place]
        return limit is not None and now - stay.began >= limit

    def _keep(self, found: dict[int, _Version]) -> None:
        """A small part of what runs does not push out the rest, until that is too much."""
        if 2 * len(found) >= len(self._last) or len(self._last) > MOST:
            self._last = found
        else:
            self._last |= found


def rank(reasons: tuple[Reason, ...]) -> int:
    """The lower, the worse: the place of its gravest reason, or ``FINE``."""
    return _ORDER[reasons[0]] if reasons else FINE
