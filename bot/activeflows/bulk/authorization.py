"""Decide before a bulk stop begins: may this person press it, and which of its members?

Decided anew at the press (``stopping.authorization``), by the same function as everywhere, for each flow in the list:
what the presser's grant does not cover is left. The gate decides the same once more for each member, straight before
its stop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.activeflows.bulk.bulk_stop import Bulk, BulkState, Run, card_terms
from bot.activeflows.bulk.ports import BulkLedger
from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.records import RecordKind, record_on
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.authorization import Act, Authorization
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.stop import Declined, DeclineReason, Press

OVER = {
    BulkState.DONE: DeclineReason.OVER,
    BulkState.CANCELLED: DeclineReason.CANCELLED,
    BulkState.STOPPING: DeclineReason.TAKEN,
    BulkState.ABORTING: DeclineReason.TAKEN,
}


@dataclass(frozen=True, slots=True)
class BulkAdmission:
    """``declined`` is ``None`` when it may begin: with the members of these ``numbers``, nothing sent after
    ``until``.
    """

    bulk: Bulk | None = None
    declined: Declined | None = None
    numbers: tuple[int, ...] = ()
    until: datetime | None = None


class BulkPressAdmission:
    """Admits or declines presses on bulk cards."""

    def __init__(
        self,
        bulks: BulkLedger,
        ledger: Ledger,
        authorization: Authorization,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._bulks, self._ledger, self._authorization, self._now = bulks, ledger, authorization, now

    async def admit(self, press: Press) -> BulkAdmission:
        """Return the bulk if it can be pressed by this person, here, now. The decision goes into the audit first."""
        try:
            found = await self._bulks.bulk(press.intent_id)
            if found is None:
                return BulkAdmission(declined=Declined(DeclineReason.NO_SUCH_CARD))
            bulk, run = found
            if run.state in OVER and run.press_id != press.id:  # of this very press: it goes on after a restart
                return BulkAdmission(bulk, Declined(OVER[run.state], by=run.by))
            return await self._decide(bulk, run, press)
        except LedgerUnavailable as failure:
            return BulkAdmission(declined=Declined(DeclineReason.LEDGER, failure.what))

    async def _decide(self, bulk: Bulk, run: Run, press: Press) -> BulkAdmission:
        if run.state is BulkState.EXPIRED or bulk.late(self._now()):
            return await self._decline(bulk, press, Declined(DeclineReason.LATE, "past the deadline"))
        decided = await self._authorization.of(Act.STOP, card_terms(bulk), press, max_age=max_ages.FACTS_AT_PRESS)
        if isinstance(decided, Declined):
            return await self._decline(bulk, press, decided)
        allowed = {m.number: m.flow_id for m in bulk.members if decided.decisions[m.flow_id].allowed}
        detail = decided.detail(next(iter(allowed.values())))
        detail |= {"asked_by": bulk.asked_by, "count": len(allowed)}
        await self._ledger.record(
            record_on(
                bulk, RecordKind.PRESSED, self._now(), press.actor, key=f"{press.id}/{RecordKind.PRESSED}", **detail
            )
        )
        until = press.at + decided.policy.rules.confirm_within
        return BulkAdmission(bulk, numbers=tuple(allowed), until=until)

    async def _decline(self, bulk: Bulk, press: Press, declined: Declined) -> BulkAdmission:
        key, why = f"{press.id}/{RecordKind.REFUSED}", str(declined.why)
        record = record_on(
            bulk, RecordKind.REFUSED, self._now(), press.actor, key=key, because=declined.because, why=why
        )
        await self._ledger.record(record)
        return BulkAdmission(bulk, declined)
