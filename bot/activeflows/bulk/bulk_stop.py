"""Hold the values of a bulk stop: its activeflows, who asked and pressed, and what became of each.

A **bulk** is a list, frozen when it was asked for: what begins later is never touched. Each **member** of it is stopped
as a lone one would be, under an intent and a press of its own that are derived from the bulk's, so that the one claim
per activeflow and the one POST per record hold between lone and bulk stops, too. A **run** is what became of it so far.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.inspection import ShownState
from bot.activeflows.stopping.authorization import CardTerms
from bot.activeflows.stopping.stop import CallAfter, Intent, Press, PressKind


@dataclass(frozen=True, slots=True)
class Member:
    """One activeflow of the list, as it was seen when the list was frozen. ``number`` counts from 1."""

    number: int
    activeflow_id: UUID
    flow_id: UUID | None
    flow_name: str
    kind: str
    words: str
    reference_type: str
    created_at: datetime | None
    call_id: UUID | None = None
    on_complete: str = ""
    """Name (else the short id) of the flow that starts when this one ends; empty when none does."""
    circle: tuple[UUID, ...] = ()
    """As in ``ShownState``."""

    @property
    def short_id(self) -> str:
        return self.activeflow_id.hex[:8]

    @property
    def is_call(self) -> bool:
        return self.reference_type == "call"


@dataclass(frozen=True, slots=True)
class MemberGroup:
    """Members of one flow in one kind of situation; ``words`` are those of the first."""

    flow_name: str
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What fitted and is not in the list, in numbers; ``uncertain``: ids of those whose situation was only probable."""

    uncertain: tuple[UUID, ...] = ()
    hidden: int = 0
    """Of flows that the asker may not stop in bulk."""
    unnamed: int = 0
    """Perhaps fitting: the name of the flow could not be read."""
    newer: int = 0
    """More than are allowed at once: only the oldest are in the list."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """One bulk stop card. ``id`` (128 random bits, hex) is all that its buttons carry."""

    id: str
    filters: Filters
    members: tuple[Member, ...]
    asked_by: str
    channel: str
    reason: str
    asked_at: datetime
    deadline: datetime
    """Nobody can press after it."""
    as_of: datetime
    complete_since: datetime | None
    """As in ``Picture``."""
    left: Exclusions = field(default_factory=Exclusions)
    sample: tuple[str, ...] = ()
    """A few members in words, callers masked."""
    second_person: bool = False
    """As the rules were when it was asked for; the press is decided by the rules of its moment."""
    on_behalf: bool = False
    """Asked for by somebody who may not stop in bulk: what they may see is listed, and only another's press counts."""
    limit: int = 0
    message_ts: str = ""
    thread: str = ""
    """As in ``Intent``."""

    def late(self, now: datetime) -> bool:
        return now >= self.deadline

    @property
    def activeflow_id(self) -> None:
        """For a record: it is about many."""
        return None

    @property
    def bulk_id(self) -> str:
        return self.id

    @property
    def callers(self) -> int:
        return sum(member.is_call for member in self.members)

    @property
    def began(self) -> tuple[datetime, datetime] | None:
        """When the oldest and the newest began; ``None`` when VoIPBIN did not say."""
        times = [member.created_at for member in self.members if member.created_at is not None]
        return (min(times), max(times)) if times else None

    def followers(self) -> tuple[tuple[str, int], ...]:
        """Return the flows that start when the members end, and how many times each; the most often first."""
        return tuple(Counter(member.on_complete for member in self.members if member.on_complete).most_common())

    def groups(self) -> tuple[MemberGroup, ...]:
        """Group the members by flow and kind of situation, the largest first."""
        return grouped(self.members)


def grouped(members: tuple[Member, ...]) -> tuple[MemberGroup, ...]:
    counts = Counter((member.flow_id, member.kind) for member in members)
    firsts = {(member.flow_id, member.kind): member for member in reversed(members)}
    return tuple(MemberGroup(firsts[key].flow_name, firsts[key].words, count) for key, count in counts.most_common())


class MemberOutcome(StrEnum):
    """What became of a member."""

    LEFT = "left"  # nothing was begun
    STOPPED = "stopped"  # a stop was sent, and it was read back as ended
    ALREADY = "already ended"  # before anything was sent, or by itself in that moment
    MOVED = "moved on"  # to another kind of situation: skipped
    TAKEN = "taken"  # somebody else is stopping it
    GONE = "gone"  # VoIPBIN no longer has this activeflow
    UNKNOWN = "not known"
    RUNNING = "still running"  # a stop was sent and had no effect
    NOT_SENT = "not sent"
    NOT_PERMITTED = "not permitted"  # not open to whoever pressed, at the press or when its turn came
    ABORTED = "aborted"
    LATE = "late"


OVER: Final = frozenset({MemberOutcome.STOPPED, MemberOutcome.ALREADY, MemberOutcome.GONE})
"""Certainly not running any more."""
MAY_RUN: Final = frozenset({MemberOutcome.UNKNOWN, MemberOutcome.RUNNING})
"""A stop was sent; what is said of them is so by now."""
SKIPPED: Final = frozenset({MemberOutcome.ALREADY, MemberOutcome.GONE, MemberOutcome.MOVED, MemberOutcome.TAKEN})
"""Nothing was sent, for a reason that says nothing about the next one."""
NO_FURTHER: Final = frozenset({MemberOutcome.ABORTED, MemberOutcome.LATE, MemberOutcome.NOT_PERMITTED})
"""Those after it will not be stopped either."""


_THERE: Final = frozenset({"up", "unknown"})
"""States of a call (``CallAfter``) whose caller may still be on the line."""


class BulkState(StrEnum):
    """``open`` can be pressed; ``stopping`` and ``aborting`` belong to one press; the others are over."""

    OPEN = "open"
    STOPPING = "stopping"
    ABORTING = "aborting"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Origin:
    """What goes on starting such activeflows, as far as VoIPBIN said. ``campaigns``: names of those that still dial.

    ``numbers``: names of flows, and how many numbers lead to each.
    """

    campaigns: tuple[str, ...] = ()
    numbers: tuple[tuple[str, int], ...] = ()
    as_of: datetime | None = None
    """When VoIPBIN was asked; ``None`` in what an older build wrote."""


@dataclass(frozen=True, slots=True)
class BulkEnding:
    """What is said when it is over. ``halted``: why it went no further than the first one.

    ``refused``: why whoever pressed could go no further, when the permission was lost on the way.
    """

    halted: str = ""
    more: int | None = None
    """Activeflows that fitted at ``more_as_of`` and were not in the list; ``None`` when that could not be read."""
    receipt: str = ""
    up: tuple[int, ...] = ()
    """Numbers of members that have ended while their callers are still on the line."""
    unheard: tuple[int, ...] = ()
    """Of members that have ended, and it is not known whether their callers are still on the line."""
    refused: str = ""
    calls: Mapping[int, CallAfter] = field(default_factory=dict)
    """By number: what came of the last press on *Hang up* for a member's caller."""
    as_of: datetime | None = None
    """When what is so by now was read."""
    until: datetime | None = None
    """So long it is looked at; ``None``: nobody looks (any more)."""
    origin: Origin = field(default_factory=Origin)
    more_as_of: datetime | None = None
    """When the stop was over, and it was looked once what else fits; ``None`` in what an older build wrote."""

    def on_the_line(self) -> dict[int, str]:
        """Return the members whose callers may still be on the line, by number: ``up`` or ``unknown``, as it is
        known by now.
        """
        states = {**dict.fromkeys(self.up, "up"), **dict.fromkeys(self.unheard, "unknown")}
        states |= {number: call.state for number, call in self.calls.items()}
        return {number: state for number, state in states.items() if state in _THERE}

    def read_again(self, states: Mapping[int, str]) -> "BulkEnding":
        """Return the same with calls as they were read by now; of those that somebody hangs up meanwhile that press
        knows better.
        """
        known = {**dict.fromkeys(self.up, "up"), **dict.fromkeys(self.unheard, "unknown"), **states}
        up, unheard = (tuple(n for n, state in known.items() if state == each) for each in ("up", "unknown"))
        calls = {number: _by_now(call, states.get(number)) for number, call in self.calls.items()}
        return replace(self, up=up, unheard=unheard, calls=calls)


@dataclass(frozen=True, slots=True)
class Run:
    """How far it is. ``until``: nothing is sent after it, not even by a recovery."""

    state: BulkState = BulkState.OPEN
    press_id: str = ""
    by: str = ""
    since: datetime | None = None
    until: datetime | None = None
    aborted_by: str = ""
    """Or who cancelled the card."""
    became: Mapping[int, MemberOutcome] = field(default_factory=dict)
    """By number; what is not in it is left."""
    ending: BulkEnding | None = None
    unanswered: bool = False
    """Slack is waited for, which did not say at first whether whoever pressed still may. Not kept in the ledger."""

    def of(self, member: Member) -> MemberOutcome:
        return self.became.get(member.number, MemberOutcome.LEFT)


def unsettled(run: Run) -> bool:
    """Tell whether a stop was sent of which it is not known yet that it worked, or a caller may still be on the
    line.
    """
    may_run = any(result in MAY_RUN for result in run.became.values())
    return may_run or (run.ending is not None and bool(run.ending.on_the_line()))


def _by_now(call: CallAfter, state: str | None) -> CallAfter:
    if state is None or state == call.state or call.state not in _THERE:
        return call
    return replace(call, state=state, why="")


def remainder(bulk: Bulk, run: Run) -> tuple[Member, ...]:
    """Return those that may still run."""
    return tuple(member for member in bulk.members if run.of(member) not in OVER)


def counted(bulk: Bulk, became: Mapping[int, MemberOutcome]) -> Counter[MemberOutcome]:
    """Return how many members became what; all of them are in it."""
    return Counter(became.get(member.number, MemberOutcome.LEFT) for member in bulk.members)


def outcome_words(bulk: Bulk, became: Mapping[int, MemberOutcome]) -> tuple[str, str]:
    """Say for the record: "31 of 50 ended", and what became of the others."""
    counts = counted(bulk, became)
    others = ", ".join(
        f"{counts[kind]} {kind}" for kind in MemberOutcome if kind is not MemberOutcome.STOPPED and counts[kind]
    )
    return f"{counts[MemberOutcome.STOPPED]} of {len(bulk.members)} ended", others


# ---------------------------------------------------------------- a member as a lone stop


def intent_id(bulk: Bulk, member: Member) -> str:
    """Return the id of the member's own intent: not to be guessed, and always the same."""
    return sha256(f"{bulk.id}/{member.number}".encode()).hexdigest()[:32]


def card_terms(bulk: Bulk) -> CardTerms:
    """Return the card, as far as it matters for who may press it."""
    flows = tuple(member.flow_id for member in bulk.members)
    return CardTerms(bulk.asked_by, bulk.channel, flows, bulk.on_behalf, bulk.reason, in_bulk=True)


def intent_of(bulk: Bulk, member: Member, until: datetime, *, among: int = 1) -> Intent:
    """Return the member's own intent. ``among``: how many are stopped by the same press."""
    seen = ShownState(
        flow_name=member.flow_name,
        kind=member.kind,
        words=member.words,
        consequences=(),
        reference_type=member.reference_type,
        call_id=member.call_id,
        on_complete="",
        on_complete_flow_id=None,
        created_at=member.created_at,
        circle=member.circle,
        wrong=(bulk.filters.state or "") if bulk.filters.reasons else "",
    )
    return Intent(
        id=intent_id(bulk, member),
        activeflow_id=member.activeflow_id,
        flow_id=member.flow_id,
        seen=seen,
        asked_by=bulk.asked_by,
        channel=bulk.channel,
        reason=bulk.reason,
        asked_at=bulk.asked_at,
        deadline=until,
        on_behalf=bulk.on_behalf,
        bulk_id=bulk.id,
        among=among,
    )


def press_on(intent: Intent, press: Press) -> Press:
    """Return the press on a bulk card as a press on one member; what leads back to the person is left out."""
    return replace(press.without_reply_address(), intent_id=intent.id, wish=PressKind.STOP)


# ---------------------------------------------------------------- criteria
# Hold what somebody wants stopped before a list is frozen, and the draft of somebody who may not.


@dataclass(frozen=True, slots=True)
class BulkCriteria:
    """All that run and fit; ``among``: only these of them; ``oldest``: as many of the oldest as are allowed at once."""

    filters: Filters
    reason: str = ""
    among: frozenset[UUID] | None = None
    oldest: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants who may not stop in bulk. ``id`` is that of the bulk it becomes when those who may are asked.

    Decision: the wish is kept, and no list. The list is frozen when it is put to others: nobody has been shown one
    before, and the fresher one is the truer one, however long the refusal with its button has stood there.
    """

    id: str
    wanted: BulkCriteria
    asked_by: str
    channel: str
    """Where it was asked for: there, or where the rules say, those who may are asked."""


# ---------------------------------------------------------------- tally
# Count the members of a bulk stop once, for every number and picture that is made of them.


@dataclass(frozen=True, slots=True)
class Tally:
    """Each member is counted in exactly one of the fields."""

    stopped: int
    already: int
    """Had ended before a stop reached it, or is not there any more."""
    skipped: int
    unknown: int
    running: int
    """Not stopped: a stop was sent in vain, or could not be sent."""
    left: int
    """Nothing was begun."""

    @property
    def over(self) -> int:
        """Certainly not running any more."""
        return self.stopped + self.already

    @property
    def count(self) -> int:
        return self.over + self.may_run

    @property
    def may_run(self) -> int:
        """All others."""
        return self.skipped + self.unknown + self.running + self.left


def tally(bulk: Bulk, became: Mapping[int, MemberOutcome]) -> Tally:
    """Return the members by what can be said of them."""
    counts = counted(bulk, became)

    def of(*kinds: MemberOutcome) -> int:
        return sum(counts[kind] for kind in kinds)

    return Tally(
        stopped=of(MemberOutcome.STOPPED),
        already=of(MemberOutcome.ALREADY, MemberOutcome.GONE),
        skipped=of(MemberOutcome.MOVED, MemberOutcome.TAKEN),
        unknown=of(MemberOutcome.UNKNOWN),
        running=of(MemberOutcome.RUNNING, MemberOutcome.NOT_SENT),
        left=of(MemberOutcome.LEFT, MemberOutcome.ABORTED, MemberOutcome.LATE, MemberOutcome.NOT_PERMITTED),
    )


def bar(counted_: Tally, cells: int) -> tuple[int, int, int]:
    """Count the cells of a bar for those that are over, for those that had their turn and may run, and for those
    left.
    """
    over, left = cells * counted_.over // counted_.count, cells * counted_.left // counted_.count
    if counted_.over + counted_.left == counted_.count:  # nobody to draw in between: what rounding took is left
        left = cells - over
    return over, cells - over - left, left
