"""Before anything is sent: may this person press, and is the activeflow still what the card showed?

Decided anew at each press, by the same function as everywhere: an old button, a lost permission, a guest, a passed
deadline and a changed situation all end here, with a record and a reason, and nothing is stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from bot.activeflows.errors import NOT_SHOWN, Failure, IdentityUnknown, LedgerUnavailable, NotFound, NotOurs
from bot.activeflows.model import Activeflow
from bot.activeflows.operators import Decision, Permission, Policy
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.reading.seeing import Seen, as_it_was, as_seen, look_at
from bot.activeflows.records import Record, What
from bot.activeflows.stopping.patience import Patience
from bot.activeflows.stopping.ports import Ledger, People
from bot.activeflows.stopping.stops import Claim, Declined, Intent, IntentState, Press, Why, Wish, renewed

_OVER = {
    IntentState.SETTLED: Why.OVER,
    IntentState.CANCELLED: Why.CANCELLED,
    IntentState.SUPERSEDED: Why.SUPERSEDED,
}


@dataclass(frozen=True, slots=True)
class Admission:
    """``declined`` is ``None`` when the press may be carried out. ``intent`` is the card's, when there is one."""

    intent: Intent | None = None
    declined: Declined | None = None


class Look(StrEnum):
    """What reading the activeflow again, straight before the stop, says about going on."""

    SAME = "same"
    ENDED = "ended"
    MOVED = "moved"
    GONE = "gone"
    UNREAD = "unread"
    REFUSED = "refused"  # not read: whoever pressed may not stop it any more


@dataclass(frozen=True, slots=True)
class Looked:
    look: Look
    at: datetime | None = None
    """When it ended; or, when it is the same, when that was read; or, when refused, when that was asked."""
    renewed: Intent | None = None
    why: str = ""
    request_id: str = ""


def record_of(intent: Intent, press: Press, what: What, at: datetime, **detail: str | int | bool | None) -> Record:
    """A record about this press. Its key is the press and the kind, unless the caller gives it a finer one."""
    if intent.bulk_id:
        detail["bulk"] = intent.bulk_id
    if press.wish is not Wish.STOP:
        detail["wish"] = str(press.wish)
    return Record(
        key=f"{press.id}/{what}",
        at=at,
        what=what,
        who=press.by,
        channel=press.channel,
        activeflow_id=intent.activeflow_id,
        intent_id=intent.id,
        reason=intent.reason,
        detail=detail,
    )


class Pressing:
    """Admits or declines presses."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        ledger: Ledger,
        people: People,
        *,
        policy: Callable[[], Policy],
        patience: Patience,
        now: Callable[[], datetime],
    ) -> None:
        self._voipbin, self._ledger, self._people = voipbin, ledger, people
        self._policy, self._patience, self._now = policy, patience, now

    async def admit(self, press: Press) -> Admission:
        """The intent if it can be pressed by this person, here, now. The decision goes into the audit first."""
        try:
            found = await self._ledger.intent(press.intent_id)
            if found is None:
                return Admission(declined=Declined(Why.NO_SUCH_CARD))
            intent, state = found
            if state in _OVER:
                return Admission(intent, Declined(_OVER[state], activeflow_id=intent.activeflow_id))
            return await self._decide(intent, press)
        except LedgerUnavailable as failure:
            return Admission(declined=Declined(Why.LEDGER, failure.what))

    async def admit_after(self, press: Press) -> Admission:
        """The same for a press on a card that is over: *Hang up the call*. Needs the permission to stop."""
        try:
            found = await self._ledger.intent(press.intent_id)
            if found is None or found[1] is not IntentState.SETTLED:
                return Admission(declined=Declined(Why.NO_SUCH_CARD))
            intent = found[0]
            try:
                operator = await self._people.fresh(press.by, press.channel, team=press.team)
            except IdentityUnknown as failure:
                return await self._decline(intent, press, Declined(Why.IDENTITY_UNKNOWN, failure.what))
            decision = operator.decide(Permission.STOP, intent.flow_id)
            if not decision.allowed:
                declined = Declined(Why.NOT_PERMITTED, decision.because, decision.who_may)
                return await self._decline(intent, press, declined)
            detail: dict[str, str | int | bool | None] = {"because": decision.because, "grant": decision.grant}
            pressed = record_of(intent, press, What.PRESSED, self._now(), **detail)
            await self._ledger.record(pressed)
            return Admission(intent)
        except LedgerUnavailable as failure:
            return Admission(declined=Declined(Why.LEDGER, failure.what))

    async def _decide(self, intent: Intent, press: Press) -> Admission:
        if intent.late(self._now()):
            return await self._decline(intent, press, Declined(Why.LATE, "past the deadline"))
        try:
            decision = await self._decision(intent, press)
        except IdentityUnknown as failure:
            return await self._decline(intent, press, Declined(Why.IDENTITY_UNKNOWN, failure.what))
        if not decision.allowed:
            declined = Declined(Why.NOT_PERMITTED, decision.because, decision.who_may)
            return await self._decline(intent, press, declined)
        needs_another = intent.on_behalf or "stop" in self._policy().rules.two_person
        if needs_another and press.by == intent.asked_by:
            return await self._decline(intent, press, Declined(Why.OWN_REQUEST, "a second person must press"))
        if not intent.reason and press.reason:
            intent = replace(intent, reason=press.reason, reason_by=press.by)
        if self._policy().rules.reason_required and not intent.reason:
            return await self._decline(intent, press, Declined(Why.NO_REASON, "a reason is required"))
        detail: dict[str, str | int | bool | None] = {"because": decision.because, "grant": decision.grant}
        detail |= {"seen": intent.seen.kind, "asked_by": intent.asked_by, "now": intent.without_second_question}
        await self._ledger.record(record_of(intent, press, What.PRESSED, self._now(), **detail))
        return Admission(intent)

    async def _decision(self, intent: Intent, press: Press) -> Decision:
        """Who may stop it may press; who may approve may press what somebody else, who may stop it, has asked for."""
        operator = await self._people.fresh(press.by, press.channel, team=press.team)
        decision = operator.decide(Permission.STOP, intent.flow_id)
        if decision.allowed or press.by == intent.asked_by or intent.on_behalf:
            return decision
        approval = operator.decide(Permission.APPROVE, intent.flow_id)
        if not approval.allowed:
            return decision
        asker = await self._people.fresh(intent.asked_by, intent.channel)
        return approval if asker.may(Permission.STOP, intent.flow_id) else decision

    async def _decline(self, intent: Intent, press: Press, declined: Declined) -> Admission:
        refused = record_of(intent, press, What.REFUSED, self._now(), because=declined.because, why=str(declined.why))
        await self._ledger.record(refused)
        told = Declined(declined.why, declined.because, declined.who_may, activeflow_id=intent.activeflow_id)
        return Admission(intent, told)

    async def look(self, intent: Intent, press: Press, *, asks_again: bool = True) -> Looked:
        """Read the activeflow again and hold it against what was shown.

        ``asks_again``: when it has moved on, an intent that asks once more takes this one's place.
        """
        try:
            ours, at = self._voipbin.customer.id, self._now()
            activeflow = await self._voipbin.activeflow(intent.activeflow_id)
        except NotFound:
            return Looked(Look.GONE)
        except NotOurs:
            return Looked(Look.UNREAD, why=NOT_SHOWN)
        except Failure as failure:
            return Looked(Look.UNREAD, why=failure.what, request_id=failure.request_id)
        if activeflow.customer_id != ours:
            return Looked(Look.GONE, why="it belongs to another customer's account")
        if activeflow.ended:
            return Looked(Look.ENDED, at=activeflow.updated_at)
        if intent.without_second_question:
            return Looked(Look.SAME, at=at)
        looked = await self._compare(intent, press, activeflow, asks_again=asks_again)
        return replace(looked, at=at) if looked.look is Look.SAME else looked

    async def _compare(self, intent: Intent, press: Press, activeflow: Activeflow, *, asks_again: bool) -> Looked:
        sight = await look_at(self._voipbin, activeflow, now=self._now(), within=self._patience.side_look)
        if as_it_was(intent.seen, activeflow, sight.situation):
            return Looked(Look.SAME)
        now = self._now()
        moved = record_of(intent, press, What.MOVED, now, was=intent.seen.kind, now=sight.situation.kind)
        try:
            if asks_again:
                return await self._ask_again(intent, press, as_seen(sight), moved)
            await self._ledger.record(moved)
        except LedgerUnavailable as failure:
            return Looked(Look.UNREAD, why=failure.what)
        return Looked(Look.MOVED, at=now, why=sight.situation.words)

    async def _ask_again(self, intent: Intent, press: Press, seen_now: Seen, moved: Record) -> Looked:
        # Derived, so that a run cut off after writing finds its own intent again; as unguessable as the one before.
        anew = renewed(
            intent,
            id_=sha256(f"{intent.id}/{press.id}".encode()).hexdigest()[:32],
            seen_now=seen_now,
            at=moved.at,
            deadline=moved.at + self._policy().rules.confirm_within,
        )
        replaced = await self._ledger.open_intent(anew, moved, instead_of=intent.id)
        return Looked(Look.MOVED, at=moved.at, renewed=anew if replaced else None)

    async def claim(self, intent: Intent, press: Press) -> Claim:
        """The one right to stop this activeflow, or who has it."""
        try:
            return await self._ledger.claim(intent, press)
        except LedgerUnavailable as failure:
            return Claim(mine=False, unwritten=failure.what)


def not_claimed(claim: Claim, intent: Intent) -> Declined:
    """The words for a press that came second."""
    if claim.unwritten:
        return Declined(Why.LEDGER, claim.unwritten, activeflow_id=intent.activeflow_id)
    if claim.by:
        return Declined(Why.TAKEN, by=claim.by, activeflow_id=intent.activeflow_id)
    return Declined(_OVER.get(claim.state, Why.OVER), activeflow_id=intent.activeflow_id)
