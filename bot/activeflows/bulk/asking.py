"""Asking for a bulk stop: what ``/flows stop all`` and the buttons around it do. Nothing is stopped here.

The card that shows the frozen list is public. Above the ceiling, without a reason where the rules want one, or when
nothing fits, there is no card but an answer that says what to type.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from bot.activeflows.bulk.bulks import Bulk, Group, Run, grouped, remainder
from bot.activeflows.bulk.freezing import Freezing, Frozen
from bot.activeflows.bulk.ports import BulkLedger
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.reading.filters import Filters
from bot.activeflows.records import Record, What


class NoCard(StrEnum):
    """Why there is nothing to press."""

    NOTHING_FITS = "nothing fits"
    TOO_MANY = "too many"
    NO_REASON = "no reason"
    UNKNOWN = "unknown"  # the card it was asked from is not known any more


@dataclass(frozen=True, slots=True)
class Unasked:
    """An answer instead of a card."""

    why: NoCard
    filters: Filters
    count: int = 0
    limit: int = 0
    groups: tuple[Group, ...] = ()
    frozen: Frozen | None = None


class AskingBulk:
    """Opens, puts away and aborts bulk stops."""

    def __init__(self, ledger: BulkLedger, freezing: Freezing, *, now: Callable[[], datetime]) -> None:
        self._ledger, self._freezing, self._now = ledger, freezing, now

    async def ask(self, operator: Operator, filters: Filters, *, reason: str = "") -> Bulk | Unasked:
        """The bulk for a card, frozen and written down. Raises ``NotPermitted`` before anything is read, or a ``Failure``."""
        operator.require(Permission.BULK)
        if operator.policy.rules.reason_required and not reason:
            return Unasked(NoCard.NO_REASON, filters)
        return await self._open(operator, filters, reason)

    async def again(self, operator: Operator, bulk_id: str) -> Bulk | Unasked:
        """What is left of one that is over, read and frozen anew: a bulk of its own. Raises as ``ask`` does."""
        operator.require(Permission.BULK)
        found = await self._ledger.bulk(bulk_id)
        if found is None:
            return Unasked(NoCard.UNKNOWN, Filters())
        bulk, run = found
        among = frozenset(member.activeflow_id for member in remainder(bulk, run))
        return await self._open(operator, bulk.filters, bulk.reason, among=among)

    async def put_away(self, operator: Operator, bulk_id: str) -> tuple[Bulk, Run, bool] | None:
        """Cancel an open card: whoever asked for it, or may stop in bulk, may. ``None``: no such card.

        The last says whether it was cancelled now. Raises ``NotPermitted``.
        """
        found = await self._ledger.bulk(bulk_id)
        if found is None:
            return None
        bulk, _ = found
        if operator.person.id != bulk.asked_by:
            operator.require(Permission.BULK)
        record = self._record(bulk, What.CANCELLED, operator, f"{bulk.id}/{What.CANCELLED}")
        away = await self._ledger.put_bulk_away(bulk.id, operator.person.id, record)
        found = await self._ledger.bulk(bulk_id)
        return None if found is None else (*found, away)

    async def abort(self, operator: Operator, bulk_id: str) -> bool:
        """Let it go no further: for anybody who may stop one of its flows. False when it is not under way."""
        found = await self._ledger.bulk(bulk_id)
        if found is None:
            return False
        bulk, _ = found
        flows = {member.flow_id for member in bulk.members}
        if not any(
            operator.may(permission, flow) for flow in flows for permission in (Permission.STOP, Permission.BULK)
        ):
            operator.require(Permission.STOP, bulk.members[0].flow_id)
        record = self._record(bulk, What.ABORTED, operator, f"{bulk.id}/{What.ABORTED}/{operator.person.id}")
        return await self._ledger.abort_bulk(bulk.id, operator.person.id, record)

    async def _open(
        self, operator: Operator, filters: Filters, reason: str, *, among: frozenset[UUID] | None = None
    ) -> Bulk | Unasked:
        frozen = await self._freezing.freeze(operator, filters, among=among)
        limit = operator.policy.rules.bulk_limit
        if not frozen.members:
            return Unasked(NoCard.NOTHING_FITS, filters, frozen=frozen)
        if len(frozen.members) > limit:
            return Unasked(NoCard.TOO_MANY, filters, len(frozen.members), limit, grouped(frozen.members), frozen)
        bulk = await self._bulk(operator, filters, reason, frozen)
        because = operator.decide(Permission.BULK).because
        detail: dict[str, str | int] = {"because": because, "count": len(bulk.members), "filters": filters.words()}
        asked = self._record(bulk, What.ASKED, operator, f"{bulk.id}/{What.ASKED}", **detail)
        await self._ledger.open_bulk(bulk, asked)
        return bulk

    async def _bulk(self, operator: Operator, filters: Filters, reason: str, frozen: Frozen) -> Bulk:
        sample, rules = await self._freezing.sample(frozen.members), operator.policy.rules
        at = self._now()
        return Bulk(
            id=secrets.token_hex(16),
            filters=filters,
            members=frozen.members,
            asked_by=operator.person.id,
            channel=operator.channel,
            reason=reason,
            asked_at=at,
            deadline=at + rules.confirm_within,
            as_of=frozen.as_of,
            complete_since=frozen.complete_since,
            left=frozen.left,
            sample=sample,
            second_person="bulk" in rules.two_person,
            limit=rules.bulk_limit,
        )

    def _record(self, bulk: Bulk, what: What, operator: Operator, key: str, **detail: str | int) -> Record:
        return Record(
            key=key,
            at=self._now(),
            what=what,
            who=operator.person.id,
            channel=operator.channel,
            activeflow_id=None,
            intent_id=bulk.id,
            reason=bulk.reason,
            detail={**detail, "bulk": bulk.id},
        )
