"""Count the questions that one method of Slack's may still be asked, so that nobody uses up what others need.

Slack allows a method so many calls a minute for the whole app, whoever made the app ask. A bucket of turns stays below
that in every minute: ``burst`` at once, ``a_minute`` after that. The last ones are a ``reserve``, for questions about those who
are probably permitted.

https://docs.slack.dev/apis/web-api/rate-limits
"""

from collections.abc import Callable


class Allowance:
    """Turns at one method. In any minute at most ``burst + a_minute`` of them are given."""

    def __init__(self, *, burst: int, a_minute: float, reserve: int, clock: Callable[[], float]) -> None:
        self._burst, self._a_second, self._reserve, self._clock = float(burst), a_minute / 60, reserve, clock
        self._left, self._at = float(burst), clock()
        self._shut_until = 0.0

    def scarcity(self) -> float:
        """0 while at least half is left, 1 when nothing is."""
        return max(0.0, 1.0 - self._now() / (self._burst / 2))

    def take(self, *, reserve: bool) -> bool:
        """Take a turn; ``reserve``: one of the last, too."""
        if self.wait(reserve=reserve) > 0:
            return False
        self._left -= 1
        return True

    def wait(self, *, reserve: bool) -> float:
        """Seconds until there is a turn."""
        needed = 1.0 if reserve else self._reserve + 1.0
        missing = needed - self._now()
        if self._shut_until > self._clock():
            return max(self._shut_until - self._clock(), missing / self._a_second)
        return missing / self._a_second if missing > 1e-9 else 0.0

    def shut(self, seconds: float) -> None:
        """Slack says that it is too much: nothing is left, and no turn is given for so long."""
        self._now()
        self._left = 0.0
        self._shut_until = max(self._shut_until, self._clock() + seconds)

    def _now(self) -> float:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._a_second)
        self._at = now
        return 0.0 if now < self._shut_until else self._left
