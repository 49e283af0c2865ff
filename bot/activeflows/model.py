"""Hold what VoIPBIN tells about a running flow, in its own words, as values that cannot change; and write durations.

Peculiarities of the wire end in ``bot.voipbin``: here a zero UUID is ``None``, a time is an aware UTC ``datetime``, and
an action's ``option`` holds only what may be shown to a person (``bot.voipbin.wire.answers`` drops the rest: phone
numbers, texts, web addresses). Source: https://api.voipbin.net/docs/activeflow_overview.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

START_ID: Final = UUID(int=1)
"""Marker action: created, nothing has been executed yet."""
FINISH_ID: Final = UUID(int=2)
"""Marker action: the flow ran to its own end (a stopped one keeps the interrupted action instead)."""
STEP_BUDGET: Final = 101
"""VoIPBIN refuses the move after this many steps and ends the activeflow."""
NO_NAME: Final = "Activeflow without a known flow"


def number_of(id_: UUID | None) -> int:
    """Return the id as a number, 0 for none: a UUID is hashed and compared in Python, its number in C. For loops
    over thousands.
    """
    return 0 if id_ is None else id_.int


class Status(StrEnum):
    """`running` means "not ended", not "doing something". `ended` is final."""

    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown"  # absent on rows older than the column, or a word this bot does not know


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a flow. ``type`` is empty for the start and finish markers."""

    id: UUID
    type: str = ""
    option: Mapping[str, str | int | bool] = field(default_factory=dict)
    """The showable part: ids, counts (``stream_urls``: 2), durations as VoIPBIN gives them, languages, keys."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What an activeflow runs for: ``type`` is VoIPBIN's word (``call``, ``conversation``, …), empty when none."""

    type: str = ""
    id: UUID | None = None

    @property
    def is_call(self) -> bool:
        """True when stopping the activeflow hangs up on a person."""
        return self.type == "call"


Kind: TypeAlias = tuple[UUID | None, UUID | None]
"""Whose an activeflow is, and of which flow: all that says whether somebody may see it."""


@dataclass(frozen=True, slots=True)
class Activeflow:
    """A running (or ended) instance of a flow."""

    id: UUID
    customer_id: UUID | None
    flow_id: UUID | None
    status: Status
    reference: Reference
    current: Action
    executed: tuple[Action, ...] = ()
    """Oldest first, without the current one."""
    parent_id: UUID | None = None
    """The activeflow whose completion started this one (``reference_activeflow_id``)."""
    on_complete_flow_id: UUID | None = None
    """The flow that starts when this one ends."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    """Last change of step or status."""
    deleted_at: datetime | None = None

    @property
    def kind(self) -> Kind:
        return self.customer_id, self.flow_id

    @property
    def ended(self) -> bool:
        return self.status is Status.ENDED

    @property
    def running(self) -> bool:
        """Not ended: an unreadable status counts as running, so that nobody is told a caller is gone who is not."""
        return not self.ended

    @property
    def ended_by_itself(self) -> bool:
        """True when it reached its own finish; a stopped one keeps the interrupted action."""
        return self.ended and self.current.id == FINISH_ID

    @property
    def steps_used(self) -> int:
        return len(self.executed)

    @property
    def short_id(self) -> str:
        """The first 8 hex digits, as shown everywhere."""
        return self.id.hex[:8]

    def age(self, now: datetime) -> timedelta | None:
        """Return how long it lives already; ``None`` when VoIPBIN did not say when it began."""
        return None if self.created_at is None else max(now - self.created_at, timedelta(0))


@dataclass(frozen=True, slots=True)
class Flow:
    """The definition an activeflow was started from, as it is now (the activeflow runs a copy made at its start)."""

    id: UUID
    name: str
    action_ids: frozenset[UUID] = frozenset()
    on_complete_flow_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a call. ``target`` (a number, an address) is personal: show it through ``numbers.masked`` only."""

    type: str
    target: str = field(repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """The telephone call an activeflow runs for."""

    id: UUID
    activeflow_id: UUID | None
    status: str
    """dialing, ringing, progressing, terminating, canceling or hangup."""
    direction: str
    """incoming or outgoing."""
    source: Party
    destination: Party
    created_at: datetime | None = None
    answered_at: datetime | None = None
    hangup_at: datetime | None = None
    hangup_reason: str = ""
    master_id: UUID | None = None
    """The call that placed this one, as a leg of its own."""

    @property
    def over(self) -> bool:
        return self.status == "hangup"

    @property
    def hanging_up(self) -> bool:
        return self.status in {"terminating", "canceling"}

    @property
    def caller(self) -> Party:
        """The person outside: who called, or who was called."""
        return self.source if self.direction != "outgoing" else self.destination


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A text that a step spoke. Personal: it is shown by ``queries.details`` only."""

    text: str = field(repr=False)
    current: bool
    """The activeflow is at this step now."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose VoIPBIN account the bot's credential belongs to."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """How a picture that is kept in memory is kept true."""

    live: bool
    """Every change since it was read has come as an event."""
    down_since: datetime | None = None
    """Since when there is no event stream, or none that can be trusted yet."""
    read: float | None = None
    """The part of the past that was read, from 0 to 1; ``None`` while it is not known how long the past is."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a look at the list of activeflows found, with how fresh and how complete it is."""

    activeflows: tuple[Activeflow, ...]
    """Newest first, running and ended, each id once."""
    as_of: datetime
    """When the look began: nothing that changed later is promised to be in it."""
    complete_since: datetime | None
    """Everything created at or after this instant was read; ``None`` when everything there is was read."""
    stopped_because: str = ""
    """Why it does not go further back: empty when it does, else ``reading`` (it is still being read), ``pages``,
    ``time``, ``busy`` (VoIPBIN asked to slow down), ``failed`` (VoIPBIN stopped answering) or ``ties`` (more of one
    microsecond than VoIPBIN gives on a page).
    """
    unreadable: int = 0
    """How many entries of the list could not be read, and so are in no other number."""
    freshness: Freshness | None = None
    """``None`` for one look, at ``as_of``."""
    kinds: tuple[Kind, ...] | None = None
    """All that are among them, where that is known without a look at each."""


def name_of(flow_name: str | None) -> str:
    """Return what an activeflow is called: its flow's name, when that is known."""
    return flow_name or NO_NAME


# ---------------------------------------------------------------- ages
# Write durations as people read them ("1 h 12 min"), and read them as people type them ("10m").
#
# Both round down: an age is never said to be longer than it is.

_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_UNITS: Final = {"d": _DAY, "h": _HOUR, "m": _MINUTE, "s": _SECOND}
_TYPED: Final = re.compile(
    r"(?:(?P<d>\d{1,5})d)?(?:(?P<h>\d{1,6})h)?(?:(?P<m>\d{1,7})m)?(?:(?P<s>\d{1,9})s)?", re.ASCII
)


def in_words(duration: timedelta) -> str:
    """Say a duration for reading: "under 1 s", "8 s", "4 min", "1 h 12 min", "2 d". Negative durations (skewed
    clocks) count as none.
    """
    if duration < _SECOND:
        return "under 1 s"
    if duration < _MINUTE:
        return f"{duration // _SECOND} s"
    if duration < _HOUR:
        return f"{duration // _MINUTE} min"
    if duration < _DAY:
        minutes = duration % _HOUR // _MINUTE
        return f"{duration // _HOUR} h" + (f" {minutes} min" if minutes else "")
    return f"{duration // _DAY} d"


def as_typed(duration: timedelta) -> str:
    """Write a duration for typing: "90s", "10m", "2h", "3d", in the largest unit that says it exactly; parts of a
    second are dropped.
    """
    if duration < _SECOND:
        return "0s"
    whole = duration // _SECOND * _SECOND
    return next(f"{whole // unit}{letter}" for letter, unit in _UNITS.items() if not whole % unit)


def from_typed(text: str) -> timedelta | None:
    """Read a duration that somebody typed, also "1h30m"; ``None`` when it is none."""
    found = _TYPED.fullmatch(text.strip().lower())
    if found is None or not text.strip():
        return None
    return sum((int(number) * _UNITS[letter] for letter, number in found.groupdict().items() if number), timedelta(0))
