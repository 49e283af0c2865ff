"""Register the watches that this process follows, what was found out about each, and who is woken."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from bot.activeflows.model import Activeflow
from bot.activeflows.watching.pacing import Pacing
from bot.activeflows.watching.watch import Ending, Kept, Known, Watch


@dataclass(slots=True, eq=False)
class Followed:
    """One watch. ``read_at`` is a time of the event loop's clock."""

    watch: Watch
    known: Known
    kept: Known
    """As the ledger remembers it."""
    ending: Ending | None = None
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

    def learn(self, known: Known) -> bool:
        """True when that is worth an edit."""
        changed = replace(known, as_of=self.known.as_of) != self.known
        self.known = known
        return changed


class Board:
    """All of them. ``to_tell`` and ``to_read`` are set when there is something new to do."""

    def __init__(self, pacing: Pacing) -> None:
        self.pacing = pacing
        self.to_tell, self.to_read = asyncio.Event(), asyncio.Event()
        self._by_id: dict[str, Followed] = {}
        self._by_activeflow: dict[UUID, list[Followed]] = {}

    def all(self) -> tuple[Followed, ...]:
        return tuple(self._by_id.values())

    def get(self, watch_id: str) -> Followed | None:
        return self._by_id.get(watch_id)

    def about(self, activeflow_id: UUID) -> tuple[Followed, ...]:
        return tuple(self._by_activeflow.get(activeflow_id, ()))

    def put(self, kept: Kept, clock: float) -> None:
        """Follow it from now on: it is read at once, and what that brings is told."""
        followed = Followed(kept.watch, kept.known, kept.known, kept.ending, closed=kept.ending is not None)
        self._by_id[kept.watch.id] = followed
        self._by_activeflow.setdefault(kept.watch.activeflow_id, []).append(followed)
        self.pacing.add(kept.watch.id, clock, news=False)
        self.to_read.set()
        if kept.ending is not None:
            self.news(followed)

    def drop(self, followed: Followed) -> None:
        self.pacing.drop(followed.watch.id)
        if self._by_id.pop(followed.watch.id, None) is None:
            return
        others = [f for f in self._by_activeflow[followed.watch.activeflow_id] if f is not followed]
        if others:
            self._by_activeflow[followed.watch.activeflow_id] = others
        else:
            del self._by_activeflow[followed.watch.activeflow_id]

    def news(self, followed: Followed) -> None:
        """The card is to say something else."""
        self.pacing.news(followed.watch.id, last=followed.ending is not None)
        self.to_tell.set()

    def end(self, followed: Followed, ending: Ending) -> None:
        """These are to be its last words, unless it has some already."""
        if followed.ending is None:
            followed.ending = ending
            self.news(followed)
