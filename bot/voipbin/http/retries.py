"""Table when a question is asked again, and after how long, in seconds.

For each kind of trouble the waits before the second, third, … try; none means that the first answer counts. They add to
what VoIPBIN asks for itself (Retry-After) and to a little jitter, so that many bots do not come back in step.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from bot.voipbin.http.answer_errors import Kind, Trouble, Unsuccessful

Waits: TypeAlias = tuple[float, ...]

LONGEST: Final = 60.0
"""Seconds after which nothing is tried again, whatever waits are left."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The waits; tests bring shorter ones."""

    throttled: Waits = (0.0, 0.5, 1.0)
    """429: refused before any work."""
    unavailable: Waits = (0.5, 2.0)
    """No connection, no answer in time, 502, 503, 504."""
    internal: Waits = (4.0,)
    """500: behind an open circuit breaker nothing works for up to 30 s."""
    hiccup: Waits = (1.0, 3.0)
    """400 INVALID_ARGUMENT: a fault of the flow service."""
    rejected: Waits = (1.0, 3.0)
    """401 on an access key, or a login refused: a look-up that failed gets the same answer as a wrong key."""
    unreadable: Waits = (1.0,)
    """A 200 whose body is not what VoIPBIN sends."""
    after_login: float = 1.0
    """After a login that failed: so long all who need one get the same answer instead of knocking one by one."""
    at_start: float = 8.0
    """So long a start waits to learn whose account this is: enough to see a credential refused again and again."""
    jitter: float = 0.3

    def for_reads(self) -> Mapping[Kind, Waits]:
        return {
            Kind.THROTTLED: self.throttled,
            Kind.UNSENT: self.unavailable,
            Kind.LOST: self.unavailable,
            Kind.UNAVAILABLE: self.unavailable,
            Kind.INTERNAL: self.internal,
            Kind.HICCUP: self.hiccup,
            Kind.CREDENTIAL: self.rejected,
            Kind.LOGIN: self.rejected,
            Kind.UNREADABLE: self.unreadable,
        }

    def pause_after(self, trouble: Trouble) -> float | None:
        """Seconds before whoever asked once comes again; ``None``: another try has no chance."""
        waits = self.for_reads().get(trouble.kind)
        return waits[0] + _asked_for(trouble) if waits else None


def again_after(waits: Mapping[Kind, Waits], jitter: float) -> Callable[[Exception], bool | float]:
    """For one question: the seconds to wait after this exception, or ``False`` when it shall not be asked again."""
    used: dict[Kind, int] = {}

    def decide(problem: Exception) -> bool | float:
        if not isinstance(problem, Unsuccessful):
            return False
        trouble = problem.trouble
        left = waits.get(trouble.kind, ())[used.get(trouble.kind, 0) :]
        if not left:
            return False
        used[trouble.kind] = used.get(trouble.kind, 0) + 1
        return left[0] + _asked_for(trouble) + random.uniform(0, jitter)  # noqa: S311 — spreads load, guards nothing

    return decide


def _asked_for(trouble: Trouble) -> float:
    return trouble.retry_after if trouble.kind is Kind.THROTTLED else 0.0
