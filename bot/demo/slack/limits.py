"""Slack's rate limits: so many calls of a method a minute, about one message a second in a channel.

Promises: a call over the limit is answered 429 with a `Retry-After` in whole seconds and has no effect
(https://docs.slack.dev/apis/web-api/rate-limits). Decision: Slack lets short bursts of posts pass and says of no number;
here a channel takes `burst` at once and one more each second. A story whose bot lives faster than the clock lets
Slack's minute pass faster as well: `minute` is how many seconds it lasts.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

A_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}  # calls a minute that each tier grants at least
TIERS = {
    "apps.connections.open": 3,  # the method's own page; an older list says 1
    "users.list": 2,
    "conversations.list": 2,
    "usergroups.list": 2,
    "usergroups.users.list": 2,
    "conversations.info": 3,
    "conversations.open": 3,
    "conversations.history": 3,  # of an app for one's own workspace; one sold outside the Marketplace gets 1 a minute
    "chat.update": 3,
    "chat.delete": 3,
    "bots.info": 3,
    "conversations.members": 4,
    "chat.postEphemeral": 4,
    "users.info": 4,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
    "views.open": 4,
    "views.push": 4,
    "views.update": 4,
    "views.publish": 4,
}


@dataclass
class Limits:
    """Counts calls by the clock `now`; `tiers` and `a_minute` may be replaced to make a test short."""

    now: Callable[[], float]
    enabled: bool = True
    tiers: Mapping[str, int] = field(default_factory=lambda: dict(TIERS))
    a_minute: Mapping[int, int] = field(default_factory=lambda: dict(A_MINUTE))
    burst: int = 10
    minute: float = 60.0
    refused: int = 0
    _seen: dict[str, deque[float]] = field(default_factory=dict)
    _posted: dict[str, float] = field(default_factory=dict)

    def retry_after(self, method: str, channel: str = "") -> int | None:
        """Count one call. Return None when it may pass, else the seconds to wait before the next try."""
        if not self.enabled:
            return None
        if method == "chat.postMessage":
            wait = self._post(channel)
        else:
            tier = self.tiers.get(method)
            wait = None if tier is None else self._wait(method, self.a_minute[tier], self.minute)
        self.refused += wait is not None
        return wait

    def forget(self) -> None:
        """Begin all windows anew."""
        self._seen.clear()
        self._posted.clear()

    def _post(self, channel: str) -> int | None:
        now, second = self.now(), self.minute / 60
        free = max(self._posted.get(channel, 0.0), now - second * self.burst) + second
        if free > now:
            return max(1, math.ceil(free - now))
        self._posted[channel] = free
        return None

    def _wait(self, key: str, calls: int, seconds: float) -> int | None:
        seen = self._seen.setdefault(key, deque())
        now = self.now()
        while seen and seen[0] <= now - seconds:
            seen.popleft()
        if len(seen) < calls:
            seen.append(now)
            return None
        return max(1, math.ceil(seen[0] + seconds - now))
