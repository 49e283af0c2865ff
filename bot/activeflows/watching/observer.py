"""Observe the watched activeflows, by events and by reading what no event tells, and say how each of them ended.

An event that one ended is VoIPBIN's word; it is read once more all the same, because the reading may know more (that it
was deleted, how far it had come). What is only missing among what runs is read until VoIPBIN says how it ended, or has
been silent about it for too long. Decision: one reading at a time and a second apart, however many watches there are,
so that they never take more than a small share of the requests that everything else needs.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from bot.activeflows.anomalies import AnomalyDetector, WarningSource, by_situation, may_be_stale
from bot.activeflows.errors import NOT_SHOWN, Failure, NotFound, NotOurs
from bot.activeflows.index import Change
from bot.activeflows.model import Activeflow
from bot.activeflows.ports import Records, VoIPBIN
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.queries.resolution import what_it_does
from bot.activeflows.records import Record, RecordKind, RecordQuery
from bot.activeflows.situation.current_step import Situation
from bot.activeflows.stopping.stop import Attribution, PressKind
from bot.activeflows.watching.ports import ActiveflowEvents
from bot.activeflows.watching.watch import (
    CardPace,
    EndingKind,
    Observation,
    StoredWatch,
    Watch,
    WatchEnding,
    WatchPace,
    WatchSource,
    learnt,
    version_of,
)

# ---------------------------------------------------------------- registry
# Register the watches that this process follows, what was found out about each, and who is woken.


@dataclass(slots=True, eq=False)
class FollowedWatch:
    """One watch. ``read_at`` is a time of the event loop's clock."""

    watch: Watch
    known: Observation
    kept: Observation
    """As the ledger remembers it."""
    said: Observation
    """As the card has it, or may have it; what another process wrote down it may have said."""
    ending: WatchEnding | None = None
    closed: bool = False
    """The ending is in the ledger."""
    told: bool = False
    """The last words are on the card."""
    read_at: float | None = None
    caught_up: bool = False
    """It was read since this process follows it."""
    silent_since: datetime | None = None
    gone_since: datetime | None = None
    """Since when it is known not to run any more."""
    final: Activeflow | None = None
    """It has ended, as VoIPBIN said."""
    final_since: datetime | None = None

    def learn(self, known: Observation) -> bool:
        """Take in a version; true when that is worth an edit."""
        changed = replace(known, as_of=self.known.as_of) != self.known
        self.known = known
        return changed


class WatchedActiveflows:
    """All of them. ``to_tell`` and ``to_read`` are set when there is something new to do."""

    def __init__(self, pacing: CardPace) -> None:
        self.pacing = pacing
        self.to_tell, self.to_read = asyncio.Event(), asyncio.Event()
        self._by_id: dict[str, FollowedWatch] = {}
        self._by_activeflow: dict[UUID, list[FollowedWatch]] = {}

    def all(self) -> tuple[FollowedWatch, ...]:
        return tuple(self._by_id.values())

    def get(self, watch_id: str) -> FollowedWatch | None:
        return self._by_id.get(watch_id)

    def about(self, activeflow_id: UUID) -> tuple[FollowedWatch, ...]:
        return tuple(self._by_activeflow.get(activeflow_id, ()))

    def put(self, kept: StoredWatch, clock: float) -> None:
        """Follow it from now on: it is read at once, and what that brings is told."""
        followed = FollowedWatch(
            kept.watch, kept.known, kept.known, kept.known, kept.ending, closed=kept.ending is not None
        )
        self._by_id[kept.watch.id] = followed
        self._by_activeflow.setdefault(kept.watch.activeflow_id, []).append(followed)
        self.pacing.add(kept.watch.id, clock, news=False)
        self.to_read.set()
        if kept.ending is not None:
            self.news(followed)

    def drop(self, followed: FollowedWatch) -> None:
        self.pacing.drop(followed.watch.id)
        if self._by_id.pop(followed.watch.id, None) is None:
            return
        others = [f for f in self._by_activeflow[followed.watch.activeflow_id] if f is not followed]
        if others:
            self._by_activeflow[followed.watch.activeflow_id] = others
        else:
            del self._by_activeflow[followed.watch.activeflow_id]

    def news(self, followed: FollowedWatch) -> None:
        """Have the card say something else."""
        self.pacing.news(followed.watch.id, last=followed.ending is not None)
        self.to_tell.set()

    def end(self, followed: FollowedWatch, ending: WatchEnding) -> None:
        """Give it these last words, unless it has some already."""
        if followed.ending is None:
            followed.ending = ending
            self.news(followed)


# ---------------------------------------------------------------- end reasons
# Say how an activeflow ended, as far as anybody can know, from VoIPBIN and from this bot's own records.
#
# VoIPBIN does not say who ended one. It shows whether it reached its own finish; that a stop of this bot's ended it
# stands in the audit; everything else is said as what it may have been.

_LOOKED_AT: Final = 50
"""Records of one activeflow, newest first."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """Somebody's stop: its doing, perhaps its doing, or still being read back."""

    how: EndingKind
    by: str
    under_way: bool = False


class Endings:
    """Asks the records."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def of(self, activeflow: Activeflow, words: str, noticed: datetime, *, final: bool) -> WatchEnding | None:
        """Return how this one, which has ended, did. ``words``: its situation.

        ``None``: a stop is under way, and its outcome will say more; with ``final`` it is said without it.
        """
        at = activeflow.updated_at or noticed
        if activeflow.ended_by_itself:
            return WatchEnding(EndingKind.BY_ITSELF, at, words)
        entries = await self._records.records(RecordQuery(activeflow_id=activeflow.id, limit=_LOOKED_AT))
        stop = _stop_in([entry.record for entry in entries])
        if stop is None:
            return WatchEnding(EndingKind.INTERRUPTED, at, words)
        if stop.under_way and not final:
            return None
        return WatchEnding(stop.how, at, words, stop.by)


def _stop_in(newest_first: list[Record]) -> _Stop | None:
    concluded: set[str] = set()
    for record in newest_first:
        if record.detail.get("wish") == str(PressKind.HANG_UP):
            continue
        if record.what is RecordKind.OUTCOME:
            concluded.add(record.intent_id)
            stop = _concluded(record)
            if stop is not None:
                return stop
        elif record.what is RecordKind.SENDING and record.intent_id not in concluded:
            return _Stop(EndingKind.PERHAPS_STOPPED, record.who, under_way=True)
    return None


def _concluded(record: Record) -> _Stop | None:
    match record.detail.get("outcome"), record.detail.get("attribution"):
        case "Ended", Attribution.THIS_PRESS:
            return _Stop(EndingKind.STOPPED, record.who)
        case ("Ended", Attribution.UNCERTAIN | Attribution.CALL_UNREAD) | ("NotKnown" | "StillRunning", _):
            return _Stop(EndingKind.PERHAPS_STOPPED, record.who)
        case _:
            return None


# ---------------------------------------------------------------- observer

_HEARD: Final = 1000
"""Events that wait to be taken in. What is dropped is found in the index, or by reading."""
_NOT_SAID: Final = "it no longer runs, and VoIPBIN did not answer how it ended"
_NEVER: Final = float("inf")


class WatchWarnings:
    """Says what is wrong with a watched activeflow, beside what it is doing (``WarningSource``)."""

    def __init__(
        self, voipbin: VoIPBIN, detector: AnomalyDetector, *, pace: WatchPace, now: Callable[[], datetime]
    ) -> None:
        self._voipbin, self._detector, self._pace, self._now = voipbin, detector, pace, now

    async def __call__(self, activeflow: Activeflow, situation: Situation, /) -> tuple[str, ...]:
        call, call_id = None, activeflow.reference.id
        if call_id is not None and may_be_stale(activeflow, self._now()):
            call = (await in_time(partial(self._voipbin.call, call_id), self._pace.side_look)).value
        troubles = self._detector.of(activeflow, situation, self._now(), call=call)
        return tuple(trouble.words for trouble in troubles if trouble.words not in situation.words)


class WatchObserver:
    """Keeps what is known about its ``watched`` activeflows true."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        events: ActiveflowEvents | None,
        records: Records,
        *,
        pace: WatchPace,
        now: Callable[[], datetime],
        warned: WarningSource = by_situation,
    ) -> None:
        self._voipbin, self._events, self._endings = voipbin, events, Endings(records)
        self.watched = WatchedActiveflows(CardPace(pace, asyncio.get_running_loop().time()))
        self._pace, self._now, self._warned = pace, now, warned
        self._heard: deque[tuple[Change, datetime]] = deque(maxlen=_HEARD)
        self._ears = asyncio.Event()

    def source(self, followed: FollowedWatch | None = None) -> WatchSource:
        """Return where what is known comes from, in general or about this one."""
        if self._events is None:
            return WatchSource.READING
        if not self._events.live:
            return WatchSource.DOWN
        held = followed is None or self._events.index.get(followed.watch.activeflow_id) is not None
        return WatchSource.EVENTS if held else WatchSource.READING

    # ---------------------------------------------------------------- events

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of what changes for as long as the block lasts."""
        deaf = self._events.index.listen(self._hear) if self._events is not None else lambda: None
        try:
            yield
        finally:
            deaf()

    def _hear(self, change: Change) -> None:
        if self.watched.about(change.activeflow_id):
            self._heard.append((change, self._now()))
            self._ears.set()

    async def take_in(self) -> None:
        """Take in what was heard, in its order; waits for it."""
        await self._ears.wait()
        self._ears.clear()
        while self._heard:
            change, at = self._heard.popleft()
            for followed in self.watched.about(change.activeflow_id):
                await self._take(followed, change, at)

    async def _take(self, followed: FollowedWatch, change: Change, at: datetime) -> None:
        if not change.over and change.after is not None:
            await self._learn(followed, change.after, at)
            return
        if change.after is not None and change.after.ended:
            followed.final = change.after
        followed.gone_since, followed.read_at = followed.gone_since or at, None
        self.watched.to_read.set()

    async def catch_up(self, followed: FollowedWatch) -> None:
        """Catch up just before it is told: what the index knows, it knows as of now. Wakes nobody."""
        if self._events is None or self.source(followed) is not WatchSource.EVENTS or followed.ending is not None:
            return
        held, at = self._events.index.get(followed.watch.activeflow_id), self._now()
        if held is not None:
            await self._learnt(followed, held, at)

    async def _learn(self, followed: FollowedWatch, activeflow: Activeflow, as_of: datetime) -> None:
        if await self._learnt(followed, activeflow, as_of):
            self.watched.news(followed)

    async def _learnt(self, followed: FollowedWatch, activeflow: Activeflow, as_of: datetime) -> bool:
        """Learn a version, and tell whether that is worth an edit."""
        doing = await what_it_does(self._voipbin, activeflow, within=self._pace.side_look)
        warnings = await self._warned(activeflow, doing.situation)
        if followed.ending is not None:
            return False
        spoken_again, followed.silent_since = followed.silent_since is not None, None
        known = learnt(followed.known, activeflow, doing.situation, warnings, as_of)
        return followed.learn(known) or spoken_again

    # ---------------------------------------------------------------- reading

    async def read_next(self) -> None:
        """Read the one that has waited longest, when it is time; waits for that."""
        self.watched.to_read.clear()
        clock = asyncio.get_running_loop().time()
        due, _, followed = min(
            ((self._due(followed), followed.watch.id, followed) for followed in self.watched.all()),
            default=(_NEVER, "", None),
            key=lambda waiting: waiting[:2],
        )
        if followed is None or due > clock:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(due - clock, 1.0) if followed is not None else None):
                    await self.watched.to_read.wait()
            return
        followed.read_at = clock
        if self.source(followed) is WatchSource.EVENTS and followed.final is None:
            await self.catch_up(followed)
            self.watched.news(followed)
            return
        await self._read(followed)
        await asyncio.sleep(1 / self._pace.reads)

    def _due(self, followed: FollowedWatch) -> float:
        if followed.ending is not None:
            return _NEVER
        if followed.read_at is None:
            return 0.0
        if followed.final is None and self.source(followed) is WatchSource.EVENTS:
            return _NEVER
        return followed.read_at + (self._pace.read_every if followed.final is None else 1.0)

    async def _read(self, followed: FollowedWatch) -> None:
        as_of = self._now()
        if followed.final_since is not None and followed.final is not None:  # only its ending is still asked about
            await self._conclude(followed, followed.final, as_of)
            return
        try:
            read = await self._voipbin.activeflow(followed.watch.activeflow_id)
        except NotFound:
            self.watched.end(followed, WatchEnding(EndingKind.DELETED, as_of))
        except NotOurs:
            self.watched.end(followed, WatchEnding(EndingKind.NOT_KNOWN, as_of, NOT_SHOWN))
        except Failure:
            await self._unread(followed, as_of)
        else:
            await self._was_read(followed, read, as_of)

    async def _was_read(self, followed: FollowedWatch, read: Activeflow, as_of: datetime) -> None:
        if not followed.caught_up:
            followed.caught_up = True
            self.watched.news(followed)
        if read.ended or followed.final is not None:  # a copy that is older than the event does not undo it
            await self._conclude(followed, read if read.ended else followed.final or read, as_of)
        elif read.deleted_at is not None:
            self.watched.end(followed, WatchEnding(EndingKind.DELETED, read.deleted_at))
        else:
            followed.gone_since = None
            await self._learn(followed, read, as_of)

    async def _unread(self, followed: FollowedWatch, as_of: datetime) -> None:
        if followed.final is not None:
            await self._conclude(followed, followed.final, as_of)
            return
        if followed.silent_since is None:
            followed.silent_since = as_of
            self.watched.news(followed)
        gone = followed.gone_since
        if gone is not None and as_of - gone >= timedelta(seconds=self._pace.give_up):
            self.watched.end(followed, WatchEnding(EndingKind.NOT_KNOWN, gone, _NOT_SAID))

    async def _conclude(self, followed: FollowedWatch, ended: Activeflow, as_of: datetime) -> None:
        followed.final, followed.final_since = ended, followed.final_since or as_of
        doing = await what_it_does(self._voipbin, ended, within=self._pace.side_look)
        late = as_of - followed.final_since >= timedelta(seconds=self._pace.settle)
        ending = await self._endings.of(ended, doing.situation.words, followed.final_since, final=late)
        if ending is not None and followed.ending is None:
            version = max(version_of(ended), followed.known.version)
            steps = max(ended.steps_used, followed.known.steps)
            followed.known = replace(followed.known, version=version, steps=steps, warnings=())
            self.watched.end(followed, ending)
