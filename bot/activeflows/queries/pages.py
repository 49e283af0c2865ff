"""Turn the pages of a list that changes while it is read.

A page is bound to the rows that were on screen, not to a number: *Next* shows what comes after the last of them, whatever
began or ended meanwhile, so that turning to the end shows everything that still runs, and nothing twice. Of the worst
first that holds for all whose trouble neither came nor went meanwhile: such a one moves to where it is looked for.

Decision: what is wrong comes first, the gravest reason before the others, and then the oldest. At night, with 300 running, the
newest come and go faster than anybody can press, and what nothing has flagged and somebody still has to find is among those
that have been there long. ``newest`` is for who has just placed a call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from typing import Final, Literal, TypeAlias
from uuid import UUID

from bot.activeflows.model import Activeflow

PAGE: Final = 10
"""Rows on a page."""
Side: TypeAlias = Literal["from", "after", "before"]
Sort: TypeAlias = Literal["worst", "oldest", "newest"]
"""``worst``: by what is wrong, then the oldest."""
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: ``from`` this row on, ``after`` it, or such that it ends ``before`` it. The row may be gone."""

    side: Side
    began: datetime | None
    id: UUID
    rank: int = 0
    """How wrong it was, when the worst come first; the lower, the worse."""


def at(side: Side, activeflow: Activeflow, rank: int = 0) -> Place:
    """The place at this row."""
    return Place(side, activeflow.created_at, activeflow.id, rank)


def in_order(activeflows: Sequence[Activeflow]) -> list[Activeflow]:
    """Newest first; those of one moment as the index has them, so that a page's border between them holds."""
    return sorted(activeflows, key=_key, reverse=True)


def numbered(length: int, page: int) -> int:
    """How many come before that page; beyond the end it is the last one."""
    return (min(max(page, 1), max(1, -(-length // PAGE))) - 1) * PAGE


def placed(found: Sequence[Activeflow], place: Place, ranks: Sequence[int] = (), *, newest: bool = True) -> int:
    """How many of ``found``, which are in order, come before the page at that place; beyond the end it is the last one.

    ``ranks``: of each, when the worst come first; ``newest``: the newest do.
    """
    key = (place.rank if ranks else 0, place.began or _BEGINNING, place.id)
    keys = ((rank, *_key(each)) for rank, each in zip(ranks or repeat(0), found, strict=False))
    earlier = next((n for n, own in enumerate(keys) if (own <= key if newest else own >= key)), len(found))
    if place.side == "before":
        return max(earlier - PAGE, 0)
    if place.side == "after" and earlier < len(found) and found[earlier].id == place.id:
        earlier += 1
    return earlier if earlier < len(found) else max(len(found) - PAGE, 0)


def _key(activeflow: Activeflow) -> tuple[datetime, UUID]:
    return activeflow.created_at or _BEGINNING, activeflow.id
