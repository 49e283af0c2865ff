"""Admit or decline a press: may this person press this card, here, now?

Decided at the press by the same function as everywhere (``authorization``): an old button, a lost permission, a guest and
a passed deadline end here, with a record and a reason. The gate decides the same once more, straight before anything is
sent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.records import Record, What, in_thread
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.authorization import Act, Authorization, asked_of
from bot.activeflows.stopping.claims import Claim
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.stop import Declined, Intent, IntentState, Press, Why, Wish

_OVER = {
    IntentState.SETTLED: Why.OVER,
    IntentState.CANCELLED: Why.CANCELLED,
    IntentState.SUPERSEDED: Why.SUPERSEDED,
}
_HANG_UP_WITHIN: Final = timedelta(minutes=1)
"""From the press: a hang-up is never sent later, not even by a recovery."""


@dataclass(frozen=True, slots=True)
class Admission:
    """``declined`` is ``None`` when the press may be carried out. ``intent`` is the card's, when there is one."""

    intent: Intent | None = None
    declined: Declined | None = None


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
        detail=in_thread(detail, press.thread),
    )


class Admitting:
    """Admits or declines presses on stop cards, on *Stop flow* and on *Hang up the call*."""

    def __init__(self, ledger: Ledger, authorization: Authorization, *, now: Callable[[], datetime]) -> None:
        self._ledger, self._authorization, self._now = ledger, authorization, now

    async def admit(self, press: Press) -> Admission:
        """The intent if it can be pressed by this person, here, now. The decision goes into the audit first."""
        try:
            found = await self._ledger.intent(press.intent_id)
            if found is None:
                return Admission(declined=Declined(Why.NO_SUCH_CARD))
            intent, state = found
            if press.wish is Wish.HANG_UP:
                return await self._after_the_end(intent, state, press)
            if state in _OVER:
                return Admission(intent, Declined(_OVER[state], activeflow_id=intent.activeflow_id))
            if intent.late(self._now()):
                return await self._decline(intent, press, Declined(Why.LATE, "past the deadline"))
            if not intent.reason and press.reason:
                intent = replace(intent, reason=press.reason, reason_by=press.by)
            return await self._decide(Act.STOP, intent, press)
        except LedgerUnavailable as failure:
            return Admission(declined=Declined(Why.LEDGER, failure.what))

    async def _after_the_end(self, intent: Intent, state: IntentState, press: Press) -> Admission:
        """*Hang up the call* stands on a card that is over, and nowhere else."""
        if state is not IntentState.SETTLED:
            return Admission(declined=Declined(Why.NO_SUCH_CARD))
        return await self._decide(Act.HANG_UP, replace(intent, deadline=press.at + _HANG_UP_WITHIN), press)

    async def _decide(self, act: Act, intent: Intent, press: Press) -> Admission:
        asked = asked_of(intent)
        decided = await self._authorization.of(act, asked, press, max_age=max_ages.FACTS_AT_PRESS)
        if isinstance(decided, Declined):
            return await self._decline(intent, press, decided)
        detail = decided.detail(intent.flow_id)
        if act is Act.STOP:
            detail |= {"seen": intent.seen.kind, "asked_by": intent.asked_by, "now": intent.without_second_question}
        await self._ledger.record(record_of(intent, press, What.PRESSED, self._now(), **detail))
        return Admission(intent)

    async def _decline(self, intent: Intent, press: Press, declined: Declined) -> Admission:
        refused = record_of(intent, press, What.REFUSED, self._now(), because=declined.because, why=str(declined.why))
        await self._ledger.record(refused)
        return Admission(intent, replace(declined, activeflow_id=intent.activeflow_id))


def not_claimed(claim: Claim, intent: Intent) -> Declined:
    """The words for a press that came second."""
    if claim.unwritten:
        return Declined(Why.LEDGER, claim.unwritten, activeflow_id=intent.activeflow_id)
    if claim.by:
        return Declined(Why.TAKEN, by=claim.by, activeflow_id=intent.activeflow_id)
    return Declined(_OVER.get(claim.state, Why.OVER), activeflow_id=intent.activeflow_id)
