"""Decide who may press, approve, put away, abort or hang up, and whether a stop may go out now (the gate).

``authorize`` is pure. The snapshot is the policy in force, the presser, whoever asked, and the card; ``Authorization``
takes it, and takes it anew when the policy has changed while Slack was asked.

Decisions:

* **Two persons.** ``two_person = ["stop"]`` covers every stop of whatever number, ``["bulk"]`` those of a list. Whoever
  asked is the first person and whoever presses the second one; the first one must still have the permission they asked
  with. *Ask someone who can* counts as asking: the rule wants two people who looked, not two who may. Such an asker
  needs ``view``. A person with two ids is one person.
* **Who asked must be in good standing.** Nothing that a deactivated account asked for is stopped. That Slack does not
  answer about the asker takes nothing from a presser who needs nobody else's permission.
* **The ceiling is of the moment of acting**, and counts what this press stops.
* **A hang-up needs ``stop``** and no second person: the call's activeflow has been stopped under that rule already.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from operator import not_
from typing import Final, TypeVar
from uuid import UUID

from bot.activeflows import ports
from bot.activeflows.errors import (
    NOT_SHOWN,
    Failure,
    IdentityUnknown,
    LedgerUnavailable,
    NotFound,
    NotOurs,
    SlackRefuses,
)
from bot.activeflows.model import Activeflow
from bot.activeflows.operators import Decision, Operator, Permission, Policy, Standing, together
from bot.activeflows.records import Record, RecordKind, record_on
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.max_ages import Clock, boot_time
from bot.activeflows.stopping.ports import Ledger, People
from bot.activeflows.stopping.stop import (
    NO_FAILURE,
    Claim,
    Declined,
    DeclineReason,
    Ended,
    FailureReason,
    Fence,
    GateRefusal,
    Intent,
    IntentState,
    Press,
    PressKind,
    StoredIntent,
)

_TRIES: Final = 3
"""How often the policy may change while Slack is asked about one press."""


class Act(StrEnum):
    """What somebody wants to do with a card."""

    STOP = "stop"
    HANG_UP = "hang up"
    PUT_AWAY = "put away"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class CardTerms:
    """The card, as far as it matters for who may press it. ``flows``: of its activeflows, ``None`` for one without."""

    by: str
    channel: str
    flows: tuple[UUID | None, ...]
    on_behalf: bool = False
    reason: str = ""
    in_bulk: bool = False
    among: int = 0
    """How many are stopped by the same press; 0: those whose flow is allowed, counted by ``flows``."""


def card_terms(intent: Intent) -> CardTerms:
    """Return the card of an intent, or the part of a bulk card that it is."""
    in_bulk = bool(intent.bulk_id)
    return CardTerms(
        intent.asked_by,
        intent.channel,
        (intent.flow_id,),
        intent.on_behalf,
        intent.reason,
        in_bulk,
        intent.among,
    )


@dataclass(frozen=True, slots=True)
class Authorized:
    """Yes, for some of the flows at least, by this policy."""

    decisions: Mapping[UUID | None, Decision]
    policy: Policy

    def detail(self, flow: UUID | None) -> dict[str, str | int | bool | None]:
        """Write for the record the grant, and the policy whose grant it is."""
        decision = self.decisions[flow]
        return {"because": decision.because, "grant": decision.grant, "policy": self.policy.version or None}


def authorize(act: Act, terms: CardTerms, presser: Operator, asker: Operator | None) -> Authorized | Declined:
    """Decide whether ``presser`` may do this with that card. ``asker``: ``None`` when Slack did not say who that is."""
    decisions = {flow: _decide(act, terms, presser, asker, flow) for flow in terms.flows}
    if act is Act.PUT_AWAY and presser.person.known_as(terms.by):
        return Authorized(decisions, presser.policy)
    allowed = sum(decisions[flow].allowed for flow in terms.flows)
    if not allowed:
        no = decisions[terms.flows[0]]
        return Declined(DeclineReason.NOT_PERMITTED, no.because, no.who_may)
    declined = _rules(terms, presser, asker, terms.among or allowed) if act is Act.STOP else None
    return declined or Authorized(decisions, presser.policy)


def _needed(act: Act, terms: CardTerms) -> tuple[Permission, ...]:
    """Return the permissions of which any is enough."""
    match act:
        case Act.ABORT:
            return Permission.STOP, Permission.BULK
        case Act.HANG_UP:
            return (Permission.STOP,)
        case _:
            return (Permission.BULK,) if terms.in_bulk else (Permission.STOP,)


def _of_asker(terms: CardTerms, presser: Operator) -> tuple[Permission, ...]:
    """Return what whoever asked must still have; nothing but a good standing, when the presser needs nobody else."""
    needed = _needed(Act.STOP, terms)
    two_persons = not presser.policy.rules.two_person.isdisjoint({"stop", "bulk"} if terms.in_bulk else {"stop"})
    if two_persons:
        return (Permission.VIEW,) if terms.on_behalf else needed
    return () if terms.on_behalf or presser.may_all(needed, terms.flows) else needed


def _decide(act: Act, terms: CardTerms, presser: Operator, asker: Operator | None, flow: UUID | None) -> Decision:
    """Decide for one flow: whoever may, may; who may approve may press what somebody else, who still may, has asked
    for.
    """
    own = [presser.decide(permission, flow) for permission in _needed(act, terms)]
    decision = next((yes for yes in own if yes.allowed), own[0])
    another = not presser.person.known_as(terms.by)
    if decision.allowed or act is not Act.STOP or not another or terms.on_behalf:
        return decision
    approval = presser.decide(Permission.APPROVE, flow)
    if not approval.allowed:
        return decision
    if asker is None:
        return replace(decision, because="Slack did not say whether whoever asked still has permission", who_may=())
    theirs = asker.decide(own[0].permission, flow)
    return (
        approval if theirs.allowed else replace(decision, because=f"whoever asked can no longer ask: {theirs.because}")
    )


def _rules(terms: CardTerms, presser: Operator, asker: Operator | None, count: int) -> Declined | None:
    rules = presser.policy.rules
    if asker is not None and asker.person.standing is Standing.DEACTIVATED:
        return Declined(DeclineReason.NOT_PERMITTED, "whoever asked has been deactivated. Ask again")
    two_persons = not rules.two_person.isdisjoint({"stop", "bulk"} if terms.in_bulk else {"stop"})
    if (two_persons or terms.on_behalf) and presser.person.known_as(terms.by):
        return Declined(DeclineReason.OWN_REQUEST, "a second person must press")
    if two_persons and (no := _no_first_person(terms, asker)) is not None:
        return no
    if rules.reason_required and not terms.reason:
        return Declined(DeclineReason.NO_REASON, "a reason is required")
    if terms.in_bulk and count > rules.bulk_limit:
        return Declined(
            DeclineReason.TOO_MANY, f"{count} would be stopped, and the policy allows {rules.bulk_limit} at once"
        )
    return None


def _no_first_person(terms: CardTerms, asker: Operator | None) -> Declined | None:
    """Say, where two persons are needed, why whoever asked does not count as one any more."""
    if asker is None:
        return Declined(DeclineReason.IDENTITY_UNKNOWN, "about whoever asked, who counts as one of two persons")
    needed = Permission.BULK if terms.in_bulk else Permission.STOP
    needed = Permission.VIEW if terms.on_behalf else needed
    theirs = [asker.decide(needed, flow) for flow in terms.flows]
    if any(decision.allowed for decision in theirs):
        return None
    because = f"two people are needed, and whoever asked can no longer ask: {theirs[0].because}"
    return Declined(DeclineReason.NOT_PERMITTED, because, theirs[0].who_may)


class Authorization:
    """Takes the snapshot and decides. ``policy`` is the one in force."""

    def __init__(self, people: People, policy: Callable[[], Policy]) -> None:
        self._people, self._policy = people, policy

    async def of(self, act: Act, terms: CardTerms, press: Press, *, max_age: float) -> Authorized | Declined:
        """Decide about this press. ``max_age``: seconds that Slack's facts may be old. What Slack does not say is a
        no.
        """
        for _ in range(_TRIES):
            try:
                presser = await self._presser(act, terms, press, max_age)
            except IdentityUnknown as failure:
                lasting = isinstance(failure, SlackRefuses)
                return Declined(
                    DeclineReason.SLACK_REFUSES if lasting else DeclineReason.IDENTITY_UNKNOWN, failure.what
                )
            asker = await self._asker(act, terms, presser, max_age)
            if presser.policy == self._policy() and (asker is None or asker.policy == presser.policy):
                return authorize(act, terms, presser, asker)
        return Declined(DeclineReason.IDENTITY_UNKNOWN, "the policy went on changing while Slack was asked")

    def in_force(self, decided: Authorized) -> bool:
        """Tell whether the policy that decided is still in force."""
        return decided.policy == self._policy()

    async def _presser(self, act: Act, terms: CardTerms, press: Press, max_age: float) -> Operator:
        """Identify the presser with the facts that decide; those about an approval only where it is needed. Raises
        ``IdentityUnknown``.
        """
        identify = partial(
            self._people.identify, press.by, press.channel, team=press.team, flows=terms.flows, max_age=max_age
        )
        if act is Act.PUT_AWAY and (presser := await identify(may=())).person.known_as(terms.by):
            return presser
        approvable = act is Act.STOP and not terms.on_behalf and press.by != terms.by
        found, unknown = None, None
        for may in (_needed(act, terms), (Permission.APPROVE,))[: 2 if approvable else 1]:
            try:
                answered = await identify(may=may)
            except IdentityUnknown as failure:
                unknown = failure
                continue
            found = answered if found is None else together(found, answered)
            if found.person.known_as(terms.by) or found.may_all(may, terms.flows):
                return found
        if unknown is not None and (found is None or not found.may_any((*_needed(act, terms), *may), terms.flows)):
            raise unknown
        assert found is not None  # noqa: S101 - else something was not known
        return found

    async def _asker(self, act: Act, terms: CardTerms, presser: Operator, max_age: float) -> Operator | None:
        if act is not Act.STOP:
            return None
        if presser.person.known_as(terms.by):
            return replace(presser, channel=terms.channel)
        try:
            return await self._people.identify(
                terms.by, terms.channel, may=_of_asker(terms, presser), flows=terms.flows, max_age=max_age
            )
        except IdentityUnknown:
            return None


# ---------------------------------------------------------------- admission
# Admit or decline a press: may this person press this card, here, now?
#
# Decided at the press by the same function as everywhere (``authorization``): an old button, a lost permission, a guest
# and a passed deadline end here, with a record and a reason. The gate decides the same once more, straight before
# anything is sent.

_OVER = {
    IntentState.SETTLED: DeclineReason.OVER,
    IntentState.CANCELLED: DeclineReason.CANCELLED,
    IntentState.SUPERSEDED: DeclineReason.SUPERSEDED,
}
_HANG_UP_WITHIN: Final = timedelta(minutes=1)
"""From the press: a hang-up is never sent later, not even by a recovery."""


@dataclass(frozen=True, slots=True)
class Admission:
    """``declined`` is ``None`` when the press may be carried out. ``intent`` is the card's, when there is one."""

    intent: Intent | None = None
    declined: Declined | None = None


def record_of(
    intent: Intent, press: Press, what: RecordKind, at: datetime, **detail: str | int | bool | None
) -> Record:
    """Return a record about this press: its key is the press and the kind."""
    if press.wish is not PressKind.STOP:
        detail["wish"] = str(press.wish)
    return record_on(intent, what, at, press.actor, key=f"{press.id}/{what}", **detail)


class PressAdmission:
    """Admits or declines presses on stop cards, on *Stop flow* and on *Hang up the call*."""

    def __init__(self, ledger: Ledger, authorization: Authorization, *, now: Callable[[], datetime]) -> None:
        self._ledger, self._authorization, self._now = ledger, authorization, now

    async def admit(self, press: Press, stored: StoredIntent | None = None) -> Admission:
        """Return the intent if it can be pressed by this person, here, now. The decision goes into the audit first.

        ``stored``: its intent, if it was read just now.
        """
        try:
            found = stored or await self._ledger.intent(press.intent_id)
            if found is None:
                return Admission(declined=Declined(DeclineReason.NO_SUCH_CARD))
            intent, state = found
            if press.wish is PressKind.HANG_UP:
                return await self._after_the_end(intent, state, press)
            if state in _OVER:
                return Admission(intent, Declined(_OVER[state], activeflow_id=intent.activeflow_id))
            if intent.late(self._now()):
                return await self._decline(intent, press, Declined(DeclineReason.LATE, "past the deadline"))
            if not intent.reason and press.reason:
                intent = replace(intent, reason=press.reason, reason_by=press.by)
            return await self._decide(Act.STOP, intent, press)
        except LedgerUnavailable as failure:
            return Admission(declined=Declined(DeclineReason.LEDGER, failure.what))

    async def _after_the_end(self, intent: Intent, state: IntentState, press: Press) -> Admission:
        """Admit a press on *Hang up the call*, which stands on a card that is over, and nowhere else."""
        if state is not IntentState.SETTLED:
            return Admission(declined=Declined(DeclineReason.NO_SUCH_CARD))
        return await self._decide(Act.HANG_UP, replace(intent, deadline=press.at + _HANG_UP_WITHIN), press)

    async def _decide(self, act: Act, intent: Intent, press: Press) -> Admission:
        terms = card_terms(intent)
        decided = await self._authorization.of(act, terms, press, max_age=max_ages.FACTS_AT_PRESS)
        if isinstance(decided, Declined):
            return await self._decline(intent, press, decided)
        detail = decided.detail(intent.flow_id)
        if act is Act.STOP:
            detail |= {"seen": intent.seen.kind, "asked_by": intent.asked_by, "now": intent.without_second_question}
        await self._ledger.record(record_of(intent, press, RecordKind.PRESSED, self._now(), **detail))
        return Admission(intent)

    async def _decline(self, intent: Intent, press: Press, declined: Declined) -> Admission:
        refused = record_of(
            intent, press, RecordKind.REFUSED, self._now(), because=declined.because, why=str(declined.why)
        )
        await self._ledger.record(refused)
        return Admission(intent, replace(declined, activeflow_id=intent.activeflow_id))


def not_claimed(claim: Claim, intent: Intent) -> Declined:
    """Return the words for a press that came second."""
    if claim.unwritten:
        return Declined(DeclineReason.LEDGER, claim.unwritten, activeflow_id=intent.activeflow_id)
    if claim.by:
        return Declined(DeclineReason.TAKEN, by=claim.by, activeflow_id=intent.activeflow_id)
    return Declined(_OVER.get(claim.state, DeclineReason.OVER), activeflow_id=intent.activeflow_id)


# ---------------------------------------------------------------- fence
# Keep a run of a press from going on once another run has taken the press up.
#
# Two processes may run one press: the one that was thought dead (frozen, cut off) and the one that took over. Each
# begins by taking a number from the ledger, higher than those before. Whoever's number is not the highest sends
# nothing, edits nothing and writes nothing any more: it is cut off (``Fenced``), without a word, because the other one
# says everything. (The results of its steps are remembered by a fence of the same kind, ``ports.Step``.)

T = TypeVar("T")
_AGAIN: Final = 1.0


class Fenced(asyncio.CancelledError):
    """Another run has taken this press up. Cut off rather than failed: a failure would end the other run's workflow."""


async def _answered(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until the ledger answers."""
    while True:
        try:
            return await ask()
        except LedgerUnavailable:
            await asyncio.sleep(_AGAIN)


class PressHold:
    """What one run has of its press."""

    def __init__(
        self, ledger: Ledger, fence: Fence, stored: StoredIntent | None = None, *, clock: Clock = boot_time
    ) -> None:
        """``stored``: its intent, as this run began. ``clock``: as for ``Gate``."""
        self._ledger, self.fence, self.stored, self._clock = ledger, fence, stored, clock
        self._counted_at = float("-inf")

    @classmethod
    async def take(cls, ledger: Ledger, press_id: str) -> "PressHold":
        """Begin a run: every earlier one of this press counts no more. Waits for a ledger that does not answer."""
        return cls(ledger, await _answered(partial(ledger.take_up, press_id)))

    @classmethod
    async def take_card(cls, ledger: Ledger, press: Press) -> "PressHold":
        """Begin one of a press on a stop card, and read its intent along if it can be read: else admission says so."""
        try:
            return cls(ledger, *await ledger.take_up_card(press))
        except LedgerUnavailable:
            return await cls.take(ledger, press.id)

    async def counted(self, ask: Callable[[], Awaitable[T | None]], outdone: Callable[[T], bool] = not_) -> T:
        """Return what a transaction answered that looks whether this run counts. Raises ``Fenced`` when it does not."""
        asked_at = self._clock()
        answer = await ask()
        if answer is None or outdone(answer):
            raise Fenced
        self._counted_at = max(self._counted_at, asked_at)
        return answer

    async def must_hold(self, *, waited: bool = True) -> None:
        """Raise ``Fenced`` once another run has taken over. While the ledger does not answer it holds for as long as
        nobody can have taken over.

        Unless somebody ``waited``, what the ledger said just before is enough (``max_ages.COUNTED``).
        """
        if not waited and self._clock() - self._counted_at < max_ages.COUNTED:
            return
        await _answered(partial(self.counted, partial(self._ledger.holds, self.fence)))

    async def conclude(
        self,
        intent: Intent,
        press: Press,
        records: Sequence[Record],
        state: IntentState,
        ended: Ended | None = None,
        *,
        meanwhile: Callable[[], Awaitable[object]] | None = None,
    ) -> str:
        """Write down what came of it, as ``Ledger.conclude``; the receipt. ``meanwhile``: as for ``until_written``."""
        conclude = partial(self._ledger.conclude, self.fence, intent, press, records, state, ended)
        return await self.until_written(partial(self.counted, conclude), meanwhile)

    async def until_known(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write until it is known whether the ledger has it: what it kept without saying so would stay for good.

        Raises ``LedgerUnavailable`` when it was certainly not kept.
        """
        try:
            return await write()
        except LedgerUnavailable as failure:
            if not failure.may_be_kept:
                raise
        return await self.until_written(write)

    async def until_written(
        self, write: Callable[[], Awaitable[T]], meanwhile: Callable[[], Awaitable[object]] | None = None
    ) -> T:
        """Write until the ledger has it. ``meanwhile`` tells once, without a receipt, what has to wait for that."""
        while True:
            try:
                return await write()
            except LedgerUnavailable:
                await self.must_hold()
            if meanwhile is not None:
                await meanwhile()
                meanwhile = None
            await asyncio.sleep(_AGAIN)


# ---------------------------------------------------------------- gate
# Say whether a stop or a hang-up may go out now: the one gate, straight before the bytes.
#
# The client takes its turn in the request budget first, then asks the gate, then sends; nothing waits between its yes
# and the bytes. So the gate is asked after every wait: for a turn, after 429, 401 or 503, between two tries, in a
# queue, after a restart, and when another replica takes over. In this order, the fastest to go stale last:
#
# 1. who pressed and who asked, the policy, its rules (``Authorization``);
# 2. a look at the activeflow, or the call, held against what the card showed;
# 3. one transaction of the ledger: this run of the press, its claim, no abort, the deadline by the database's clock,
#   and the record that a POST goes out.
#
# ``max_ages`` says how old each may be at the first byte; what the gate gives back is looked at there (by a clock that
# goes on while the process is frozen). A record whose POST was held back then is harmless: the next try has its own.

_AT_ONCE: Final = 0.0
_SOON: Final = 1.0


@dataclass(frozen=True, slots=True)
class ClosedGate:
    """Why nothing went out. ``retry_after`` (seconds): coming again is right."""

    shut: GateRefusal
    trouble: FailureReason = NO_FAILURE
    at: datetime | None = None
    """VoIPBIN's time of the end, or of the reading."""
    declined: Declined | None = None
    retry_after: float | None = None


class GateClosed(Exception):
    """Nothing was sent. ``seen``: the activeflow that has moved on, and ``kind``: to which kind of situation."""

    def __init__(self, closed: ClosedGate, seen: Activeflow | None = None, kind: str = "") -> None:
        super().__init__(closed.shut)
        self.closed, self.seen, self.kind = closed, seen, kind


@dataclass(frozen=True, slots=True)
class PressOperation:
    """What one press wants of one activeflow or its call."""

    act: Act
    intent: Intent
    press: Press


class Gate:
    """Asked by the client for every POST. ``clock`` gives seconds, as ``boot_time`` does."""

    def __init__(self, ledger: Ledger, authorization: Authorization, *, clock: Clock = boot_time) -> None:
        self._ledger, self._authorization, self._clock = ledger, authorization, clock

    def of(
        self,
        operation: PressOperation,
        hold: PressHold,
        sending: Record,
        held_against: Callable[[T], None],
        opens: Callable[[], None],
    ) -> ports.Gate[T]:
        """Return the gate for one POST, announced by the record ``sending``.

        ``held_against`` raises ``GateClosed`` when what was read is not what the card showed. ``opens`` is called at
        the yes.
        """

        async def gate(look: Callable[[], Awaitable[T]]) -> ports.Check:
            decided = await self._decided(operation)
            looked_at = self._clock()
            held_against(await _read(look))
            asked_at = self._clock()
            left = await self._permitted(operation, hold, _by(sending, decided, operation))
            opens()
            return self._check(decided, looked_at + max_ages.LOOK, asked_at + max_ages.PERMIT, asked_at + left)

        return gate

    async def _decided(self, operation: PressOperation) -> Authorized:
        decided = await self._authorization.of(
            operation.act, card_terms(operation.intent), operation.press, max_age=max_ages.FACTS
        )
        if isinstance(decided, Authorized):
            return decided
        unanswered = decided.why is DeclineReason.IDENTITY_UNKNOWN
        shut = GateRefusal.UNANSWERED if unanswered else GateRefusal.REFUSED
        raise GateClosed(ClosedGate(shut, FailureReason(decided.because), declined=decided))

    async def _permitted(self, operation: PressOperation, hold: PressHold, sending: Record) -> float:
        permit = partial(self._ledger.permit, operation.intent, operation.press, hold.fence, sending)
        try:
            permitted = await hold.counted(permit, lambda permitted: permitted.shut is GateRefusal.FENCED)
        except LedgerUnavailable as failure:
            raise GateClosed(ClosedGate(GateRefusal.UNWRITTEN, FailureReason(failure.what))) from None
        if permitted.shut is not None:
            raise GateClosed(ClosedGate(permitted.shut))
        return permitted.left

    def _check(self, decided: Authorized, look: float, permit: float, deadline: float) -> ports.Check:
        def check() -> None:
            now = self._clock()
            if now >= deadline:
                raise GateClosed(ClosedGate(GateRefusal.LATE))
            if now >= min(look, permit):
                raise GateClosed(ClosedGate(GateRefusal.STALE, FailureReason(_TOO_OLD), retry_after=_AT_ONCE))
            if not self._authorization.in_force(decided):
                raise GateClosed(ClosedGate(GateRefusal.CHANGED, FailureReason(_CHANGED), retry_after=_AT_ONCE))

        return check


_TOO_OLD: Final = "answers came too slowly to be sure what it would stop"
_CHANGED: Final = "the policy changed at that moment"


async def _read(look: Callable[[], Awaitable[T]]) -> T:
    try:
        async with asyncio.timeout(max_ages.LOOK):
            return await look()
    except NotFound:
        closed = ClosedGate(GateRefusal.GONE, FailureReason("VoIPBIN no longer has this activeflow"))
    except NotOurs:
        closed = ClosedGate(GateRefusal.UNREAD, FailureReason(NOT_SHOWN))
    except TimeoutError:
        closed = ClosedGate(GateRefusal.STALE, FailureReason(_TOO_OLD), retry_after=_SOON)
    except Failure as failure:
        closed = ClosedGate(
            GateRefusal.UNREAD, FailureReason(failure.what, failure.request_id), retry_after=failure.retry_after
        )
    raise GateClosed(closed)


def _by(sending: Record, decided: Authorized, operation: PressOperation) -> Record:
    return replace(sending, detail={**sending.detail, **decided.detail(operation.intent.flow_id)})
