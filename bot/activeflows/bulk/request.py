"""Ask for a bulk stop: what ``/flows stop all`` and the buttons around it do. Nothing is stopped here.

The card that shows the frozen list is public. Above the ceiling, without a reason where the rules want one, or when
nothing fits, there is no card but an answer that says what to type. Somebody who may see and not stop in bulk puts the
same wish to those who may: a draft first, and a list frozen of it when they ask.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final
from uuid import UUID

from bot.activeflows.bulk.bulk_stop import (
    Bulk,
    BulkCriteria,
    BulkState,
    Draft,
    MemberGroup,
    Origin,
    Run,
    grouped,
    remainder,
)
from bot.activeflows.bulk.ports import BulkLedger, Sources
from bot.activeflows.bulk.snapshot import BulkSnapshot, FrozenList
from bot.activeflows.errors import NotPermitted
from bot.activeflows.operators import ANY_FLOW, AnyFlow, Operator, Permission, Policy
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.records import Record, RecordKind, record_on
from bot.activeflows.stopping.request import ApprovalRequest, by_policy_in_force

# ---------------------------------------------------------------- preparation
# Prepare a bulk stop as its card will show it, or say why there is no card. Nothing is recorded here.


class NoCard(StrEnum):
    """Why there is nothing to press."""

    NOTHING_FITS = "nothing fits"
    TOO_MANY = "too many"
    NO_REASON = "no reason"


@dataclass(frozen=True, slots=True)
class CardRefusal:
    """An answer instead of a card. ``on_behalf``: to somebody who may not stop in bulk."""

    why: NoCard
    filters: Filters
    count: int = 0
    limit: int = 0
    groups: tuple[MemberGroup, ...] = ()
    frozen: FrozenList | None = None
    on_behalf: bool = False


class BulkPreparation:
    """``on_behalf``: for somebody who may see and not stop in bulk, so what they may see is listed."""

    def __init__(self, freezing: BulkSnapshot, *, now: Callable[[], datetime]) -> None:
        self._freezing, self._now = freezing, now

    async def look(
        self, operator: Operator, wanted: BulkCriteria, *, on_behalf: bool = False
    ) -> FrozenList | CardRefusal:
        """Return what a card would list, or why there is none. Raises a ``Failure``."""
        rules, filters = operator.policy.rules, wanted.filters
        if rules.reason_required and not wanted.reason:
            return CardRefusal(NoCard.NO_REASON, filters)
        frozen = await self._freezing.freeze(operator, filters, among=wanted.among, on_behalf=on_behalf)
        count = len(frozen.members)
        if wanted.oldest and count > rules.bulk_limit:
            left = replace(frozen.left, newer=count - rules.bulk_limit)
            return replace(frozen, members=frozen.members[: rules.bulk_limit], left=left)
        if not count:
            return CardRefusal(NoCard.NOTHING_FITS, filters, frozen=frozen, on_behalf=on_behalf)
        if count > rules.bulk_limit:
            groups = grouped(frozen.members)
            return CardRefusal(NoCard.TOO_MANY, filters, count, rules.bulk_limit, groups, frozen, on_behalf)
        return frozen

    async def prepare(self, operator: Operator, wanted: BulkCriteria, *, on_behalf: bool = False) -> Bulk | CardRefusal:
        """Return the bulk for a card in this channel. Raises a ``Failure``."""
        frozen = await self.look(operator, wanted, on_behalf=on_behalf)
        if isinstance(frozen, CardRefusal):
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


# ---------------------------------------------------------------- origin
# Find what started the members of a bulk stop, and whether that goes on: campaigns that dial, numbers bound to their
# flows.
#
# Only what VoIPBIN says goes on is told: what could not be read, or is not among the newest hundred of its lists, is
# not. It costs two requests, and one more for each campaign, five at most.

_MOST: Final = 3
"""Campaigns that are asked about: those of the most members."""


class OriginLookup:
    """Reads; nothing is changed here."""

    def __init__(self, sources: Sources, *, now: Callable[[], datetime], within: float = 10.0) -> None:
        """``within``: seconds for each of two rounds of questions."""
        self._sources, self._now, self._within = sources, now, within

    async def of(self, bulk: Bulk) -> Origin:
        """Return what goes on. Raises nothing that VoIPBIN does."""
        at = self._now()  # what is said to be still so was so then
        dialled, bound = await asyncio.gather(
            in_time(self._sources.campaign_calls, self._within), in_time(self._sources.bound_flows, self._within)
        )
        members = {member.activeflow_id for member in bulk.members}
        counts = Counter(call.campaign_id for call in dialled.value or () if call.activeflow_id in members)
        most = [campaign_id for campaign_id, _ in counts.most_common(_MOST)]
        looks = await asyncio.gather(*(in_time(partial(self._sources.campaign, id_), self._within) for id_ in most))
        campaigns = [look.value for look in looks if look.value is not None]
        names = {member.flow_id: member.flow_name for member in bulk.members if member.is_call and member.flow_id}
        numbers = Counter(flow_id for flow_id in bound.value or () if flow_id in names)
        return Origin(
            campaigns=tuple(campaign.name for campaign in campaigns if campaign.dialling),
            numbers=tuple((names[flow_id], count) for flow_id, count in numbers.most_common(_MOST)),
            as_of=at,
        )


# ---------------------------------------------------------------- request


class BulkRequests:
    """Opens bulk stops, puts them to others, puts them away and aborts them."""

    def __init__(
        self,
        ledger: BulkLedger,
        preparing: BulkPreparation,
        *,
        policy: Callable[[], Policy],
        now: Callable[[], datetime],
    ) -> None:
        """``policy``: the one in force."""
        self._ledger, self._preparing, self._policy, self._now = ledger, preparing, policy, now

    async def ask(self, operator: Operator, wanted: BulkCriteria) -> Bulk | CardRefusal | None:
        """Return the bulk for a card, frozen and written down; ``None`` when this delivery made one before.

        Raises ``NotPermitted`` before anything is read, or a ``Failure``.
        """

        async def prepare(operator: Operator) -> Bulk | CardRefusal:
            operator.require(Permission.BULK)
            return await self._preparing.prepare(operator, wanted)

        operator, bulk = await by_policy_in_force(operator, self._policy, prepare)
        if isinstance(bulk, CardRefusal):
            return bulk
        because = operator.require(Permission.BULK).because
        return bulk if await self._ledger.open_bulk(bulk, self._asked(bulk, operator, because)) else None

    async def rest(self, bulk_id: str) -> BulkCriteria | None:
        """Return what is left of one that is over, to be asked for anew, as anything is. ``None``: no such card."""
        found = await self._ledger.bulk(bulk_id)
        if found is None:
            return None
        bulk, run = found
        return BulkCriteria(
            bulk.filters, bulk.reason, frozenset(member.activeflow_id for member in remainder(bulk, run))
        )

    async def draft(self, operator: Operator, wanted: BulkCriteria) -> Draft | CardRefusal:
        """Draft a bulk stop for somebody who may see and not stop in bulk: the wish, to be put to those who may.

        What fits now is counted, so that nothing is offered that could not be asked. Raises ``NotPermitted`` when they
        may not even see, or nobody can be asked, or a ``Failure``.
        """

        async def look(operator: Operator) -> FrozenList | CardRefusal:
            operator.require(Permission.VIEW)
            _require_somebody(operator, operator.policy.rules.ask_in or operator.channel, [ANY_FLOW])
            return await self._preparing.look(operator, wanted, on_behalf=True)

        operator, frozen = await by_policy_in_force(operator, self._policy, look)
        if isinstance(frozen, CardRefusal):
            return frozen
        channel = operator.policy.rules.ask_in or operator.channel
        _require_somebody(operator, channel, (member.flow_id for member in frozen.members))
        draft = Draft(operator.new_card(), wanted, operator.person.id, operator.channel)
        await self._ledger.draft_bulk(draft)
        return draft

    async def request_approval(self, operator: Operator, bulk_id: str) -> ApprovalRequest[Bulk] | CardRefusal | None:
        """Put a bulk stop to those who may: freeze and open one's own draft, or point at a card that is open already.

        ``None`` when there is nothing to be pressed (any more). Raises ``NotPermitted`` for somebody who may not see,
        or a ``Failure``.
        """
        draft = await self._ledger.drafted(bulk_id)
        if draft is not None and operator.person.known_as(draft.asked_by):
            opened = await self._open(replace(operator, channel=draft.channel), draft)
            if opened is not None:
                return opened
        found = await self._ledger.bulk(bulk_id)
        operator = replace(operator, policy=self._policy())  # the ledger may have taken a while, as in the next two
        operator.require(Permission.VIEW)
        if found is None or found[1].state is not BulkState.OPEN or found[0].late(self._now()):
            return None
        bulk = found[0]
        return ApprovalRequest(bulk, _askable(operator, bulk.channel, (m.flow_id for m in bulk.members)), opened=False)

    async def put_away(self, operator: Operator, bulk_id: str) -> tuple[Bulk, Run, bool] | None:
        """Cancel an open card: whoever asked for it, or may stop in bulk, may. ``None``: no such card.

        The last says whether it was cancelled now. Raises ``NotPermitted``.
        """
        found = await self._ledger.bulk(bulk_id)
        if found is None:
            return None
        bulk, _ = found
        if not operator.person.known_as(bulk.asked_by):
            replace(operator, policy=self._policy()).require(Permission.BULK)
        record = record_on(bulk, RecordKind.CANCELLED, self._now(), operator.actor)
        away = await self._ledger.put_bulk_away(bulk.id, operator.person.id, record)
        found = await self._ledger.bulk(bulk_id)
        return None if found is None else (*found, away)

    async def abort(self, operator: Operator, bulk_id: str) -> bool:
        """Let it go no further: for anybody who may stop one of its flows. False when it is not under way."""
        found = await self._ledger.bulk(bulk_id)
        if found is None:
            return False
        bulk, _ = found
        operator, flows = replace(operator, policy=self._policy()), {member.flow_id for member in bulk.members}
        if not any(
            operator.may(permission, flow) for flow in flows for permission in (Permission.STOP, Permission.BULK)
        ):
            operator.require(Permission.STOP, bulk.members[0].flow_id)
        key = f"{bulk.id}/{RecordKind.ABORTED}/{operator.person.id}"
        record = record_on(bulk, RecordKind.ABORTED, self._now(), operator.actor, key=key)
        return await self._ledger.abort_bulk(bulk.id, operator.person.id, record)

    async def _open(self, operator: Operator, draft: Draft) -> ApprovalRequest[Bulk] | CardRefusal | None:
        """Open the draft; ``None`` when somebody has opened it in this moment."""

        async def prepare(operator: Operator) -> Bulk | CardRefusal:
            operator.require(Permission.VIEW)
            return await self._preparing.prepare(operator, draft.wanted, on_behalf=True)

        operator, bulk = await by_policy_in_force(operator, self._policy, prepare)
        if isinstance(bulk, CardRefusal):
            return bulk
        channel = operator.policy.rules.ask_in or draft.channel
        bulk = replace(bulk, id=draft.id, channel=channel, thread=bulk.thread if channel == draft.channel else "")
        who_may = _askable(operator, bulk.channel, (member.flow_id for member in bulk.members))
        opened = await self._ledger.open_draft(bulk, self._asked(bulk, operator, "asks those who may"))
        return ApprovalRequest(bulk, who_may, opened=True) if opened else None

    def _asked(self, bulk: Bulk, operator: Operator, because: str) -> Record:
        count, filters = len(bulk.members), bulk.filters.words()
        return record_on(
            bulk, RecordKind.ASKED, self._now(), operator.actor, because=because, count=count, filters=filters
        )


def _askable(operator: Operator, channel: str, flows: Iterable[UUID | AnyFlow | None]) -> tuple[str, ...]:
    """Return the ids of those who may stop some of these flows in bulk, in that channel."""
    there = replace(operator, channel=channel)
    names = (name for flow in dict.fromkeys(flows) for name in there.decide(Permission.BULK, flow).who_may)
    return tuple(dict.fromkeys(names))


def _require_somebody(operator: Operator, channel: str, flows: Iterable[UUID | AnyFlow | None]) -> None:
    if not _askable(operator, channel, flows):
        raise NotPermitted(operator.decide(Permission.BULK))
