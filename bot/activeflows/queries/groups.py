"""Count what runs: how many of each flow or in each action, and since when the oldest of them runs."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final, TypeVar

from bot.activeflows.model import Activeflow

K = TypeVar("K", bound=Hashable)
_BEGAN: Final[Callable[[Activeflow], datetime]] = attrgetter("created_at")


@dataclass(frozen=True, slots=True)
class Group:
    """Activeflows that have something in common: ``name`` is what, ``None`` when that is not known."""

    name: str | None
    count: int
    oldest: Activeflow
    """The one that began first; one whose beginning is not known only if no other's is."""


def grouped(
    activeflows: Iterable[Activeflow], key: Callable[[Activeflow], K], name: Callable[[Activeflow], str | None]
) -> tuple[Group, ...]:
    """The largest first; equals in the order of their names."""
    members: dict[K, list[Activeflow]] = {}
    for activeflow in activeflows:
        members.setdefault(key(activeflow), []).append(activeflow)
    groups = [Group(name(found[0]), len(found), _oldest(found)) for found in members.values()]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.name is None, group.name or "")))


def _oldest(found: list[Activeflow]) -> Activeflow:
    dated = [activeflow for activeflow in found if activeflow.created_at is not None]
    return min(dated, key=_BEGAN) if dated else found[0]
