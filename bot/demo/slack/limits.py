"""Slack's rate limits: so many calls of a method a minute, one message a second in a channel.

Promises: a call over the limit is answered 429 with a `Retry-After` in whole seconds and has no effect
(https://docs.slack.dev/apis/web-api/rate-limits). Switched off until `enabled`, so that tests which are not about
limits never meet one.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

A_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}  # calls a minute that each tier grants at least
TIERS = {
    "apps.connections.open": 1,
    "usergroups.list": 2,
    "usergroups.users.list": 2,
    "conversations.info": 3,
    "conversations.open": 3,
    "chat.update": 3,
    "chat.delete": 3,
    "bots.info": 3,
    "conversations.members": 4,
    "chat.postEphemeral": 4,
    "users.info": 4,
    "views.open": 4,
    "views.push": 4,
    "views.update": 4,
    "views.publish": 4,
}


@dataclass
class Limits:
    """Counts calls by the clock `now`; `tiers` and `a_minute` may be replaced to make a test short."""

    now: Callable[[], float]
    enabled: bool = False
    tiers: Mapping[str, int] = field(default_factory=lambda: dict(TIERS))
    a_minute: Mapping[int, int] = field(default_factory=lambda: dict(A_MINUTE))
    posts_a_second: int = 1
    _seen: dict[str, deque[float]] = field(default_factory=dict)

    def retry_after(self, method: str, channel: str = "") -> int | None:
        """Count one call. Return None when it may pass, else the seconds to wait before the next try."""
        if not self.enabled:
            return None
        if method == "chat.postMessage":
            return self._wait(f"{method} {channel}", self.posts_a_second, 1)
        tier = self.tiers.get(method)
        return None if tier is None else self._wait(method, self.a_minute[tier], 60)

    def _wait(self, key: str, calls: int, seconds: float) -> int | None:
        seen = self._seen.setdefault(key, deque())
        now = self.now()
        while seen and seen[0] <= now - seconds:
            seen.popleft()
        if len(seen) < calls:
            seen.append(now)
            return None
        return max(1, math.ceil(seen[0] + seconds - now))
