"""Freeze the list of a bulk stop: exactly which activeflows it means, at one moment, for one person.

Decisions: an activeflow of a flow that the person may not stop in bulk is counted and never listed; on behalf of
somebody who may stop none in bulk, all that they may see is listed, and whoever presses decides by their own grant. One
whose situation is only probable is not stopped by a filter on the situation: it is listed apart, as is one that is left
over only probably, because VoIPBIN did not say that its call is over. The oldest come first.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from bot.activeflows.anomalies import AnomalyDetector, DwellTimes, Reason, may_be_stale
from bot.activeflows.bulk.bulk_stop import Exclusions, Member
from bot.activeflows.model import Activeflow, Call, Flow, number_of
from bot.activeflows.names import closest_names
from bot.activeflows.numbers import masked
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.inspection import circle_of, in_time
from bot.activeflows.queries.resolution import MOST, flows, in_turns, queue_names, visible
from bot.activeflows.situation.current_step import Situation, queues_named, situation

SAMPLE: Final = 3


@dataclass(frozen=True, slots=True)
class FrozenList:
    """What fits, and what it was found in."""

    members: tuple[Member, ...]
    left: Exclusions
    as_of: datetime
    complete_since: datetime | None
    similar: tuple[str, ...] = ()
    """Flow names like the one asked for, when nothing fits."""


class BulkSnapshot:
    """Reads and sifts. Nothing is written down here."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        now: Callable[[], datetime],
        *,
        detector: AnomalyDetector | None = None,
        side_look: float = 1.5,
        filter_look: float = 8.0,
    ) -> None:
        """``detector``, ``side_look``, ``filter_look``: as in ``ActiveflowQueries``."""
        self._voipbin, self._now, self._detector = voipbin, now, detector or AnomalyDetector(DwellTimes())
        self._side_look, self._filter_look = side_look, filter_look

    async def freeze(
        self,
        operator: Operator,
        filters: Filters,
        *,
        among: frozenset[UUID] | None = None,
        on_behalf: bool = False,
    ) -> FrozenList:
        """Return what runs and fits, read now. ``among``: only these. ``on_behalf``: what they may see. Raises a
        ``Failure``.
        """
        picture = await self._voipbin.picture(max_age=0.0)
        now = self._now()
        fitting = filters.among(picture.activeflows, now)
        listed = visible(self._voipbin, operator, fitting) if on_behalf else self._stoppable(operator, fitting)
        mine = [a for a in listed if among is None or a.id in among]
        known = await flows(self._voipbin, (a.flow_id for a in mine), within=self._filter_look)
        named = [a for a in mine if filters.flow is None or a.flow_id is None or a.flow_id in known]
        queues = dict[UUID, None]()
        async for a in in_turns(named):
            queues |= dict.fromkeys(queues_named(a, flow=_flow_of(a, known)))
        names = await queue_names(self._voipbin, queues, within=self._side_look)
        calls = await self._calls_of_the_old(named, now) if Reason.STALE in filters.reasons else {}
        followers = await flows(self._voipbin, (a.on_complete_flow_id for a in named), within=self._side_look)
        members, uncertain = await self._sifted(named, filters, known, names, calls, followers, now)
        hidden = 0 if among is not None else len(fitting) - len(mine)
        left = Exclusions(tuple(uncertain), hidden, len(mine) - len(named))
        similar = () if members or filters.flow is None else _similar(filters.flow, known.values())
        return FrozenList(tuple(members), left, picture.as_of, picture.complete_since, similar)

    async def more(
        self, operator: Operator, filters: Filters, listed: frozenset[UUID], *, on_behalf: bool = False
    ) -> int:
        """Return how many fit now that were not listed. Raises a ``Failure``."""
        frozen = await self.freeze(operator, filters, on_behalf=on_behalf)
        return sum(member.activeflow_id not in listed for member in frozen.members)

    async def sample(self, members: tuple[Member, ...]) -> tuple[str, ...]:
        """Return a few of them in words, with the caller masked; a caller that cannot be looked up in time is left
        out.
        """
        few = _spread(members)
        callers = await asyncio.gather(*(self._caller(member) for member in few))
        return tuple(
            f"{member.short_id} {member.words}" + (f", {caller}" if caller else "")
            for member, caller in zip(few, callers, strict=True)
        )

    def _stoppable(self, operator: Operator, activeflows: list[Activeflow]) -> list[Activeflow]:
        """Return those that this person may see and stop in bulk; decided once for each flow."""
        seen = visible(self._voipbin, operator, activeflows)
        ids = {number_of(a.flow_id): a.flow_id for a in seen}
        open_ = {number: operator.may(Permission.BULK, flow_id) for number, flow_id in ids.items()}
        return [a for a in seen if open_[number_of(a.flow_id)]]

    async def _calls_of_the_old(self, named: list[Activeflow], now: datetime) -> dict[UUID, Call | None]:
        """Return calls by activeflow: only a call that VoIPBIN says is over makes one certainly left over."""
        old = {a.id: a.reference.id for a in named if a.reference.id is not None and may_be_stale(a, now)}
        few = list(old.items())[:MOST]
        looks = await asyncio.gather(
            *(in_time(partial(self._voipbin.call, call_id), self._side_look) for _, call_id in few)
        )
        return {id_: look.value for (id_, _), look in zip(few, looks, strict=True)}

    async def _sifted(
        self,
        named: list[Activeflow],
        filters: Filters,
        known: dict[UUID, Flow | None],
        names: dict[UUID, str | None],
        calls: dict[UUID, Call | None],
        followers: dict[UUID, Flow | None],
        now: datetime,
    ) -> tuple[list[Member], list[UUID]]:
        """Return the members, oldest first, and the ids of those that only probably fit."""
        members: list[Member] = []
        uncertain: list[UUID] = []
        async for activeflow in in_turns(sorted(named, key=_age)):
            flow, call = _flow_of(activeflow, known), calls.get(activeflow.id)
            doing = situation(activeflow, flow=flow, name_of=names.get)
            wrong: set[Reason] = set()
            if filters.reasons:
                wrong = {trouble.reason for trouble in self._detector.of(activeflow, doing, now, call=call)}
            if not filters.matches(activeflow, doing, flow.name if flow else None, now, wrong):
                continue
            surely = wrong if call is not None and call.over else wrong - {Reason.STALE}
            if (filters.by_situation and not doing.certain) or (filters.reasons and not surely & filters.reasons):
                uncertain.append(activeflow.id)
                continue
            members.append(_member(len(members) + 1, activeflow, flow, doing, _follower(activeflow, followers)))
        return members, uncertain

    async def _caller(self, member: Member) -> str:
        if not member.is_call:
            return ""

        async def call_of() -> str | None:
            activeflow = await self._voipbin.activeflow(member.activeflow_id)
            call = await self._voipbin.call(activeflow.reference.id) if activeflow.reference.id else None
            return f"caller {masked(call.caller)}" if call is not None else None

        return (await in_time(call_of, self._side_look)).value or ""


def _member(number: int, activeflow: Activeflow, flow: Flow | None, doing: Situation, follower: str) -> Member:
    return Member(
        number=number,
        activeflow_id=activeflow.id,
        flow_id=activeflow.flow_id,
        flow_name=flow.name if flow else "",
        kind=doing.kind,
        words=doing.words,
        reference_type=activeflow.reference.type,
        created_at=activeflow.created_at,
        call_id=activeflow.reference.id if activeflow.reference.is_call else None,
        on_complete=follower,
        circle=circle_of(activeflow, doing),
    )


def _follower(activeflow: Activeflow, known: dict[UUID, Flow | None]) -> str:
    """Return the flow that starts when it ends, by name if that is known."""
    if activeflow.on_complete_flow_id is None:
        return ""
    flow = known.get(activeflow.on_complete_flow_id)
    return (flow.name if flow is not None else "") or activeflow.on_complete_flow_id.hex[:8]


def _age(activeflow: Activeflow) -> tuple[bool, float]:
    created = activeflow.created_at
    return (created is None, created.timestamp() if created is not None else 0.0)


def _flow_of(activeflow: Activeflow, known: dict[UUID, Flow | None]) -> Flow | None:
    return known.get(activeflow.flow_id) if activeflow.flow_id is not None else None


def _spread(members: tuple[Member, ...]) -> tuple[Member, ...]:
    """Return the first, one from the middle, the last."""
    if len(members) <= SAMPLE:
        return members
    return members[0], members[len(members) // 2], members[-1]


def _similar(asked: str, known: Iterable[Flow | None]) -> tuple[str, ...]:
    """Return at most three similar names."""
    return closest_names(asked, (flow.name for flow in known if flow is not None))
