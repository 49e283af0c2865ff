"""Table how often what runs is read again, and how soon the event stream is opened again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds."""

    repair_every: float = 300.0
    down_every: float = 60.0
    """Between two re-readings while there is no stream and nobody asks."""
    failed_again: float = 5.0
    patience: float = 25.0
    """How long somebody who asks waits for a re-reading."""
    connect_again: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0)
    told_within: float = 4.0
    """A change that was read comes as an event within so long, or the stream is not to be trusted."""
    lasting: float = 30.0
    """A stream that lived so long was a good one: the next is tried at once."""
