"""Prepare a bulk stop as its card will show it, or say why there is no card. Nothing is recorded here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.activeflows.bulk.bulk_stop import Bulk, Group, grouped
from bot.activeflows.bulk.criteria import Wanted
from bot.activeflows.bulk.snapshot import BulkSnapshot, Frozen
from bot.activeflows.operators import Operator
from bot.activeflows.queries.filters import Filters


class NoCard(StrEnum):
    """Why there is nothing to press."""

    NOTHING_FITS = "nothing fits"
    TOO_MANY = "too many"
    NO_REASON = "no reason"


@dataclass(frozen=True, slots=True)
class Unasked:
    """An answer instead of a card. ``on_behalf``: to somebody who may not stop in bulk."""

    why: NoCard
    filters: Filters
    count: int = 0
    limit: int = 0
    groups: tuple[Group, ...] = ()
    frozen: Frozen | None = None
    on_behalf: bool = False


class BulkPreparation:
    """``on_behalf``: for somebody who may see and not stop in bulk, so what they may see is listed."""

    def __init__(self, freezing: BulkSnapshot, *, now: Callable[[], datetime]) -> None:
        self._freezing, self._now = freezing, now

    async def look(self, operator: Operator, wanted: Wanted, *, on_behalf: bool = False) -> Frozen | Unasked:
        """What a card would list, or why there is none. Raises a ``Failure``."""
        rules, filters = operator.policy.rules, wanted.filters
        if rules.reason_required and not wanted.reason:
            return Unasked(NoCard.NO_REASON, filters)
        frozen = await self._freezing.freeze(operator, filters, among=wanted.among, on_behalf=on_behalf)
        count = len(frozen.members)
        if wanted.oldest and count > rules.bulk_limit:
            left = replace(frozen.left, newer=count - rules.bulk_limit)
            return replace(frozen, members=frozen.members[: rules.bulk_limit], left=left)
        if not count:
            return Unasked(NoCard.NOTHING_FITS, filters, frozen=frozen, on_behalf=on_behalf)
        if count > rules.bulk_limit:
            groups = grouped(frozen.members)
            return Unasked(NoCard.TOO_MANY, filters, count, rules.bulk_limit, groups, frozen, on_behalf)
        return frozen

    async def prepare(self, operator: Operator, wanted: Wanted, *, on_behalf: bool = False) -> Bulk | Unasked:
        """The bulk for a card in this channel. Raises a ``Failure``."""
        frozen = await self.look(operator, wanted, on_behalf=on_behalf)
        if isinstance(frozen, Unasked):
            return frozen
        sample, rules = await self._freezing.sample(frozen.members), operator.policy.rules
        at = self._now()
        return Bulk(
            id=operator.new_card(),
            filters=wanted.filters,
            members=frozen.members,
            asked_by=operator.person.id,
            channel=operator.channel,
            reason=wanted.reason,
            asked_at=at,
            deadline=at + rules.confirm_within,
            as_of=frozen.as_of,
            complete_since=frozen.complete_since,
            left=frozen.left,
            sample=sample,
            second_person="bulk" in rules.two_person,
            on_behalf=on_behalf,
            limit=rules.bulk_limit,
            thread=operator.thread,
        )
