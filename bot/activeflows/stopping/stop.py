"""Hold the values in the life of a stop: the intent, the press, and every way it can go on.

An **intent** is what a stop card shows: one activeflow, as it was seen, until a deadline. A **press** is one person's
*Stop flow* on it. What became of the press is a **phase**; the card is drawn from the intent and its phase.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from bot.activeflows.queries.inspection import ShownState
from bot.activeflows.records import Actor

# ---------------------------------------------------------------- failures
# Hold why a stop did not work, or did not go out.


@dataclass(frozen=True, slots=True)
class FailureReason:
    """Why something did not work, in words, and the request that VoIPBIN can find it by, if there was one."""

    why: str = ""
    request_id: str = ""


NO_FAILURE: Final = FailureReason()


class GateRefusal(StrEnum):
    """Why the gate lets a stop not go out."""

    LATE = "late"
    ABORTED = "aborted"
    NOT_CLAIMED = "not claimed"  # the claim is somebody else's by now
    SENT_BEFORE = "sent before"  # an earlier run of this press may have sent it
    FENCED = "fenced"  # another run of this press has taken over
    REFUSED = "refused"  # whoever pressed may not, or a rule says no
    UNANSWERED = "unanswered"  # Slack does not say who pressed
    ENDED = "ended"
    GONE = "gone"
    MOVED = "moved"  # to another kind of situation than the card showed
    UNREAD = "unread"  # the activeflow could not be read
    STALE = "stale"  # what was looked at was too old before the first byte
    CHANGED = "changed"  # another policy is in force since it was decided
    UNWRITTEN = "unwritten"  # the ledger did not answer


# ---------------------------------------------------------------- states
# Define the states of a stop, of a hang-up alike, and which can follow which. ``docs/stop.md`` draws them.


class StopState(StrEnum):
    """Where a press that was recorded stands."""

    RECORDED = "Recorded"
    ADMITTED = "Admitted"
    CLAIMED = "Claimed"
    AT_GATE = "AtGate"
    RESTING = "Resting"
    SENT = "Sent"
    DECLINED = "Declined"
    ENDED = "Ended"
    MOVED = "Moved"
    NOT_SENT = "NotSent"
    EXPIRED = "Expired"
    STILL_RUNNING = "StillRunning"
    NOT_KNOWN = "NotKnown"


_S = StopState
NEXT: Final[Mapping[StopState, frozenset[StopState]]] = {
    _S.RECORDED: frozenset({_S.ADMITTED, _S.DECLINED}),
    _S.ADMITTED: frozenset({_S.CLAIMED, _S.DECLINED}),
    _S.CLAIMED: frozenset({_S.AT_GATE}),
    _S.AT_GATE: frozenset(
        {_S.SENT, _S.RESTING, _S.ENDED, _S.MOVED, _S.NOT_SENT, _S.EXPIRED, _S.STILL_RUNNING, _S.NOT_KNOWN}
    ),
    _S.RESTING: frozenset({_S.AT_GATE}),
    _S.SENT: frozenset({_S.ENDED, _S.AT_GATE, _S.STILL_RUNNING, _S.NOT_KNOWN}),
}
"""What is not in it is final."""


class Path:
    """The way of one press through the states. A step that ``NEXT`` does not know is an error of ours."""

    def __init__(self, state: StopState = StopState.RECORDED) -> None:
        self.state = state

    def to(self, state: StopState) -> None:
        if state not in NEXT.get(self.state, frozenset()):
            raise RuntimeError(f"a stop cannot go from {self.state} to {state}")
        self.state = state


# ---------------------------------------------------------------- stop


@dataclass(frozen=True, slots=True)
class Intent:
    """One stop card. ``id`` (128 random bits, hex) is all that its buttons carry."""

    id: str
    activeflow_id: UUID
    flow_id: UUID | None
    seen: ShownState
    asked_by: str
    channel: str
    reason: str
    asked_at: datetime
    deadline: datetime
    """After it nothing is sent: not by a press, not by a retry, not by a recovery."""
    on_behalf: bool = False
    """Asked for by somebody who may not stop it: only another person's press counts."""
    without_second_question: bool = False
    """``/flows stop <ref> now``: a move to another kind of situation does not ask again."""
    message_ts: str = ""
    """Where the card stands in ``channel``; empty while only the reply address of a press reaches it."""
    bulk_id: str = ""
    """The bulk stop it is a member of; empty for a lone one."""
    reason_by: str = ""
    """Who gave the reason at the press; empty when whoever asked did."""
    among: int = 1
    """How many are stopped by the same press."""
    thread: str = ""
    """The thread of the channel in which the card stands."""

    @property
    def short_id(self) -> str:
        return self.activeflow_id.hex[:8]

    def late(self, now: datetime) -> bool:
        return now >= self.deadline


class IntentState(StrEnum):
    """``draft`` is not posted yet; ``open`` can be pressed; ``stopping`` belongs to one press; the others are over."""

    DRAFT = "draft"
    OPEN = "open"
    STOPPING = "stopping"
    SETTLED = "settled"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


StoredIntent: TypeAlias = tuple[Intent, IntentState]
"""What the ledger says of a card."""


class PressKind(StrEnum):
    """What a press asks for."""

    STOP = "stop"
    HANG_UP = "hang_up"
    BULK = "bulk"


ReplyAddress: TypeAlias = Mapping[str, str]
"""Where a press is answered, in the words of whoever took it: nobody else reads them."""


@dataclass(frozen=True, slots=True)
class Press:
    """One person's press on a card, with what is needed to answer it later, even in another process.

    The reply address is a capability: it is kept in the ledger's workflow row only.
    """

    intent_id: str
    by: str
    team: str
    channel: str
    click: str
    """The same when one click is delivered twice, and another for each click."""
    at: datetime
    wish: PressKind = PressKind.STOP
    reason: str = ""
    """Given at the press, where the rules ask for one. ``thread``: as in ``Intent``."""
    thread: str = ""
    reply_address: ReplyAddress = field(repr=False, hash=False, default_factory=dict)
    account: str = ""
    """The VoIPBIN account of the card, by its name in the settings; empty where the bot has one only."""

    @property
    def id(self) -> str:
        """One click has one id, so it is carried out once."""
        return f"{self.wish}:{self.intent_id}:{self.by}:{self.click}"

    @property
    def actor(self) -> Actor:
        """Whoever pressed, as a record names them."""
        return Actor(self.by, self.channel, self.thread)

    def without_reply_address(self) -> "Press":
        """Return the same press, with nothing that leads back to the person."""
        return replace(self, reply_address=dict.fromkeys(self.reply_address, ""))


class Attribution(StrEnum):
    """Whose doing the end is, as far as VoIPBIN lets anybody know."""

    THIS_PRESS = "this press"
    ALREADY = "already"
    """It had ended before anything was sent."""
    BY_ITSELF = "by itself"
    """A stop was sent, but it reached its own finish first."""
    CALL_UNREAD = "call unread"
    """A stop was sent and answered, but its call, which would say whether the caller hung up first, could not be
    read.
    """
    UNCERTAIN = "uncertain"
    """It ended after a stop was sent (or was about to be) that was not clearly answered: this press, or by itself
    meanwhile.
    """
    BEFORE = "before"
    """A stop was sent, and VoIPBIN refused it, because it had ended already."""
    LATER = "later"
    """A stop was sent and did not end it; it ended when nothing of that stop could be at work any more."""


def hung_up_first(hangup_at: datetime, ended_at: datetime) -> bool:
    """Tell whether the activeflow ended with its call, and not the call with it; one that outlived its call by far
    did not.
    """
    return hangup_at <= ended_at < hangup_at + timedelta(seconds=10)


# ---------------------------------------------------------------- phases


@dataclass(frozen=True, slots=True)
class Waiting:
    """The card as it was posted, to be pressed. ``who_may``: ids of those it is put to, when the asker may not."""

    who_may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PressInHand:
    """Somebody's press takes long: at ``as_of`` nothing had been sent for it. The card is still a question."""

    by: str
    since: datetime
    as_of: datetime


@dataclass(frozen=True, slots=True)
class StopInHand:
    """Claimed by one press; a stop is being sent or verified."""

    by: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """Between card and press it went from one kind of situation to another: the card asks once more."""

    by: str
    was: str


@dataclass(frozen=True, slots=True)
class CallAfter:
    """What became of the call of a stopped activeflow. ``state``: hung_up, hanging_up, up or unknown."""

    state: str
    at: datetime | None = None
    """When it was hung up."""
    hung_up_by: str = ""
    """Who pressed *Hang up the call*, when that was needed."""
    why: str = ""
    """Why that press may have done nothing."""
    read_at: datetime | None = None
    """When it was last read, while it is not over."""
    until: datetime | None = None
    """So long it is looked at, while it is not over; ``None``: nobody looks (any more)."""


@dataclass(frozen=True, slots=True)
class ChildAfter:
    """What became of the on-complete flow that was due. ``activeflow_id`` is ``None`` when it was not found (yet)."""

    activeflow_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """Read back as ended. ``call``/``child`` are ``None`` when there is none, or while they are still looked for."""

    by: str
    attribution: Attribution
    at: datetime | None
    call: CallAfter | None = None
    child: ChildAfter | None = None
    receipt: str = ""
    trouble: FailureReason = NO_FAILURE
    """Why it is not sure what came of the stop."""

    def after(self, there: "Ended | None") -> "Ended":
        """Return this end, told after that one: whoever pressed *Hang up the call* meanwhile knows better about the
        call.
        """
        if there is None or there.call is None or not there.call.hung_up_by:
            return self
        if self.call is not None and self.call.state == "hung_up" and there.call.state != "hung_up":
            return self  # by whom is told by whoever carries out a later press, if there is one
        return replace(self, call=there.call)


@dataclass(frozen=True, slots=True)
class NotKnown:
    """A stop was sent and it cannot be said whether it worked. ``final``: nobody keeps looking."""

    by: str
    since: datetime
    trouble: FailureReason
    final: bool = False
    receipt: str = ""
    until: datetime | None = None
    """So long it is looked at; ``None``: nobody looks (any more)."""


@dataclass(frozen=True, slots=True)
class StillRunning:
    """Sent, and read back as running until nothing of it could be at work any more: it did not work."""

    by: str
    at: datetime
    """When it was last read as running."""
    trouble: FailureReason
    receipt: str = ""
    until: datetime | None = None
    """So long it is looked at; ``None``: nobody looks (any more)."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Certainly nothing was done; ``pressable``: the card can be pressed again.

    ``shut``: why the gate let nothing out; ``None`` when VoIPBIN refused what was sent before any work.
    """

    by: str
    trouble: FailureReason
    pressable: bool = True
    shut: GateRefusal | None = None
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Expired:
    """Past the deadline."""

    receipt: str = ""
    """Of a press that was in time and could not be carried out in time; a late press has no outcome."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    by: str


Outcome = Ended | NotKnown | StillRunning | NotSent | Expired
"""How a press can end. ``receipt``: the number of the record that says so, and the first digits of its hash."""
Phase = Outcome | Waiting | PressInHand | StopInHand | Moved | Cancelled


class DeclineReason(StrEnum):
    """Why a press was not taken, told to the presser alone."""

    NOT_PERMITTED = "not permitted"
    IDENTITY_UNKNOWN = "identity unknown"
    SLACK_REFUSES = "Slack refuses the bot"
    """Nobody's identity will be known until somebody looks at the app's token and scopes."""
    NO_SUCH_CARD = "no such card"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    OVER = "over"
    LATE = "late"
    TAKEN = "taken"
    OWN_REQUEST = "own request"
    NO_REASON = "no reason"
    TOO_MANY = "too many"
    LEDGER = "ledger"
    CARD_UNREAD = "card unread"
    """A hang-up was carried out, and its card cannot be changed. ``because`` is the state of the call
    (``CallAfter``).
    """


@dataclass(frozen=True, slots=True)
class Declined:
    """A press that was not taken, or whose card cannot say what came of it. No activeflow was stopped by it.

    ``because`` is the decision's reason, ``who_may`` ids to ask; ``by`` who is stopping it already.
    """

    why: DeclineReason
    because: str = ""
    who_may: tuple[str, ...] = ()
    by: str = ""
    activeflow_id: UUID | None = None


def renewed(intent: Intent, *, id_: str, seen_now: ShownState, at: datetime, deadline: datetime) -> Intent:
    """Return the intent that takes the place of one whose activeflow has moved on; to be pressed anew by anybody who
    may.
    """
    return replace(intent, id=id_, seen=seen_now, asked_at=at, deadline=deadline)


# ---------------------------------------------------------------- claims
# Hold who may send a stop at this moment: the claim, the run, and what the ledger says at the gate.


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send a stop for one activeflow: one at a time, across people, cards and replicas."""

    mine: bool
    by: str = ""
    """Who has it, when it is not mine; empty when nobody has."""
    state: IntentState = IntentState.OPEN
    """Where the intent stands, when it is not mine."""
    unwritten: str = ""
    """Why the ledger could not write the claim down."""


@dataclass(frozen=True, slots=True)
class Fence:
    """One run of a press's workflow. Whoever takes the press up again has a higher number, and this one counts no
    more.
    """

    press_id: str
    number: int


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What the ledger says at the gate: ``shut`` is ``None`` when it is written down that a POST goes out now."""

    shut: GateRefusal | None = None
    left: float = 0.0
    """Seconds to the deadline, by the database's clock."""


# ---------------------------------------------------------------- result
# Hold what came of carrying out one stop: how it ended, and whether that could be told.


@dataclass(frozen=True, slots=True)
class OutcomeNotice:
    """Whether somebody could see it, and the receipt of the outcome's record."""

    seen: bool
    receipt: str = ""
    until: datetime | None = None
    """So long what is so by now is followed."""


@dataclass(frozen=True, slots=True)
class StopResult:
    """What came of it: a ``phase``, or why it was ``declined``; ``anew`` is the intent to be asked once more."""

    phase: Outcome | Moved | None = None
    receipt: str = ""
    declined: Declined | None = None
    anew: Intent | None = None
    refused: Declined | None = None
    """Why the gate did not let whoever pressed."""


# ---------------------------------------------------------------- timeouts
# Table how long everything about a stop is waited for. All in seconds.


@dataclass(frozen=True, slots=True)
class Patience:
    """The defaults fit VoIPBIN's own budgets: a stop may work for 12 s behind a connection that broke."""

    side_look: float = 1.5
    """For names and callers on a card: a slow one is "unknown", never a delay."""
    attempts: int = 6
    """Tries that certainly did nothing (429, 401, the activeflow could not be read). A lost stop is sent once more at
    most.
    """
    longer: float = 0.5
    """Added to the rest after the second try that did nothing, and doubled after each further one: a throttled account
    gets room for the two requests of the next try, the look and the stop."""
    soon: tuple[float, ...] = (0.0, 0.3, 0.7, 1.5)
    """Pauses before the first readings after a stop; then the card says "not known yet"."""
    settle: float = 15.0
    """After so long a POST whose answer was lost can no longer be at work."""
    every: float = 1.5
    """Between readings while settling."""
    rest: float = 5.0
    """Between readings in the background."""
    looks: int = 120
    """Readings in the background before it is said that nobody looks any more."""
    in_hand_after: float = 1.5
    """So long after a press the card says for everybody that it was pressed, when nothing was sent by then."""
    told_again: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0)
    """Pauses before what came of a press is told once more, when Slack did not take it."""
    call_after: float = 60.0
    """So long after a press whoever pressed is called to the card, when it is still not known whether it worked."""
    unanswered: float = 30.0
    """So long Slack is asked again who pressed, before anything is sent. Then it is a no."""
    follow_every: float = 15.0
    """Between looks at what a card says is so by now: "still running", "call: still up", "not known"."""
    follow_for: float = 1800.0
    """After so long such a card says that nobody looks any more."""
    after: tuple[float, ...] = (0.3, 0.7, 1.0, 2.0, 3.0, 3.0)
    """Pauses before each look at the call and the on-complete activeflow after the end."""

    @property
    def follow_looks(self) -> int:
        """How many times it is looked at."""
        return max(1, round(self.follow_for / self.follow_every))


def follow_until(now: datetime, patience: Patience) -> datetime | None:
    """Return until when something that is so by now is followed; ``None``: it is not."""
    return now + timedelta(seconds=patience.follow_for) if patience.follow_for else None
