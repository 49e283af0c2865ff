"""Extract from a text what can be looked for: ids, telephone numbers, and else words.

Pure: nothing is looked for here. Decisions:

- Where a text names ids or numbers, these are what is looked for; else all of it is words. What can be read in two ways is
  looked for in both, and the answer says so: eight digits are a number and the beginning of an id, ``cafe`` is the beginning
  of an id and a word.
- Digits only, and more of them than the eight shown of an id everywhere, are a number and no beginning of an id.
- From a long text only so many are taken; how many were left is said.
"""

from dataclasses import dataclass, field
from typing import Final

from bot.activeflows.numbers import SHORTEST, Number, numbers_in
from bot.activeflows.targets import Prefix, Target, read_target, targets_in, without_ids

MOST_IDS: Final = 10
MOST_NUMBERS: Final = 3
_SHOWN: Final = 8
"""Digits of an id that are shown everywhere."""


@dataclass(frozen=True, slots=True)
class Clues:
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
        """May it be meant otherwise than as an id, too?"""
        return bool(self.words) or may_be_a_number(target)


def clues_in(text: str) -> Clues:
    """What this text names."""
    alone = read_target(text)
    targets = (alone,) if alone is not None else tuple(found.target for found in targets_in(text))
    targets = tuple(target for target in targets if not is_only_a_number(target))
    numbers = numbers_in(without_ids(text))
    words = " ".join(text.split())
    short = isinstance(alone, Prefix) and len(alone.digits) < _SHOWN
    return Clues(
        targets=targets[:MOST_IDS],
        numbers=numbers[:MOST_NUMBERS],
        words=words if not numbers and (short or not targets) else "",
        more=max(len(targets) - MOST_IDS, 0) + max(len(numbers) - MOST_NUMBERS, 0),
    )


def is_only_a_number(target: Target) -> bool:
    return isinstance(target, Prefix) and target.digits.isdecimal() and len(target.digits) > _SHOWN


def may_be_a_number(target: Target) -> bool:
    """Such a beginning of an id is not to be repeated in clear."""
    return isinstance(target, Prefix) and target.digits.isdecimal() and len(target.digits) >= SHORTEST
