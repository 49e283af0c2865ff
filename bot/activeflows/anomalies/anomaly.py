"""Define what can be wrong with a running activeflow."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why somebody should look."""

    STUCK = "stuck"
    """In this situation for much longer than this flow usually is."""
    LOOPING = "looping"
    """Going round in the same circle."""
    STEPS = "steps"
    """Nearly out of steps: VoIPBIN will end it."""
    STALE = "stale"
    """Still called running although its call ended, or although no call lives so long."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One of them, in words for people: "11 min in queue Support, usually 45 s". Plain text, nothing personal."""

    reason: Reason
    words: str
