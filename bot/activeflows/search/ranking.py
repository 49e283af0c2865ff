"""Read what a text asks for, and rank what was found, with the reason for each. Pure, given what was read.

In this order: by its id; by a call; by its flow's name; by a queue it is inside of; by what its situation says. The
words a situation is searched for in are those that everybody reads, and VoIPBIN's own for the actions it is in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final
from uuid import UUID

from bot.activeflows.callers import CallFound, CallsLooked
from bot.activeflows.model import Activeflow, Picture
from bot.activeflows.names import likeness, says
from bot.activeflows.numbers import SHORTEST, Number, numbers_in
from bot.activeflows.queries.listing import Row
from bot.activeflows.queries.resolution import Prefix, Target, read_target, targets_in, without_ids
from bot.activeflows.situation.current_step import Situation

SURE: Final = 1.0


class MatchKind(IntEnum):
    """By what it was found; the highest is told."""

    SITUATION = 1
    QUEUE = 2
    FLOW = 3
    CALL = 4
    ID = 5


@dataclass(frozen=True, slots=True)
class Match:
    """``likeness`` is from 0 to 1; ``name`` is the queue's, ``call`` the call it was found by."""

    how: MatchKind
    likeness: float = SURE
    name: str = ""
    call: CallFound | None = None

    @property
    def rank(self) -> tuple[float, int]:
        """Higher goes first: a name that is the same before one that is only like it."""
        return (SURE if self.how >= MatchKind.CALL else self.likeness, self.how)


def by_words(words: str, situation: Situation, *, flow_name: str | None, queues: Iterable[str | None]) -> Match | None:
    """Return the best reason these words give, if they give any."""
    named = [Match(MatchKind.FLOW, likeness(words, flow_name or ""))]
    named += [Match(MatchKind.QUEUE, likeness(words, name), name) for name in queues if name]
    best = max(named, key=lambda match: match.rank)
    if best.likeness:
        return best
    said = " ".join((situation.words, situation.action, *situation.openers))
    return Match(MatchKind.SITUATION, 0.5) if says(said, words) else None


def by_calls(calls: Iterable[CallFound], running: Iterable[Activeflow]) -> dict[UUID, Match]:
    """Return the activeflows these calls lead to, by id: their owners', and those that came after one and run for
    the same call.
    """
    newest = list(calls)
    found: dict[UUID, Match] = {}
    for call in newest:
        if call.activeflow_id is not None:
            found.setdefault(call.activeflow_id, Match(MatchKind.CALL, call=call))
    by_owner = _by_owner(newest)
    for activeflow in running:
        reference = activeflow.reference
        call_of = by_owner.get(reference.id) if reference.is_call and reference.id is not None else None
        if call_of is not None:
            found.setdefault(activeflow.id, Match(MatchKind.CALL, call=call_of))
    return found


def _by_owner(newest: list[CallFound]) -> Mapping[UUID, CallFound]:
    owners: dict[UUID, CallFound] = {}
    for call in newest:
        owners.setdefault(call.owner_id, call)
    return owners


# ---------------------------------------------------------------- terms
# Extract from a text what can be looked for: ids, telephone numbers, and else words.
#
# Pure: nothing is looked for here. Decisions:
#
# - Where a text names ids or numbers, these are what is looked for; else all of it is words. What can be read in two
#   ways is looked for in both, and the answer says so: eight digits are a number and the beginning of an id, ``cafe``
#   is the beginning of an id and a word.
# - Digits only, and more of them than the eight shown of an id everywhere, are a number and no beginning of an id.
# - From a long text only so many are taken; how many were left is said.

MOST_IDS: Final = 10
MOST_NUMBERS: Final = 3
_SHOWN: Final = 8
"""Digits of an id that are shown everywhere."""


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """What to look for."""

    targets: tuple[Target, ...] = ()
    numbers: tuple[Number, ...] = ()
    words: str = field(default="", repr=False)
    """To look for in names and situations; empty when the text names something else."""
    more: int = 0
    """Ids and numbers that were left, because there are too many."""

    @property
    def nothing(self) -> bool:
        return not (self.targets or self.numbers or self.words)

    def doubtful(self, target: Target) -> bool:
        """Tell whether it may be meant otherwise than as an id, too."""
        return bool(self.words) or may_be_a_number(target)


def terms_in(text: str) -> SearchTerms:
    """Return what this text names."""
    alone = read_target(text)
    targets = (alone,) if alone is not None else tuple(found.target for found in targets_in(text))
    targets = tuple(target for target in targets if not is_only_a_number(target))
    numbers = numbers_in(without_ids(text))
    words = " ".join(text.split())
    short = isinstance(alone, Prefix) and len(alone.digits) < _SHOWN
    return SearchTerms(
        targets=targets[:MOST_IDS],
        numbers=numbers[:MOST_NUMBERS],
        words=words if not numbers and (short or not targets) else "",
        more=max(len(targets) - MOST_IDS, 0) + max(len(numbers) - MOST_NUMBERS, 0),
    )


def is_only_a_number(target: Target) -> bool:
    return isinstance(target, Prefix) and target.digits.isdecimal() and len(target.digits) > _SHOWN


def may_be_a_number(target: Target) -> bool:
    """Tell whether it may be a number: such a beginning of an id is not to be repeated in clear."""
    return isinstance(target, Prefix) and target.digits.isdecimal() and len(target.digits) >= SHORTEST


# ---------------------------------------------------------------- findings
# Hold what a search found, what was looked for, and how far it went.

MOST: Final = 10
"""Rows on the screen."""


@dataclass(frozen=True, slots=True)
class RankedMatch:
    """One that was found, and why."""

    row: Row
    match: Match


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found, what it was looked for in, and how complete that is."""

    terms: SearchTerms
    hits: tuple[RankedMatch, ...]
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
