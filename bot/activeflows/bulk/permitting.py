"""Who may stop what in bulk: decided at the press for the whole list, and anew for each member when its turn comes.

The same decision both times, with approvals and rules, by the policy in force in that moment. Whoever is taken out of a
group, deactivated, or left out of the policy in mid-bulk stops nothing more: not the next member, no second time what did
not obey the first time, and not after a restart.

Decisions:

* At the press Slack is asked anew. For a member its answer may be some seconds old (``People.recent``): a bulk stop of
  five hundred does not ask five hundred times when nothing changes, and Slack would refuse that. The policy is never old.
* An unanswered question is a no, yet a short trouble of Slack's does not end a bulk stop: the member waits, nothing is
  sent for it meanwhile, and Slack is asked again until ``Patience.unanswered`` is over. Then it is a no as any other. The
  card says that it waits, as far as this process knows (``unanswered``).
* A no is written down with its reason, and ends the bulk stop; what is left can be asked for and pressed again.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from bot.activeflows.bulk.bulks import Bulk
from bot.activeflows.bulk.ports import People
from bot.activeflows.errors import IdentityUnknown, LedgerUnavailable
from bot.activeflows.operators import Decision, Operator, Permission, Policy
from bot.activeflows.records import What
from bot.activeflows.stopping.patience import Patience
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.pressing import record_of
from bot.activeflows.stopping.stops import Declined, Intent, Press, Why


class _Ask(Protocol):
    def __call__(self, user_id: str, channel: str, *, team: str = "") -> Awaitable[Operator]: ...


class Permitting:
    """Decides, at the press and at each turn."""

    def __init__(
        self,
        ledger: Ledger,
        people: People,
        *,
        policy: Callable[[], Policy],
        patience: Patience,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger, self._people, self._policy = ledger, people, policy
        self._patience, self._now = patience, now
        self._unanswered: Counter[str] = Counter()

    def unanswered(self, bulk_id: str) -> bool:
        """Whether members of this bulk wait in this process for Slack to answer, after it did not at first."""
        return self._unanswered[bulk_id] > 0

    async def press(self, bulk: Bulk, press: Press) -> Mapping[UUID | None, Decision] | Declined:
        """What is decided for each flow of the list; or why the press does not count at all."""
        flows = [member.flow_id for member in bulk.members]
        return await self._answered(bulk, press, flows, self._people.fresh)

    async def still(self, intent: Intent, press: Press) -> Declined | None:
        """Why this member is not to be stopped any more, written down; ``None`` when it is.

        Waits for Slack's answer for as long as the patience for that lasts, and never past the member's deadline.
        """
        decided = await self._patiently(intent, press)
        if not isinstance(decided, Declined):
            return None
        detail = {"because": decided.because, "why": str(decided.why)}
        with suppress(LedgerUnavailable):  # it is a no all the same
            await self._ledger.record(record_of(intent, press, What.REFUSED, self._now(), **detail))
        return decided

    async def _patiently(self, intent: Intent, press: Press) -> Mapping[UUID | None, Decision] | Declined:
        patient_until = min(intent.deadline, self._now() + timedelta(seconds=self._patience.unanswered))
        decided = await self._answered(intent, press, [intent.flow_id], self._people.recent)
        while _is_unanswered(decided) and self._now() < patient_until:
            with self._waiting(intent.bulk_id):
                await asyncio.sleep(self._patience.rest)
                decided = await self._answered(intent, press, [intent.flow_id], self._people.recent)
        return decided

    async def _answered(
        self, asked: Bulk | Intent, press: Press, flows: Iterable[UUID | None], ask: _Ask
    ) -> Mapping[UUID | None, Decision] | Declined:
        try:
            return await self._decide(asked, press, flows, ask)
        except IdentityUnknown as failure:
            return Declined(Why.IDENTITY_UNKNOWN, failure.what)

    @contextmanager
    def _waiting(self, bulk_id: str) -> Iterator[None]:
        self._unanswered[bulk_id] += 1
        try:
            yield
        finally:
            self._unanswered -= Counter((bulk_id,))  # which forgets what is at zero

    async def _decide(
        self, asked: Bulk | Intent, press: Press, flows: Iterable[UUID | None], ask: _Ask
    ) -> Mapping[UUID | None, Decision] | Declined:
        """As ``press``. Raises ``IdentityUnknown`` when Slack does not answer."""
        operator = await ask(press.by, press.channel, team=press.team)
        asker = operator
        if press.by != asked.asked_by and not asked.on_behalf and operator.may(Permission.APPROVE):
            asker = await ask(asked.asked_by, asked.channel)
        policy = self._policy()
        if policy != operator.policy or policy != asker.policy:  # it changed meanwhile, and may name other groups
            return await self._decide(asked, press, flows, ask)
        decisions = {flow: _decision(operator, asker, flow) for flow in flows}
        if not any(decision.allowed for decision in decisions.values()):
            no = next(iter(decisions.values()))
            return Declined(Why.NOT_PERMITTED, no.because, no.who_may)
        if (asked.on_behalf or "bulk" in policy.rules.two_person) and press.by == asked.asked_by:
            return Declined(Why.OWN_REQUEST, "a second person must press")
        if policy.rules.reason_required and not asked.reason:
            return Declined(Why.NO_REASON, "a reason is required")
        return decisions


def _is_unanswered(decided: Mapping[UUID | None, Decision] | Declined) -> bool:
    return isinstance(decided, Declined) and decided.why is Why.IDENTITY_UNKNOWN


def _decision(operator: Operator, asker: Operator, flow_id: UUID | None) -> Decision:
    """For one flow. ``asker`` is the operator when they need nobody else's permission, or asked themselves."""
    decision = operator.decide(Permission.BULK, flow_id)
    if decision.allowed or asker is operator:
        return decision
    approval = operator.decide(Permission.APPROVE, flow_id)
    if not approval.allowed:
        return decision
    asked = asker.decide(Permission.BULK, flow_id)
    return approval if asked.allowed else replace(decision, because=f"whoever asked may not any more: {asked.because}")
