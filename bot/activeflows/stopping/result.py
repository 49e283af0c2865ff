"""Hold what came of carrying out one stop: how it ended, and whether that could be told."""

from dataclasses import dataclass
from datetime import datetime

from bot.activeflows.stopping.stop import Declined, Intent, Moved, Outcome


@dataclass(frozen=True, slots=True)
class Told:
    """Whether somebody could see it, and the receipt of the outcome's record."""

    seen: bool
    receipt: str = ""
    until: datetime | None = None
    """So long what is so by now is followed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: a ``phase``, or why it was ``declined``; ``anew`` is the intent to be asked once more."""

    phase: Outcome | Moved | None = None
    receipt: str = ""
    declined: Declined | None = None
    anew: Intent | None = None
    refused: Declined | None = None
    """Why the gate did not let whoever pressed."""
