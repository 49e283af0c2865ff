"""Hold what a search found, what was looked for, and how far it went."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.activeflows.callers import CallsLooked
from bot.activeflows.model import Picture
from bot.activeflows.queries.rows import Row
from bot.activeflows.search.ranking import Match
from bot.activeflows.search.terms import Clues
from bot.activeflows.targets import Target

MOST: Final = 10
"""Rows on the screen."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One that was found, and why."""

    row: Row
    match: Match


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found, what it was looked for in, and how complete that is."""

    clues: Clues
    hits: tuple[Hit, ...]
    """The best, at most ``MOST``."""
    total: int
    """All that this person may view."""
    hidden: int
    """Those that run and that they may not view, when words were looked for; whether one fits is not said."""
    as_of: datetime
    absent: tuple[Target, ...] = ()
    """Ids that neither an activeflow nor a call of one has, without those that may be meant otherwise."""
    unnamed: int = 0
    """Those whose flow's name was looked for and not known: they may be missing."""
    unread: int = 0
    """Activeflows of calls that do not run (any more) and were not read."""
    without: int = 0
    """Calls with the number that run for no activeflow, as far as is known."""
    picture: Picture | None = None
    """What runs, when that was looked through."""
    calls: CallsLooked | None = None
    """The calls, when they were looked through; of those found only what is shown."""
