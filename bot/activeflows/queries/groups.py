"""Count what runs: how many of each flow or in each action, and since when the oldest of them runs."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from bot.activeflows.model import Activeflow

K = TypeVar("K", bound=Hashable)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


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
    groups = [Group(name(found[0]), len(found), min(found, key=_beginning)) for found in members.values()]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.name is None, group.name or "")))


def _beginning(activeflow: Activeflow) -> tuple[bool, datetime]:
    began = activeflow.created_at
    return began is None, began or _NEVER
