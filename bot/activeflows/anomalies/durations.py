"""Estimate how long something usually takes, from counts in logarithmic buckets.

Promises: bounded whatever is added; a few strange times do not move the middle; what was long ago counts less, because
the counts are halved whenever there are many. A quantile is right within one bucket, which is a quarter of its value.
"""

from collections.abc import Sequence
from math import log
from typing import Final

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
