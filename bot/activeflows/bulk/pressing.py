"""Before a bulk stop begins: may this person press it, and which of its members?

Decided anew at the press, by the same function as everywhere, for each flow in the list: what the presser's grant does
not cover is left. Nobody approves their own, nor what they asked for when they might not; who may only approve may press
what somebody else, who still may stop in bulk, has asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.activeflows.bulk.bulks import Bulk, BulkState, Run
from bot.activeflows.bulk.ports import BulkLedger
from bot.activeflows.errors import IdentityUnknown, LedgerUnavailable
from bot.activeflows.operators import Decision, Operator, Permission, Policy
from bot.activeflows.records import Record, What
from bot.activeflows.stopping.ports import Ledger, People
from bot.activeflows.stopping.stops import Declined, Press, Why

_OVER = {
    BulkState.DONE: Why.OVER,
    BulkState.CANCELLED: Why.CANCELLED,
    BulkState.STOPPING: Why.TAKEN,
    BulkState.ABORTING: Why.TAKEN,
}


@dataclass(frozen=True, slots=True)
class BulkAdmission:
    """``declined`` is ``None`` when it may begin: with the members of these ``numbers``, nothing sent after ``until``."""

    bulk: Bulk | None = None
    declined: Declined | None = None
    numbers: tuple[int, ...] = ()
    until: datetime | None = None


def bulk_record(bulk: Bulk, press: Press, what: What, at: datetime, **detail: str | int | bool | None) -> Record:
    """A record about this press on this bulk as a whole."""
    return Record(
        key=f"{press.id}/{what}",
        at=at,
        what=what,
        who=press.by,
        channel=press.channel,
        activeflow_id=None,
        intent_id=bulk.id,
        reason=bulk.reason,
        detail={**detail, "bulk": bulk.id},
    )


class PressingBulk:
    """Admits or declines presses on bulk cards."""

    def __init__(
        self,
        bulks: BulkLedger,
        ledger: Ledger,
        people: People,
        *,
        policy: Callable[[], Policy],
        now: Callable[[], datetime],
    ) -> None:
        self._bulks, self._ledger, self._people = bulks, ledger, people
        self._policy, self._now = policy, now

    async def admit(self, press: Press) -> BulkAdmission:
        """The bulk if it can be pressed by this person, here, now. The decision goes into the audit first."""
        try:
            found = await self._bulks.bulk(press.intent_id)
            if found is None:
                return BulkAdmission(declined=Declined(Why.NO_SUCH_CARD))
            bulk, run = found
            if run.state in _OVER:
                return BulkAdmission(bulk, Declined(_OVER[run.state], by=run.by))
            return await self._decide(bulk, run, press)
        except LedgerUnavailable as failure:
            return BulkAdmission(declined=Declined(Why.LEDGER, failure.what))

    async def _decide(self, bulk: Bulk, run: Run, press: Press) -> BulkAdmission:
        if run.state is BulkState.EXPIRED or bulk.late(self._now()):
            return await self._decline(bulk, press, Declined(Why.LATE, "past the deadline"))
        try:
            operator = await self._people.fresh(press.by, press.channel, team=press.team)
            asker = operator
            if press.by != bulk.asked_by and not bulk.on_behalf and operator.may(Permission.APPROVE):
                asker = await self._people.fresh(bulk.asked_by, bulk.channel)
        except IdentityUnknown as failure:
            return await self._decline(bulk, press, Declined(Why.IDENTITY_UNKNOWN, failure.what))
        allowed = {m.number: d for m in bulk.members if (d := _decision(operator, asker, m.flow_id)).allowed}
        if not allowed:
            no = operator.decide(Permission.BULK, bulk.members[0].flow_id)
            return await self._decline(bulk, press, Declined(Why.NOT_PERMITTED, no.because, no.who_may))
        needs_another = bulk.on_behalf or "bulk" in self._policy().rules.two_person
        if needs_another and press.by == bulk.asked_by:
            return await self._decline(bulk, press, Declined(Why.OWN_REQUEST, "a second person must press"))
        if self._policy().rules.reason_required and not bulk.reason:
            return await self._decline(bulk, press, Declined(Why.NO_REASON, "a reason is required"))
        first = next(iter(allowed.values()))
        pressed = bulk_record(
            bulk, press, What.PRESSED, self._now(), because=first.because, grant=first.grant,
            asked_by=bulk.asked_by, count=len(allowed),
        )  # fmt: skip
        await self._ledger.record(pressed)
        until = press.at + self._policy().rules.confirm_within
        return BulkAdmission(bulk, numbers=tuple(allowed), until=until)

    async def _decline(self, bulk: Bulk, press: Press, declined: Declined) -> BulkAdmission:
        record = bulk_record(bulk, press, What.REFUSED, self._now(), because=declined.because, why=str(declined.why))
        await self._ledger.record(record)
        return BulkAdmission(bulk, declined)


def _decision(operator: Operator, asker: Operator, flow_id: UUID | None) -> Decision:
    """For one member. ``asker`` is the operator when they need nobody else's permission, or asked themselves."""
    decision = operator.decide(Permission.BULK, flow_id)
    if decision.allowed or asker is operator:
        return decision
    approval = operator.decide(Permission.APPROVE, flow_id)
    return approval if approval.allowed and asker.may(Permission.BULK, flow_id) else decision
