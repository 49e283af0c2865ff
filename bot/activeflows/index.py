"""Hold the running activeflows in memory: values in, truth out, whatever order they come in.

VoIPBIN's events come doubled, unordered and sometimes not at all
(https://api.voipbin.net/docs/websocket_overview.html), and a page of its list may be older than an event that came
before it. Promises: an older version never overwrites a newer one; ended is final; in whatever order the same versions
come, the result is the same; what a page proves to be gone goes. It holds what runs, and of what is over only the
latest ids, so that it grows with what runs and not with history.

Decision: versions are ordered by ``updated_at``, then by the number of steps; both only ever grow while one runs.

Beside it: which part of the past was read (``Coverage``), whether events come of what was read (``IndexWriter``), and
what was worked out of each version (``VersionCache``).
"""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar
from uuid import UUID

from bot.activeflows.model import Activeflow, Kind

LONGEST_HISTORY: Final = 128
"""Steps kept of one activeflow: more than VoIPBIN lets it have, so that nothing it sends makes this grow."""
OVERS_REMEMBERED: Final = 20_000
"""Ids of what is over that are remembered, so that a late event does not bring one back."""

Version: TypeAlias = tuple[datetime, int]
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_LEAST: Final = UUID(int=0)


@dataclass(slots=True)
class _Held:
    activeflow: Activeflow
    version: Version
    serial: int
    """When it came in, in the index's own count."""


@dataclass(frozen=True, slots=True)
class ListPart:
    """What a part of VoIPBIN's list held: all of the rows created in [``since``, ``until``)."""

    running: tuple[Activeflow, ...]
    """Also rows created before ``since`` may be among them."""
    over: tuple[UUID, ...]
    since: datetime
    until: datetime
    over_lately: frozenset[UUID] = frozenset()
    """Those that are over since so short a time that an event from before may still come."""
    whole: bool = True
    """False when some row could not be read: then nothing is taken for gone."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one activeflow: ``before`` is ``None`` for a new one, ``after`` when all that is known is that it
    is over.
    """

    activeflow_id: UUID
    before: Activeflow | None
    after: Activeflow | None
    """The version that came; an ended one when an event told how it ended."""

    @property
    def over(self) -> bool:
        return self.after is None or self.after.ended or self.after.deleted_at is not None


class Index:
    """What runs, newest first."""

    def __init__(self, *, overs_remembered: int = OVERS_REMEMBERED) -> None:
        self._overs_remembered = overs_remembered
        self._held: dict[UUID, _Held] = {}
        self._places: list[tuple[datetime, UUID]] = []
        """Oldest first, and in the same order:"""
        self._activeflows: list[Activeflow] = []
        self._newest_first: tuple[Activeflow, ...] | None = None
        """The same the other way round, until that changes."""
        self._kinds: Counter[Kind] = Counter()
        self._over: dict[UUID, None] = {}
        self._serial = 0
        self._ears: list[Callable[[Change], None]] = []

    def listen(self, hear: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``hear`` for each change from now on, at once and in turn: it must be quick, and not raise. Gives what
        ends it.
        """
        self._ears.append(hear)
        return lambda: self._ears.remove(hear)

    def __len__(self) -> int:
        return len(self._held)

    def get(self, activeflow_id: UUID) -> Activeflow | None:
        """Return the latest version of a running one."""
        held = self._held.get(activeflow_id)
        return held.activeflow if held is not None else None

    def newest_first(self) -> tuple[Activeflow, ...]:
        """Return all that run; those of the same moment in the order of their ids. The same object until anything
        changes.
        """
        if self._newest_first is None:
            self._newest_first = tuple(reversed(self._activeflows))
        return self._newest_first

    def kinds(self) -> tuple[Kind, ...]:
        """Return whose they are and of which flows, each once."""
        return tuple(self._kinds)

    def mark(self) -> int:
        """Mark this moment, for ``settle`` and ``unheard_since``."""
        return self._serial

    def wants(self, activeflow_id: UUID, updated_at: datetime | None, steps: int) -> bool:
        """Tell whether ``take`` would change anything. Cheaper to ask than to build an activeflow for nothing."""
        if activeflow_id in self._over:
            return False
        held = self._held.get(activeflow_id)
        return held is None or (updated_at or _BEGINNING, steps) > held.version

    def take(self, activeflow: Activeflow) -> bool:
        """Take in one version, from an event or from a page. True when it changed anything."""
        if activeflow.ended or activeflow.deleted_at is not None:
            return self._over_with(activeflow.id, activeflow)
        steps = len(activeflow.executed)
        if not self.wants(activeflow.id, activeflow.updated_at, steps):
            return False
        if steps > LONGEST_HISTORY:
            activeflow = replace(activeflow, executed=activeflow.executed[-LONGEST_HISTORY:])
        before = self._keep(activeflow, (activeflow.updated_at or _BEGINNING, steps))
        self._tell(Change(activeflow.id, before, activeflow))
        return True

    def _keep(self, activeflow: Activeflow, version: Version) -> Activeflow | None:
        """Keep it in its place, which it keeps for as long as it runs. Gives what was there before."""
        self._serial += 1
        self._newest_first = None
        held = self._held.get(activeflow.id)
        if held is not None and held.activeflow.created_at == activeflow.created_at:
            before, held.activeflow, held.version, held.serial = held.activeflow, activeflow, version, self._serial
            self._activeflows[bisect_left(self._places, _place(activeflow))] = activeflow
            self._count(activeflow, before)
            return before
        before_elsewhere = self._forget(activeflow.id)
        self._held[activeflow.id] = _Held(activeflow, version, self._serial)
        place = _place(activeflow)
        at = bisect_left(self._places, place)
        self._places.insert(at, place)
        self._activeflows.insert(at, activeflow)
        self._count(activeflow, None)
        return before_elsewhere

    def _count(self, more: Activeflow | None, less: Activeflow | None) -> None:
        if more is not None:
            self._kinds[more.kind] += 1
        if less is not None:
            self._kinds[less.kind] -= 1
            if not self._kinds[less.kind]:
                del self._kinds[less.kind]

    def take_away(self, activeflow_id: UUID) -> bool:
        """Take away one that ended or was deleted, for good. True when it was held."""
        return self._over_with(activeflow_id, None)

    def _over_with(self, activeflow_id: UUID, after: Activeflow | None) -> bool:
        self._over[activeflow_id] = None
        while len(self._over) > self._overs_remembered:
            del self._over[next(iter(self._over))]
        before = self._forget(activeflow_id)
        if before is not None:
            self._tell(Change(activeflow_id, before, after))
        return before is not None

    def _tell(self, change: Change) -> None:
        for hear in tuple(self._ears):
            hear(change)

    def settle(self, read: ListPart, mark: int) -> tuple[Activeflow | UUID, ...]:
        """Take in a part of the list that was asked for at ``mark``. Gives what that changed.

        What is held, was created in that part, is not in it and has not been heard of since, is gone: deleted.
        """
        changed: list[Activeflow | UUID] = [activeflow for activeflow in read.running if self.take(activeflow)]
        known = [id_ for id_ in read.over if id_ in self._held or id_ in read.over_lately]
        changed += [id_ for id_ in known if self.take_away(id_)]
        if read.whole:
            seen = {activeflow.id for activeflow in read.running}
            gone = [id_ for id_ in self._between(read.since, read.until, mark) if id_ not in seen]
            changed += [id_ for id_ in gone if self.take_away(id_)]
        return tuple(changed)

    def unheard_since(self, mark: int) -> list[datetime]:
        """Return when those began of which nothing has come in since then, newest first."""
        return [began for began, id_ in reversed(self._places) if self._held[id_].serial <= mark]

    def _between(self, since: datetime, until: datetime, mark: int) -> Iterable[UUID]:
        first, last = bisect_left(self._places, (since, _LEAST)), bisect_left(self._places, (until, _LEAST))
        return [id_ for _, id_ in self._places[first:last] if self._held[id_].serial <= mark]

    def _forget(self, activeflow_id: UUID) -> Activeflow | None:
        held = self._held.pop(activeflow_id, None)
        if held is None:
            return None
        at = bisect_left(self._places, _place(held.activeflow))
        self._newest_first = None
        del self._places[at], self._activeflows[at]
        self._count(None, held.activeflow)
        return held.activeflow


def _place(activeflow: Activeflow) -> tuple[datetime, UUID]:
    return activeflow.created_at or _BEGINNING, activeflow.id


# ---------------------------------------------------------------- coverage
# Track which part of the past has been read, as spans of creation times: what a list may call complete.

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
"""Before everything: a span from here reaches to the end of the list."""


class Span(NamedTuple):
    """Creation times from ``since`` on, before ``until``."""

    since: datetime
    until: datetime


class Coverage:
    """Spans that were read, disjoint and in order."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def add(self, since: datetime, until: datetime) -> None:
        """Add a span that was read; spans that touch become one."""
        if since >= until:
            return
        first = bisect_left(self._spans, since, key=lambda span: span.until)
        last = first
        while last < len(self._spans) and self._spans[last].since <= until:
            since, until = min(since, self._spans[last].since), max(until, self._spans[last].until)
            last += 1
        self._spans[first:last] = [Span(since, until)]

    def holes(self, since: datetime, until: datetime) -> list[Span]:
        """Return what was not read of this span, newest first."""
        return list(self._holes(since, until))[::-1]

    def complete_since(self, until: datetime) -> datetime | None:
        """Return from when on everything created before ``until`` was read: ``until`` itself if nothing; ``None``:
        all of it.
        """
        holes = self.holes(BEGINNING, until)
        return holes[0].until if holes else None

    def share(self, until: datetime) -> float | None:
        """Return the part of the past that was read, from 0 to 1; ``None`` while it is not known how long the past
        is.
        """
        holes = self.holes(BEGINNING, until)
        if not holes:
            return 1.0
        oldest = holes[-1].since
        if oldest == BEGINNING:
            return None
        missing = sum(((hole.until - hole.since) for hole in holes), timedelta(0))
        return 1 - missing / (until - oldest)

    def _holes(self, since: datetime, until: datetime) -> Iterator[Span]:
        for span in self._spans:
            if span.until <= since:
                continue
            if span.since >= until:
                break
            if span.since > since:
                yield Span(since, span.since)
            since = span.until
        if since < until:
            yield Span(since, until)


# ---------------------------------------------------------------- expected
# Notice an event stream that lives and delivers nothing: what a reading told is expected to come as an event, too.
#
# A ping that is answered proves a connection, and nothing about what is published on it
# (https://api.voipbin.net/docs/websocket_overview.html). What proves that something is missing is a change that
# somebody in the bot has read, of an activeflow that is followed, and that does not come within some seconds.


class ExpectedChanges:
    """Changes that were read and have not come yet. ``missed`` is called when one has not come in time."""

    def __init__(self, within: float, missed: Callable[[], None]) -> None:
        """``within``: seconds."""
        self._within, self._missed = within, missed
        self._versions: dict[UUID, datetime] = {}
        self._timers: dict[UUID, asyncio.TimerHandle] = {}

    def read(self, activeflow_id: UUID, updated_at: datetime | None) -> None:
        """Expect a change of then that was read; ``None``: one that has no time, such as being deleted."""
        self._versions[activeflow_id] = updated_at or _BEGINNING
        if activeflow_id not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[activeflow_id] = loop.call_later(self._within, self._overdue)

    def heard(self, activeflow_id: UUID, updated_at: datetime | None) -> None:
        """Note that an event about it came."""
        expected = self._versions.get(activeflow_id)
        if expected is not None and (updated_at or _BEGINNING) >= expected:
            del self._versions[activeflow_id]
            self._timers.pop(activeflow_id).cancel()

    def forget(self) -> None:
        """Expect nothing of what was: the stream has ended."""
        for timer in self._timers.values():
            timer.cancel()
        self._versions.clear()
        self._timers.clear()

    def _overdue(self) -> None:
        self.forget()
        self._missed()


# ---------------------------------------------------------------- learned
# Bring every reading into the index, and expect the events of what it changed.


class IndexWriter:
    """The way of every reading into the index; for events it is ``voipbin.wire.pages.VersionIndex``."""

    def __init__(self, index: Index, doubt: Callable[[], None], told_within: float) -> None:
        """``doubt`` is called when a change that was read does not come as an event ``told_within`` seconds."""
        self._index, self._expected = index, ExpectedChanges(told_within, doubt)
        self.live_since: datetime | None = None
        """Since when events tell of every change; ``None`` while they do not."""

    def learn(self, activeflow: Activeflow) -> None:
        """Take in one of ours that was read."""
        held, since = self._index.get(activeflow.id), self.live_since
        if not self._index.take(activeflow) or since is None:
            return
        began = activeflow.created_at
        if held is not None or (began is not None and began > since):  # else it may have changed before any event
            self._expected.read(activeflow.id, activeflow.updated_at)

    def learn_all(self, rows: Iterable[Activeflow], ours: UUID) -> None:
        """Learn a page of the list; what has ended there and is not held is history."""
        for activeflow in rows:
            if activeflow.customer_id == ours and (not activeflow.ended or self._index.get(activeflow.id) is not None):
                self.learn(activeflow)

    def learn_gone(self, activeflow_id: UUID) -> None:
        """Learn that VoIPBIN was read not to have it any more."""
        if self._index.take_away(activeflow_id) and self.live_since is not None:
            self._expected.read(activeflow_id, None)

    def forget(self) -> None:
        """Expect no event of what was read until now: the stream has ended."""
        self.live_since = None
        self._expected.forget()

    def wants(self, activeflow_id: UUID, updated_at: datetime | None, steps: int) -> bool:
        """Tell whether an event that has come says anything new."""
        self._expected.heard(activeflow_id, updated_at)
        return self._index.wants(activeflow_id, updated_at, steps)

    def get(self, activeflow_id: UUID) -> Activeflow | None:
        return self._index.get(activeflow_id)


# ---------------------------------------------------------------- versions
# Cache what was worked out of each activeflow until there is a newer version of it.

MOST: Final = 100_000
"""Activeflows of which something is remembered."""


class CachedVersion(Protocol):
    """What was worked out of one version of an activeflow."""

    activeflow: Activeflow


V = TypeVar("V", bound=CachedVersion)


class VersionCache(Generic[V]):
    """Hold what was worked out of many activeflows, of each for its newest version."""

    def __init__(self) -> None:
        self._last: dict[int, V] = {}
        """By the activeflow's id."""
        self._by_object: dict[int, V] = {}
        """The same by the object, which C compares; it is held by its version, so that no other one gets its number."""

    def of(self, activeflows: Sequence[Activeflow]) -> list[V | None]:
        """Return what was worked out of each, in the same order; ``None`` for a version that was not looked at yet."""
        return list(map(self._by_object.get, map(id, activeflows)))

    def keep(self, one: V) -> None:
        """Hold this instead of what was held of another version of the same."""
        activeflow = one.activeflow
        before = self._last.get(activeflow.id.int)
        if before is not None:
            self._by_object.pop(id(before.activeflow), None)
        self._last[activeflow.id.int] = self._by_object[id(activeflow)] = one

    def forget_others(self, found: Sequence[V]) -> None:
        """Forget all others once they are too many: a small part of what runs does not push out the rest, until that
        is too much.
        """
        held = len(self._last)
        if held > MOST or (held > len(found) + len(found) // 4 and held <= 2 * len(found)):
            self._last = {one.activeflow.id.int: one for one in found}
            self._by_object = {id(one.activeflow): one for one in found}
