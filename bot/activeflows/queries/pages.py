"""Turn the pages of a list that changes while it is read.

A page is bound to the rows that were on screen, not to a number: *Next* shows what comes after the last of them, whatever
began or ended meanwhile, so that turning to the end shows everything that still runs, and nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from bot.activeflows.model import Activeflow

PAGE: Final = 10
"""Rows on a page."""
Side: TypeAlias = Literal["from", "after", "before"]
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: ``from`` this row on, ``after`` it, or such that it ends ``before`` it. The row may be gone."""

    side: Side
    began: datetime | None
    id: UUID


def at(side: Side, activeflow: Activeflow) -> Place:
    """The place at this row."""
    return Place(side, activeflow.created_at, activeflow.id)


def in_order(activeflows: Sequence[Activeflow]) -> list[Activeflow]:
    """Newest first; those of one moment as the index has them, so that a page's border between them holds."""
    return sorted(activeflows, key=_key, reverse=True)


def numbered(length: int, page: int) -> int:
    """How many come before that page; beyond the end it is the last one."""
    return (min(max(page, 1), max(1, -(-length // PAGE))) - 1) * PAGE


def placed(found: Sequence[Activeflow], place: Place) -> int:
    """How many of ``found``, which are in order, come before the page at that place; beyond the end it is the last one."""
    key = (place.began or _BEGINNING, place.id)
    newer = next((n for n, a in enumerate(found) if _key(a) <= key), len(found))
    if place.side == "before":
        return max(newer - PAGE, 0)
    if place.side == "after" and newer < len(found) and found[newer].id == place.id:
        newer += 1
    return newer if newer < len(found) else max(len(found) - PAGE, 0)


def _key(activeflow: Activeflow) -> tuple[datetime, UUID]:
    return activeflow.created_at or _BEGINNING, activeflow.id
