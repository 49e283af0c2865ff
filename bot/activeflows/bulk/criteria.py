"""Hold what somebody wants stopped before a list is frozen, and the draft of somebody who may not."""

from dataclasses import dataclass
from uuid import UUID

from bot.activeflows.queries.filters import Filters


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that run and fit; ``among``: only these of them; ``oldest``: as many of the oldest as are allowed at once."""

    filters: Filters
    reason: str = ""
    among: frozenset[UUID] | None = None
    oldest: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants who may not stop in bulk. ``id`` is that of the bulk it becomes when those who may are asked.

    Decision: the wish is kept, and no list. The list is frozen when it is put to others: nobody has been shown one
    before, and the fresher one is the truer one, however long the refusal with its button has stood there.
    """

    id: str
    wanted: Wanted
    asked_by: str
    channel: str
    """Where it was asked for: there, or where the rules say, those who may are asked."""
