"""Bound how many refusals of one person are written down, so that nobody fills the database by trying on.

So many in a minute say who tries what. What goes beyond is counted, and said in one line of the log.
"""

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Final

EACH: Final = 3
OFFERS: Final = 10
"""Refusals of one person with *Ask someone who can*."""
WITHIN: Final = 60.0
_MOST: Final = 10_000
"""People whose last acts are known; those who did nothing for the longest time are forgotten first."""


class Lately:
    """What each person did within the last ``within`` seconds, up to ``each``."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, each: int = EACH, within: float = WITHIN
    ) -> None:
        self._clock, self._each, self._within = clock, each, within
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, who: str) -> None:
        self._times.setdefault(who, deque(maxlen=self._each)).append(self._clock())
        self._times.move_to_end(who)
        if len(self._times) > _MOST:
            self._times.popitem(last=False)

    def many(self, who: str) -> bool:
        """Did they as often as ``each``?"""
        times = self._times.get(who)
        return times is not None and len(times) == self._each and self._clock() - times[0] < self._within


class RefusalBound:
    """Says which refusals are written down, and counts the others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._written, self._offered = Lately(clock), Lately(clock, each=OFFERS)
        self._unwritten: Counter[str] = Counter()

    def has_room(self, who: str) -> bool:
        """Is one more of this person to be written down? Else it is counted."""
        if self._written.many(who):
            self.count(who)
            return False
        self._written.note(who)
        return True

    def has_room_for_an_offer(self, who: str) -> bool:
        """Is one more of this person's to be offered to others? Each offer is a draft in the ledger."""
        if self._offered.many(who):
            return False
        self._offered.note(who)
        return True

    def count(self, who: str) -> None:
        """One that is not written down."""
        self._unwritten[who] += 1

    def counted(self) -> dict[str, int]:
        """How many of each person were not written down since this was asked last."""
        counted, self._unwritten = dict(self._unwritten), Counter()
        return counted
