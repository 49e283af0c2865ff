"""Table how long everything about a stop is waited for. All in seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Patience:
    """The defaults fit VoIPBIN's own budgets: a stop may work for 12 s behind a connection that broke."""

    side_look: float = 1.5
    """For names and callers on a card: a slow one is "unknown", never a delay."""
    attempts: int = 6
    """Tries that certainly did nothing (429, 401, the activeflow could not be read). A lost stop is sent once more at
    most.
    """
    longer: float = 0.5
    """Added to the rest after the second try that did nothing, and doubled after each further one: a throttled account
    gets room for the two requests of the next try, the look and the stop."""
    soon: tuple[float, ...] = (0.0, 0.3, 0.7, 1.5)
    """Pauses before the first readings after a stop; then the card says "not known yet"."""
    settle: float = 15.0
    """After so long a POST whose answer was lost can no longer be at work."""
    every: float = 1.5
    """Between readings while settling."""
    rest: float = 5.0
    """Between readings in the background."""
    looks: int = 120
    """Readings in the background before it is said that nobody looks any more."""
    in_hand_after: float = 1.5
    """So long after a press the card says for everybody that it was pressed, when nothing was sent by then."""
    call_after: float = 60.0
    """So long after a press whoever pressed is called to the card, when it is still not known whether it worked."""
    unanswered: float = 30.0
    """So long Slack is asked again who pressed, before anything is sent. Then it is a no."""
    follow_every: float = 15.0
    """Between looks at what a card says is so by now: "still running", "call: still up", "not known"."""
    follow_for: float = 1800.0
    """After so long such a card says that nobody looks any more."""
    after: tuple[float, ...] = (0.3, 0.7, 1.0, 2.0, 3.0, 3.0)
    """Pauses before each look at the call and the on-complete activeflow after the end."""

    @property
    def follow_looks(self) -> int:
        """How many times it is looked at."""
        return max(1, round(self.follow_for / self.follow_every))


def follow_until(now: datetime, patience: Patience) -> datetime | None:
    """Until when something that is so by now is followed; ``None``: it is not."""
    return now + timedelta(seconds=patience.follow_for) if patience.follow_for else None
