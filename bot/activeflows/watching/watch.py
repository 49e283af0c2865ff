"""Hold the values in the life of a watch: one public card that follows one activeflow until it ends.

A **watch** is who wanted it, where, and until when. What is **known** is the newest version it was told of, with the last
situations before it: an older version never overwrites a newer one. A new situation is another kind of thing, or the same
kind somewhere else (another queue); progress inside one ("3rd lap") changes its words and keeps its time. A **telling** is what its card says at one moment, and an **ending** is the last thing it says.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from bot.activeflows.model import Activeflow
from bot.activeflows.situation.current_step import Situation

MOST_HERE: Final = 20
"""Open watches in one channel."""
MOST: Final = 100
"""Open watches in all."""
LEASE: Final = 15
"""Seconds for which one process follows them all without asking again."""

Version: TypeAlias = tuple[datetime, int]
"""When it last changed, and its steps: both only ever grow while one runs."""
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Watch:
    """Who wanted it, where. ``id`` (128 random bits, hex) is all that its *Unwatch* button carries."""

    id: str
    activeflow_id: UUID
    flow_id: UUID | None
    flow_name: str
    reference_type: str
    began: datetime | None
    """When the activeflow began."""
    channel: str
    by: str
    since: datetime
    until: datetime
    message_ts: str = ""
    """Where the card stands; empty while it is not posted yet."""
    thread: str = ""
    """The thread of the channel in which the card stands."""

    @property
    def short_id(self) -> str:
        return self.activeflow_id.hex[:8]


@dataclass(frozen=True, slots=True)
class Moment:
    """One situation of the trail, and when it was first so, as far as that is known."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Known:
    """The newest version that was told of, in words."""

    version: Version
    kind: str
    now: Moment
    steps: int
    as_of: datetime
    """It was so then."""
    earlier: tuple[Moment, ...] = ()
    """The situations before this one, oldest first."""
    warnings: tuple[str, ...] = ()


class How(StrEnum):
    """How a watch ended. The last five say nothing about the activeflow, which may run on."""

    BY_ITSELF = "by itself"
    STOPPED = "stopped"
    """By a press with this bot."""
    PERHAPS_STOPPED = "perhaps stopped"
    """It ended after a stop was sent with this bot, whose answer was lost."""
    INTERRUPTED = "interrupted"
    """It ended, and not by this bot: the caller hung up, or it was stopped elsewhere."""
    DELETED = "deleted"
    NOT_KNOWN = "not known"
    """It no longer runs, or is not shown any more, and VoIPBIN does not say more."""
    UNWATCHED = "unwatched"
    TOO_LONG = "too long"
    CARD_GONE = "card gone"
    NOT_PERMITTED = "not permitted"
    """Whoever wanted it may not view it here any more."""
    NOT_SET_UP = "not set up"
    """The bot is not set up for its VoIPBIN account any more."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The last thing a card says."""

    how: How
    at: datetime
    """When the activeflow ended, as VoIPBIN says; else when that was noticed."""
    words: str = ""
    """"ended while waiting in queue Support"; for ``NOT_KNOWN`` why."""
    by: str = ""
    """Who pressed *Stop flow*, or *Unwatch*."""

    @property
    def over(self) -> bool:
        """Has the activeflow itself ended?"""
        return self.how not in {How.UNWATCHED, How.TOO_LONG, How.CARD_GONE, How.NOT_PERMITTED, How.NOT_SET_UP}


class Source(StrEnum):
    """Where what a card says comes from."""

    EVENTS = "events"
    """Every change comes as an event."""
    READING = "reading"
    """There is no event stream: it is read every so often."""
    DOWN = "down"
    """There should be one, and it is down or not to be trusted yet: it is read meanwhile."""


@dataclass(frozen=True, slots=True)
class Telling:
    """All that a card says at one moment."""

    watch: Watch
    known: Known
    source: Source
    silent_since: datetime | None = None
    """Since when VoIPBIN has not answered, when it does not."""
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A watch as the ledger has it. With an ``ending`` only its last words are still to be told."""

    watch: Watch
    known: Known
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of an edit. ``gone``: the card is not there any more, or can never be changed again."""

    done: bool
    gone: bool = False
    wait: float = 0.0
    """Seconds that Slack wants to be left alone."""


@dataclass(frozen=True, slots=True)
class Full:
    """No other watch may be begun: there are ``MOST_HERE`` in this channel, or ``MOST`` in all."""

    here: bool


EARLIER: Final = 5
"""Situations kept before the present one."""


def version_of(activeflow: Activeflow) -> Version:
    return activeflow.updated_at or BEGINNING, activeflow.steps_used


def learnt(
    known: Known | None, activeflow: Activeflow, situation: Situation, warnings: tuple[str, ...], as_of: datetime
) -> Known:
    """What is known after this version came, which was so at ``as_of``. An older one changes nothing."""
    version, at = version_of(activeflow), min(activeflow.updated_at or as_of, as_of)
    now = Moment(at, situation.words)
    if known is None:
        return Known(version, situation.kind, now, activeflow.steps_used, as_of, warnings=warnings)
    if version < known.version:
        return known
    earlier = known.earlier
    if version == known.version or _same(known, situation):  # a name that was looked up late is no new situation
        now = replace(now, at=known.now.at)
    else:
        now, earlier = replace(now, at=max(at, known.now.at)), (*earlier, known.now)[-EARLIER:]
    as_of = max(as_of, known.as_of)
    return Known(version, situation.kind, now, activeflow.steps_used, as_of, earlier, warnings)


def _same(known: Known, situation: Situation) -> bool:
    return known.kind == situation.kind and _place(known.now.words) == _place(situation.words)


def _place(words: str) -> str:
    """Without what only progresses: "waiting in queue Support, 3rd time round" is at "waiting in queue Support"."""
    return words.partition(", ")[0]
