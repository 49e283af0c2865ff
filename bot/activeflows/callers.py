"""Hold calls that have a number somebody looks for: which call, and its ends masked.

The number itself stays where the calls are read; nothing here could be dialled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

_FURTHEST: Final = 5
"""Calls that called each other, one after the other, before it is no use to follow them."""


class Leg(NamedTuple):
    """What ties a call to an activeflow."""

    activeflow_id: UUID | None
    master_id: UUID | None
    """The call that placed this one (``master_call_id``): then its activeflow is the one that counts."""


@dataclass(frozen=True, slots=True)
class CallFound:
    """A call with the number at one of its ends."""

    id: UUID
    owner_id: UUID
    """The call that placed it, the first of them if it was more than one; itself, when it stands for itself."""
    activeflow_id: UUID | None
    """The owner's activeflow; ``None`` when it has none, or the owner was not among the calls looked through."""
    end: Literal["from", "to"]
    """Which end has the number."""
    masked: str
    over: bool
    began: datetime | None = None
    sought: int = 0
    """Which of the numbers that were looked for, by its place among them."""
    whole: bool = True
    """It was looked for in whole, and not by its last digits."""

    @property
    def leg(self) -> bool:
        """Another call placed it."""
        return self.owner_id != self.id


@dataclass(frozen=True, slots=True)
class CallsLooked:
    """What a look through the calls found, and how far it went; as in ``Picture``."""

    found: tuple[CallFound, ...]
    """Newest first."""
    number: int
    """How many calls were looked through."""
    as_of: datetime
    complete_since: datetime | None
    stopped_because: str = ""
    unreadable: int = 0


def owner(call_id: UUID, legs: Mapping[UUID, Leg]) -> UUID:
    """Return whose call this is: up the chain of those that placed each other, as far as it goes."""
    for _ in range(_FURTHEST):
        leg = legs.get(call_id)
        if leg is None or leg.master_id is None:
            break
        call_id = leg.master_id
    return call_id
