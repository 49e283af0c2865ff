"""The customer's request bucket: 17 a second, 33 at once, shared by every client of the customer; and how long pages are.

https://api.voipbin.net/docs/restful_api.html describes the 429; switched off unless a test or the demo wants it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: datetime


class Limits:
    """A token bucket per customer, in the world's own time. `rate` is tokens per second, `burst` the most it holds."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.enabled = False
        self.rate = 17.0
        self.burst = 33
        self.refused = 0
        self.page = 1000
        """The most rows a page of any list has, whatever was asked for."""
        self._now = now
        self._buckets: dict[UUID, _Bucket] = {}

    def admits(self, customer_id: UUID) -> bool:
        """Take one token for a request; False means 429."""
        if not self.enabled:
            return True
        bucket = self._filled(customer_id)
        if bucket.tokens < 1:
            self.refused += 1
            return False
        bucket.tokens -= 1
        return True

    def others_take(self, customer_id: UUID, requests: int) -> None:
        """The customer's other clients use up that many tokens now."""
        bucket = self._filled(customer_id)
        bucket.tokens = max(0.0, bucket.tokens - requests)

    def _filled(self, customer_id: UUID) -> _Bucket:
        now = self._now()
        bucket = self._buckets.setdefault(customer_id, _Bucket(self.burst, now))
        passed = (now - bucket.filled_at).total_seconds()
        bucket.tokens = min(float(self.burst), bucket.tokens + passed * self.rate)
        bucket.filled_at = now
        return bucket
