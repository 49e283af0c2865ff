"""Hold the values in the life of a watch, a public card that follows one activeflow until it ends; and pace its edits.

A **watch** is who wanted it, where, and until when. What is **known** is the newest version it was told of, with the
last situations before it: an older version never overwrites a newer one. A new situation is another kind of thing, or
the same kind somewhere else (another queue); progress inside one ("3rd lap") changes its words and keeps its time. The
**content** of its card is what that says at one moment, and an **ending** is the last thing it says.
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
class TrailEntry:
    """One situation of the trail, and when it was first so, as far as that is known."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Observation:
    """The newest version that was told of, in words."""

    version: Version
    kind: str
    now: TrailEntry
    steps: int
    as_of: datetime
    """It was so then."""
    earlier: tuple[TrailEntry, ...] = ()
    """The situations before this one, oldest first."""
    warnings: tuple[str, ...] = ()


class EndingKind(StrEnum):
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
class WatchEnding:
    """The last thing a card says."""

    how: EndingKind
    at: datetime
    """When the activeflow ended, as VoIPBIN says; else when that was noticed."""
    words: str = ""
    """"ended while waiting in queue Support"; for ``NOT_KNOWN`` why."""
    by: str = ""
    """Who pressed *Stop flow*, or *Unwatch*."""

    @property
    def over(self) -> bool:
        """Has the activeflow itself ended?"""
        return self.how not in {
            EndingKind.UNWATCHED,
            EndingKind.TOO_LONG,
            EndingKind.CARD_GONE,
            EndingKind.NOT_PERMITTED,
            EndingKind.NOT_SET_UP,
        }


class WatchSource(StrEnum):
    """Where what a card says comes from."""

    EVENTS = "events"
    """Every change comes as an event."""
    READING = "reading"
    """There is no event stream: it is read every so often."""
    DOWN = "down"
    """There should be one, and it is down or not to be trusted yet: it is read meanwhile."""


@dataclass(frozen=True, slots=True)
class WatchCardContent:
    """All that a card says at one moment."""

    watch: Watch
    known: Observation
    source: WatchSource
    silent_since: datetime | None = None
    """Since when VoIPBIN has not answered, when it does not."""
    ending: WatchEnding | None = None


@dataclass(frozen=True, slots=True)
class StoredWatch:
    """A watch as the ledger has it. With an ``ending`` only its last words are still to be told."""

    watch: Watch
    known: Observation
    ending: WatchEnding | None = None


@dataclass(frozen=True, slots=True)
class WatchCardEdit:
    """What became of an edit. ``gone``: the card is not there any more, or can never be changed again."""

    done: bool
    gone: bool = False
    wait: float = 0.0
    """Seconds that Slack wants to be left alone."""
    unsure: bool = False
    """It may be done all the same."""


@dataclass(frozen=True, slots=True)
class WatchLimit:
    """No other watch may be begun: there are ``MOST_HERE`` in this channel, or ``MOST`` in all."""

    here: bool


EARLIER: Final = 5
"""Situations kept before the present one."""


def version_of(activeflow: Activeflow) -> Version:
    return activeflow.updated_at or BEGINNING, activeflow.steps_used


def learnt(
    known: Observation | None, activeflow: Activeflow, situation: Situation, warnings: tuple[str, ...], as_of: datetime
) -> Observation:
    """Return what is known after this version came, which was so at ``as_of``. An older one changes nothing."""
    version, at = version_of(activeflow), min(activeflow.updated_at or as_of, as_of)
    now = TrailEntry(at, situation.words)
    if known is None:
        return Observation(version, situation.kind, now, activeflow.steps_used, as_of, warnings=warnings)
    if version < known.version:
        return known
    earlier = known.earlier
    if version == known.version or _same(known, situation):  # a name that was looked up late is no new situation
        now = replace(now, at=known.now.at)
    else:
        now, earlier = replace(now, at=max(at, known.now.at)), (*earlier, known.now)[-EARLIER:]
    as_of = max(as_of, known.as_of)
    return Observation(version, situation.kind, now, activeflow.steps_used, as_of, earlier, warnings)


def _same(known: Observation, situation: Situation) -> bool:
    return known.kind == situation.kind and _place(known.now.words) == _place(situation.words)


def _place(words: str) -> str:
    """Return the place without what only progresses: "waiting in queue Support, 3rd time round" is at "waiting in
    queue Support".
    """
    return words.partition(", ")[0]


# ---------------------------------------------------------------- pacing
# Decide when which card may be edited. Pure: nothing here waits.
#
# ``chat.update`` is granted 50 times a minute to a whole workspace (https://docs.slack.dev/apis/web-api/rate-limits),
# and a card that changes more often than every few seconds cannot be read. Promises: the first news of a card is due at
# once; then a card is edited at most every ``card_every`` seconds, and all together never more than ``burst + rate x
# t`` times in any t seconds; who has been due for the longest is next, last words before all others; without news a
# card is due once in ``heartbeat``, so that the age it says stays true; after a 429 nobody is due for as long as Slack
# asked; a card that cannot be edited waits twice as long each time, up to ``again_at_most``.

_NEARLY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class WatchPace:
    """Seconds, and how many in one. Thirty edits a minute leave the rest of Slack's fifty to the stop cards."""

    card_every: float = 3.0
    rate: float = 0.5
    burst: float = 5.0
    heartbeat: float = 60.0
    again: float = 10.0
    """Before a card whose edit failed is tried again, the first time."""
    again_at_most: float = 300.0
    read_every: float = 10.0
    """Between two readings of one activeflow, where no events come."""
    reads: float = 1.0
    """Readings a second, for all watches together."""
    permit_every: float = 10.0
    """Between two looks whether their watchers may still view; before anything is told, it is looked at anyway."""
    look_every: float = 2.0
    """Between two looks into the ledger for watches that were begun or ended elsewhere."""
    settle: float = 20.0
    """How long the outcome of a stop that is under way is waited for before the end is told without it."""
    give_up: float = 300.0
    """How long it is asked how one ended that no longer runs."""
    side_look: float = 1.5
    """For names."""
    lasts: float = 24 * 3600.0
    """After so long a watch ends by itself."""


@dataclass(slots=True)
class _Card:
    edited_at: float
    not_before: float
    news: bool
    last: bool = False
    failures: int = 0
    """In a row."""


class CardPace:
    """The cards that are followed, by id."""

    def __init__(self, pace: WatchPace, now: float) -> None:
        self._pace = pace
        self._cards: dict[str, _Card] = {}
        self._tokens, self._as_of, self._closed_until = pace.burst, now, now

    def add(self, id_: str, now: float, *, news: bool) -> None:
        """Follow a card from now on; when it was edited last is not known, so its first news is due at once."""
        self._cards[id_] = _Card(now - self._pace.card_every, now, news)

    def drop(self, id_: str) -> None:
        self._cards.pop(id_, None)

    def news(self, id_: str, *, last: bool = False) -> None:
        """Note that there is something new to say; ``last``: for the last time."""
        card = self._cards.get(id_)
        if card is not None:
            card.news, card.last = True, card.last or last

    def edited(self, id_: str, now: float) -> None:
        """Note that an edit was tried, until now."""
        card = self._cards.get(id_)
        if card is not None:
            card.edited_at = now

    def succeeded(self, id_: str) -> None:
        """Note that it was edited: the next failure is a first one."""
        card = self._cards.get(id_)
        if card is not None:
            card.failures = 0

    def failed(self, id_: str, now: float) -> None:
        """Note that it was not edited: what it was to say is still news."""
        card = self._cards.get(id_)
        if card is not None:
            pause = min(self._pace.again * 2.0 ** min(card.failures, 16), self._pace.again_at_most)
            card.failures += 1
            card.news, card.edited_at, card.not_before = True, now, now + pause

    def refused(self, now: float, seconds: float) -> None:
        """Note that Slack said 429."""
        self._fill(now)
        self._tokens = min(self._tokens, 1.0)
        self._closed_until = max(self._closed_until, now + seconds)

    def wait(self, now: float) -> float | None:
        """Return the seconds until ``next`` may give a card; ``None`` while there is none at all."""
        if not self._cards:
            return None
        self._fill(now)
        token = max(0.0, 1 - self._tokens) / self._pace.rate
        due = min(self._due(card) for card in self._cards.values()) - now
        return max(due, token, self._closed_until - now, 0.0)

    def next(self, now: float) -> str | None:
        """Return the card whose turn it is: what it says next counts as told."""
        self._fill(now)
        due = [(not card.last, self._due(card), id_) for id_, card in self._cards.items() if self._due(card) <= now]
        if not due or now < self._closed_until or self._tokens < 1 - _NEARLY:
            return None
        id_ = min(due)[2]
        self._tokens -= 1
        self._cards[id_].news, self._cards[id_].edited_at = False, now
        return id_

    def _due(self, card: _Card) -> float:
        pause = self._pace.card_every if card.news else self._pace.heartbeat
        return max(card.edited_at + pause, card.not_before)

    def _fill(self, now: float) -> None:
        gained = max(now - self._as_of, 0.0) * self._pace.rate
        self._tokens, self._as_of = min(self._pace.burst, self._tokens + gained), max(now, self._as_of)
