"""Hold what is recorded of every stop, before and after it: who, where, what was seen, why, and what became.

Records name people by Slack id and activeflows by id only; ``detail`` holds words and numbers, never a phone number,
a text, a credential or a URL. The ledger chains each to the one before (``bot.ledger.audit``). How many refusals of one
person are written down is bounded.
"""

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, TypeAlias
from uuid import UUID


class RecordKind(StrEnum):
    """The kinds of record, in the order of a stop's life."""

    ASKED = "asked"  # a stop card was posted; nothing is stopped yet
    PRESSED = "pressed"  # somebody pressed Stop flow and was allowed
    REFUSED = "refused"  # somebody asked or pressed and was not allowed, or it was too late
    MOVED = "moved"  # it had moved to another kind of situation; asked once more
    SENDING = "sending"  # written before each POST: from here on it may have happened
    OUTCOME = "outcome"  # how it ended, read back
    CANCELLED = "cancelled"  # the card was put away
    ABORTED = "aborted"  # a bulk stop was told to go no further
    SEARCHED = "searched"  # somebody looked for telephone numbers
    REVEALED = "revealed"  # somebody was shown a caller or a text, unmasked
    CHOSE = "chose"  # somebody chose whether to be mentioned when their stop is not known
    POLICY = "policy"  # another policy than before is in force
    PRUNED = "pruned"  # the oldest records were cut off


Detail: TypeAlias = Mapping[str, str | int | bool | None]


def in_thread(detail: Detail, thread: str) -> Detail:
    """Add the thread where it happened, if it was in one."""
    return {**detail, "thread": thread} if thread else detail


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened. ``key`` makes writing it twice the same as once."""

    key: str
    at: datetime
    what: RecordKind
    who: str
    channel: str
    activeflow_id: UUID | None
    intent_id: str = ""
    reason: str = ""
    detail: Detail = field(default_factory=dict)
    account: str = ""
    """The VoIPBIN account it is about, by its name in the settings; empty where the bot has one only, and for the bot's
    own.
    """


class Card(Protocol):
    """What a record has of a stop card, be it of one activeflow or of many."""

    @property
    def id(self) -> str: ...

    @property
    def reason(self) -> str: ...

    @property
    def activeflow_id(self) -> UUID | None:
        """``None``: it is about many."""
        ...

    @property
    def bulk_id(self) -> str:
        """The bulk stop that it is, or is a member of; empty for a lone one."""
        ...


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, and where."""

    who: str
    channel: str
    thread: str = ""


def record_on(
    card: Card, what: RecordKind, at: datetime, actor: Actor, /, *, key: str = "", **detail: str | int | bool | None
) -> Record:
    """Return a record of what somebody did on this card. Its key is the card and the kind, unless there is a finer
    one.
    """
    if card.bulk_id:
        detail["bulk"] = card.bulk_id
    return Record(
        key=key or f"{card.id}/{what}",
        at=at,
        what=what,
        who=actor.who,
        channel=actor.channel,
        activeflow_id=card.activeflow_id,
        intent_id=card.id,
        reason=card.reason,
        detail=in_thread(detail, actor.thread),
    )


@dataclass(frozen=True, slots=True)
class ChainedRecord:
    """A record in the chain. ``receipt``: its number and the first 10 hex digits of its hash, ``12:0f3c2a9b1d``.

    ``new``: it was not there before.
    """

    seq: int
    receipt: str
    new: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as read back from the chain."""

    seq: int
    record: Record
    receipt: str


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which records of an account, and of the bot itself: ``None`` means any. Newest first, ``limit`` at most, older
    than ``before_seq``.

    With ``after_seq``: those next to it that are newer, also newest first.
    """

    who: str | None = None
    what: RecordKind | None = None
    kinds: tuple[RecordKind, ...] | None = None
    """Any of these."""
    keys: tuple[str, ...] | None = None
    activeflow_id: UUID | None = None
    activeflow_prefix: str | None = None
    since: datetime | None = None
    before_seq: int | None = None
    after_seq: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain went at some time: whoever keeps it outside can prove that nothing was cut off since."""

    seq: int
    hash: str
    """64 hex digits; of one that somebody typed, the first 10 at least."""

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


# ---------------------------------------------------------------- refusals
# Bound how many refusals of one person are written down, so that nobody fills the database by trying on.
#
# So many in a minute say who tries what. What goes beyond is counted, and said in one line of the log.

EACH: Final = 3
OFFERS: Final = 10
"""Refusals of one person with *Ask someone who can*."""
WITHIN: Final = 60.0
_MOST: Final = 10_000
"""People whose last acts are known; those who did nothing for the longest time are forgotten first."""


class RecentActions:
    """What each person did within the last ``within`` seconds, up to ``each``."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, each: int = EACH, within: float = WITHIN
    ) -> None:
        self._clock, self._each, self._within = clock, each, within
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, who: str) -> None:
        self._times.setdefault(who, deque(maxlen=self._each)).append(self._clock())
        self._times.move_to_end(who)
        if len(self._times) > _MOST:
            self._times.popitem(last=False)

    def many(self, who: str) -> bool:
        """Tell whether they did it as often as ``each``."""
        times = self._times.get(who)
        return times is not None and len(times) == self._each and self._clock() - times[0] < self._within


class RefusalBound:
    """Says which refusals are written down, and counts the others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._written, self._offered = RecentActions(clock), RecentActions(clock, each=OFFERS)
        self._unwritten: Counter[str] = Counter()

    def has_room(self, who: str) -> bool:
        """Tell whether one more of this person is to be written down. Else it is counted."""
        if self._written.many(who):
            self.count(who)
            return False
        self._written.note(who)
        return True

    def has_room_for_an_offer(self, who: str) -> bool:
        """Tell whether one more of this person's is to be offered to others. Each offer is a draft in the ledger."""
        if self._offered.many(who):
            return False
        self._offered.note(who)
        return True

    def count(self, who: str) -> None:
        """Count one that is not written down."""
        self._unwritten[who] += 1

    def counted(self) -> dict[str, int]:
        """Return how many of each person were not written down since this was asked last."""
        counted, self._unwritten = dict(self._unwritten), Counter()
        return counted
