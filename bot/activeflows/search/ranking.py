"""Rank what was found, with the reason for each. Pure, given what was read.

In this order: by its id; by a call; by its flow's name; by a queue it is inside of; by what its situation says. The words a
situation is searched for in are those that everybody reads, and VoIPBIN's own for the actions it is in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from uuid import UUID

from bot.activeflows.callers import CallFound
from bot.activeflows.model import Activeflow
from bot.activeflows.search.similarity import likeness, says
from bot.activeflows.situation.current_step import Situation

SURE: Final = 1.0


class How(IntEnum):
    """By what it was found; the highest is told."""

    SITUATION = 1
    QUEUE = 2
    FLOW = 3
    CALL = 4
    ID = 5


@dataclass(frozen=True, slots=True)
class Match:
    """``likeness`` is from 0 to 1; ``name`` is the queue's, ``call`` the call it was found by."""

    how: How
    likeness: float = SURE
    name: str = ""
    call: CallFound | None = None

    @property
    def rank(self) -> tuple[float, int]:
        """Higher goes first: a name that is the same before one that is only like it."""
        return (SURE if self.how >= How.CALL else self.likeness, self.how)


def by_words(words: str, situation: Situation, *, flow_name: str | None, queues: Iterable[str | None]) -> Match | None:
    """The best reason these words give, if they give any."""
    named = [Match(How.FLOW, likeness(words, flow_name or ""))]
    named += [Match(How.QUEUE, likeness(words, name), name) for name in queues if name]
    best = max(named, key=lambda match: match.rank)
    if best.likeness:
        return best
    said = " ".join((situation.words, situation.action, *situation.openers))
    return Match(How.SITUATION, 0.5) if says(said, words) else None


def by_calls(calls: Iterable[CallFound], running: Iterable[Activeflow]) -> dict[UUID, Match]:
    """The activeflows these calls lead to, by id: their owners', and those that came after one and run for the same call."""
    newest = list(calls)
    found: dict[UUID, Match] = {}
    for call in newest:
        if call.activeflow_id is not None:
            found.setdefault(call.activeflow_id, Match(How.CALL, call=call))
    by_owner = _by_owner(newest)
    for activeflow in running:
        reference = activeflow.reference
        call_of = by_owner.get(reference.id) if reference.is_call and reference.id is not None else None
        if call_of is not None:
            found.setdefault(activeflow.id, Match(How.CALL, call=call_of))
    return found


def _by_owner(newest: list[CallFound]) -> Mapping[UUID, CallFound]:
    owners: dict[UUID, CallFound] = {}
    for call in newest:
        owners.setdefault(call.owner_id, call)
    return owners
