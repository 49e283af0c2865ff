"""Read the running activeflows as a list.

Permission comes first everywhere: before anything is asked of VoIPBIN for somebody who may view nothing, and before
anything of an activeflow is told that belongs to a flow they may not view. Decisions:

- Grants limited to flows hide rows; how many are hidden is said, nothing else about them.
- Names are looked up for the rows on screen only; a filter that needs them looks at every flow once, and says for how
  many activeflows it did not get the name: those may be missing.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain, compress
from typing import Final, Literal, TypeAlias
from uuid import UUID

from bot.activeflows.anomalies import Anomaly, AnomalyCache, AnomalyDetector, DwellTimes, Reason, may_be_stale
from bot.activeflows.model import Activeflow, Call, Flow, Freshness, Kind, Picture
from bot.activeflows.names import closest_names
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import ActiveflowHistory, Live, VoIPBIN
from bot.activeflows.queries.assessments import Assessments
from bot.activeflows.queries.details import Details, DetailsQuery
from bot.activeflows.queries.filters import ActiveflowGroup, Filters, grouped
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.queries.resolution import MOST, Flows, Target, find, flow_of, flows, pictured, queue_names, visible
from bot.activeflows.situation.current_step import Situation, SituationCache, queues_named, row_words, situation

# ---------------------------------------------------------------- rows
# Describe activeflows as the lines of a list: flow's name, what it is doing, what is wrong with it.
#
# Names are looked up for the rows that are asked for only; a look-up that is slow or fails leaves its row without the
# name.


@dataclass(frozen=True, slots=True)
class Row:
    """One activeflow on screen. ``flow_name`` is ``None`` when it has no flow or its name is not known."""

    activeflow: Activeflow
    situation: Situation
    flow_name: str | None
    troubles: tuple[Anomaly, ...] = ()


class Rows:
    """Makes rows; ``within``: seconds each look-up may take."""

    def __init__(
        self, voipbin: VoIPBIN, detector: AnomalyDetector, now: Callable[[], datetime], *, within: float
    ) -> None:
        self._voipbin, self._detector, self._now, self._within = voipbin, detector, now, within

    async def of(self, activeflows: Sequence[Activeflow]) -> tuple[Row, ...]:
        """Make the rows of these, in their order."""
        known = await flows(self._voipbin, (a.flow_id for a in activeflows), within=self._within)
        queues = list(chain.from_iterable(queues_named(a, flow=flow_of(a, known)) for a in activeflows))
        now = self._now()
        old = {a.id: a.reference.id for a in activeflows if a.reference.id is not None and may_be_stale(a, now)}
        names, calls = dict[UUID, str | None](), dict[UUID, Call | None]()
        if queues or old:
            names, calls = await asyncio.gather(
                queue_names(self._voipbin, queues, within=self._within), self._calls(old)
            )
        return tuple(self._row(each, flow_of(each, known), names, calls.get(each.id)) for each in activeflows)

    async def _calls(self, old: Mapping[UUID, UUID]) -> dict[UUID, Call | None]:
        """Return the calls of those that are older than any call can be, by activeflow."""
        looks = (in_time(partial(self._voipbin.call, call_id), self._within) for call_id in old.values())
        return {id_: look.value for id_, look in zip(old, await asyncio.gather(*looks), strict=True)}

    def _row(
        self, activeflow: Activeflow, flow: Flow | None, names: Mapping[UUID, str | None], call: Call | None
    ) -> Row:
        doing = situation(activeflow, flow=flow, name_of=names.get)
        wrong = self._detector.of(activeflow, doing, self._now(), call=call)
        return Row(activeflow, doing, flow.name if flow else None, wrong)


# ---------------------------------------------------------------- pages
# Turn the pages of a list that changes while it is read.
#
# A page is bound to the rows that were on screen, not to a number: *Next* shows what comes after the last of them,
# whatever began or ended meanwhile, so that turning to the end shows everything that still runs, and nothing twice. Of
# the worst first that holds for all whose trouble neither came nor went meanwhile: such a one moves to where it is
# looked for.
#
# Decision: what is wrong comes first, the gravest reason before the others, and then the oldest. At night, with 300
# running, the newest come and go faster than anybody can press, and what nothing has flagged and somebody still has to
# find is among those that have been there long. ``newest`` is for who has just placed a call.

PAGE: Final = 10
"""Rows on a page."""
Side: TypeAlias = Literal["from", "after", "before"]
Sort: TypeAlias = Literal["worst", "oldest", "newest"]
"""``worst``: by what is wrong, then the oldest."""
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: ``from`` this row on, ``after`` it, or such that it ends ``before`` it. The row may be
    gone.
    """

    side: Side
    began: datetime | None
    id: UUID
    rank: int = 0
    """How wrong it was, when the worst come first; the lower, the worse."""


def at(side: Side, activeflow: Activeflow, rank: int = 0) -> Place:
    """Return the place at this row."""
    return Place(side, activeflow.created_at, activeflow.id, rank)


def in_order(activeflows: Sequence[Activeflow]) -> list[Activeflow]:
    """Return them newest first; those of one moment as the index has them, so that a page's border between them
    holds.
    """
    return sorted(activeflows, key=_key, reverse=True)


def numbered(length: int, page: int) -> int:
    """Return how many come before that page; beyond the end it is the last one."""
    return (min(max(page, 1), max(1, -(-length // PAGE))) - 1) * PAGE


def placed(
    found: Sequence[Activeflow], place: Place, rank: Callable[[Activeflow], int] | None = None, *, newest: bool = True
) -> int:
    """Return how many of ``found``, which are in order, come before the page at that place; beyond the end it is the
    last one.

    ``rank``: of each, when the worst come first; ``newest``: the newest do.
    """
    key = (place.rank if rank else 0, place.began or _BEGINNING, place.id)

    def reached(each: Activeflow) -> bool:
        own = (rank(each) if rank else 0, *_key(each))
        return own <= key if newest else own >= key

    earlier = bisect_left(found, True, key=reached)
    if place.side == "before":
        return max(earlier - PAGE, 0)
    if place.side == "after" and earlier < len(found) and found[earlier].id == place.id:
        earlier += 1
    return earlier if earlier < len(found) else max(len(found) - PAGE, 0)


def _key(activeflow: Activeflow) -> tuple[datetime, UUID]:
    return activeflow.created_at or _BEGINNING, activeflow.id


# ---------------------------------------------------------------- listing

SHARED_FOR: Final = 5.0
"""Seconds for which one look at VoIPBIN serves everybody who asks for a list."""

By: TypeAlias = Literal["flow", "action"]
"""What a list can be grouped by."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list, with how fresh and how complete it is."""

    rows: tuple[Row, ...]
    filters: Filters
    first: int
    """How many come before this page: a multiple of ``PAGE`` unless rows came or went while pages were turned."""
    total: int
    """Activeflows that fit, on all pages."""
    hidden: int
    """Activeflows of flows this person may not view; a filter by flow is not applied to them."""
    unnamed: int
    """Activeflows left out because the flow's name, which the filter needs, was not known."""
    similar: tuple[str, ...]
    """Flow names like the one asked for, when no flow is called so."""
    as_of: datetime
    complete_since: datetime | None
    """As in ``Picture``."""
    stopped_because: str
    unreadable: int = 0
    freshness: Freshness | None = None
    by: By | None = None
    groups: tuple[ActiveflowGroup, ...] = ()
    """Instead of rows, when they were asked for; ``total`` counts activeflows all the same."""
    all_groups: int = 0

    sort: Sort = "newest"
    ranks: tuple[int, ...] = ()
    """How wrong each of the rows is, when the worst come first; the lower, the worse."""

    @property
    def length(self) -> int:
        """Rows, or groups, on all pages."""
        return self.all_groups if self.by is not None else self.total

    @property
    def page(self) -> int:
        return self.first // PAGE + 1

    @property
    def pages(self) -> int:
        """At least 1, also when nothing fits."""
        return max(1, -(-self.length // PAGE))

    @property
    def more(self) -> bool:
        """Does anything come after this page?"""
        return self.first + (len(self.rows) or len(self.groups)) < self.length


class ActiveflowQueries:
    """What can be seen. Every method may raise any ``Failure``, and ``NotPermitted`` before it does anything."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        now: Callable[[], datetime],
        *,
        live: Live | None = None,
        past: ActiveflowHistory | None = None,
        detector: AnomalyDetector | None = None,
        side_look: float = 1.5,
        filter_look: float = 8.0,
    ) -> None:
        """``live``: what runs, from memory; without it VoIPBIN's list is read whenever somebody asks. ``past``: without
        it no step has a time. ``detector``: says what is wrong with an activeflow.

        ``side_look``: seconds a look-up that is only a courtesy may take; ``filter_look``: one a filter needs.
        """
        self._voipbin = voipbin
        self._live = live
        self._past = past
        self._detector = detector or AnomalyDetector(DwellTimes())
        self._rows = Rows(voipbin, self._detector, now, within=side_look)
        self._now = now
        self._assessments = Assessments(live.index, self._detector, now) if live is not None else None
        self.situations = SituationCache()
        """What each does, for whoever looks through all of them, too."""
        self._anomalies, self.at_a_glance = AnomalyCache(self._detector), AnomalyCache(self._detector)
        """The second without names and definitions, which need not be had for it."""
        self._side_look = side_look
        self._filter_look = filter_look

    async def running(
        self,
        operator: Operator,
        filters: Filters,
        page: int = 1,
        *,
        by: By | None = None,
        sort: Sort | None = None,
        place: Place | None = None,
        max_age: float = SHARED_FOR,
        picture: Picture | None = None,
    ) -> Listing:
        """Return one page of what fits, or of its groups; a page beyond the end is the last one. ``place``: instead
        of a number.

        ``sort``: without one the worst come first of what runs, and the newest of what has ended.

        What was read at most ``max_age`` seconds ago for somebody else will do. ``picture``: what ``picture`` gave.
        """
        operator.require(Permission.VIEW)
        picture = picture or await self.picture(operator, filters, max_age=max_age)
        sort = sort or ("worst" if filters.status == "running" else "newest")
        worst = sort == "worst" and by is None
        known: Flows = {}
        asked: Collection[UUID | None] = ()
        if filters.flow is not None or filters.by_doing or by is not None:
            asked = self._flows(operator, filters, picture)
            known = await flows(self._voipbin, asked, within=self._filter_look)
        listed: Sequence[Activeflow] = picture.activeflows
        kinds, assessed = picture.kinds, self._assessments if picture.freshness is not None else None
        if assessed is not None:
            by_number = {id_.int: id_ for id_ in asked if id_ is not None}  # also those that could not be looked up now
            definitions = {number: known.get(id_) for number, id_ in by_number.items()}
            await assessed.catch_up(definitions if filters.by_doing or by == "action" else None)
            # as it is by now: nobody else gets their turn until the page is cut out
            listed, kinds = assessed.worst_first() if worst else assessed.index.newest_first(), assessed.index.kinds()
        now = self._now()
        fitting = self._fitting(filters, picture, listed, now)
        # flow and action are looked at among what they may view
        seen = visible(self._voipbin, operator, fitting, kinds)
        hidden = len(fitting) - len(seen)
        fit = _of_flow(seen, kinds, filters, known) if filters.flow is not None else seen
        found = await self._matching(fit, filters, known, assessed)
        groups = await self._groups(found, by, known, assessed) if by is not None else ()
        unnamed = unnamed_among(seen, found, known, kinds) if filters.flow is not None else 0
        rank: Callable[[Activeflow], int] | None = assessed.rank if worst and assessed is not None else None
        if picture.freshness is None:
            found = in_order(found)
        if sort != "newest" and by is None and rank is None:
            found = found[::-1]
        if worst and rank is None:
            found, ranks = await self.at_a_glance.worst_first(list(found), now)
            rank = _ranked(found, ranks)
        total = len(found)
        first = numbered(total if by is None else len(groups), page)
        if place is not None and by is None:
            first = placed(found, place, rank, newest=sort == "newest")
        here = found[first : first + PAGE]
        return Listing(
            sort=sort,
            ranks=tuple(map(rank, here)) if rank is not None else (),
            rows=await self._rows.of(here) if by is None else (),
            by=by,
            groups=groups[first : first + PAGE],
            all_groups=len(groups),
            filters=filters,
            first=first,
            total=total,
            hidden=hidden,
            unnamed=unnamed,
            similar=_similar(filters.flow, known) if filters.flow and not total else (),
            as_of=picture.as_of,
            complete_since=picture.complete_since,
            stopped_because=picture.stopped_because,
            unreadable=picture.unreadable,
            freshness=picture.freshness,
        )

    async def show(self, operator: Operator, target: Target) -> Details:
        """Return one activeflow, read now. Raises what ``resolve`` raises."""
        operator.require(Permission.VIEW)
        activeflow = await self.resolve(operator, target)
        query = DetailsQuery(self._voipbin, self._past, self._live, self._detector, within=self._side_look)
        return await query.details(operator, activeflow, self._now())

    async def resolve(self, operator: Operator, target: Target) -> Activeflow:
        """Return the activeflow that is meant, read now: see ``resolution.find``."""
        return await find(self._voipbin, operator, target)

    async def picture(self, operator: Operator, filters: Filters, *, max_age: float = SHARED_FOR) -> Picture:
        """Return what ``running`` looks through: from memory what runs; what ended is in VoIPBIN's list only."""
        operator.require(Permission.VIEW)
        return await pictured(self._voipbin, self._live if filters.status == "running" else None, max_age=max_age)

    def _fitting(
        self, filters: Filters, picture: Picture, listed: Sequence[Activeflow], now: datetime
    ) -> Sequence[Activeflow]:
        """Return those that fit by what is known of each without a look at its flow or at what it does."""
        if picture.freshness is not None:  # from memory, what runs and nothing else
            filters = replace(filters, status="any")
        anything = (filters.status, filters.type, filters.older, filters.newer) == ("any", None, None, None)
        return listed if anything else filters.among(listed, now)

    def _flows(self, operator: Operator, filters: Filters, picture: Picture) -> Collection[UUID | None]:
        """Return the flows of those they may view among what fits."""
        fitting = self._fitting(filters, picture, picture.activeflows, self._now())
        if fitting is picture.activeflows and picture.kinds is not None and len(picture.kinds) <= MOST:
            ours = [flow for customer, flow in picture.kinds if customer == self._voipbin.customer.id]
            return [flow for flow in ours if operator.may(Permission.VIEW, flow)]
        return [activeflow.flow_id for activeflow in visible(self._voipbin, operator, fitting, picture.kinds)]

    async def _matching(
        self, seen: Sequence[Activeflow], filters: Filters, known: Flows, assessed: Assessments | None
    ) -> Sequence[Activeflow]:
        """Return those that fit by what they do, too, which is worked out only when the filter asks."""
        if not filters.by_doing:
            return seen
        doings: list[Situation] = []
        wrong: list[tuple[Reason, ...]] = [()] * len(seen)
        if assessed is not None:
            doings = assessed.doings(seen) if filters.by_situation else doings
            wrong = assessed.wrong(seen) if filters.reasons else wrong
        else:
            doings = await self.situations.of(seen, known)
            wrong = await self._anomalies.of(seen, self._now(), doings) if filters.reasons else wrong
        return list(compress(seen, filters.fit_doing(doings, wrong)))

    async def _groups(
        self, found: Sequence[Activeflow], by: By, known: Flows, assessed: Assessments | None
    ) -> tuple[ActiveflowGroup, ...]:
        """Group what fits; a group by action is called as its rows are."""
        if by == "flow":
            names = {flow_id.int: flow.name for flow_id, flow in known.items() if flow is not None}
            return grouped(found, [0 if a.flow_id is None else a.flow_id.int for a in found], names.get)
        doings = assessed.doings(found) if assessed is not None else await self.situations.of(found, known)
        words = {kind: row_words(kind) for kind in {doing.kind for doing in doings}}
        return grouped(found, [words[doing.kind] for doing in doings], str)


def _ranked(found: Sequence[Activeflow], ranks: Sequence[int]) -> Callable[[Activeflow], int]:
    by_object = dict(zip(map(id, found), ranks, strict=True))
    return lambda activeflow: by_object[id(activeflow)]


def _of_flow(
    seen: Sequence[Activeflow], kinds: Collection[Kind] | None, wanted: Filters, known: Flows
) -> list[Activeflow]:
    """Return those whose flow fits, decided once for each flow."""
    all_flows = (a.flow_id for a in seen) if kinds is None else (flow_id for _, flow_id in kinds)
    ids = {flow_id.int: flow_id for flow_id in all_flows if flow_id is not None}
    names = {id_: flow.name for id_, flow in known.items() if flow is not None}
    fitting = {number for number, id_ in ids.items() if wanted.fits_flow(id_, names.get(id_))}
    return [a for a in seen if a.flow_id is not None and a.flow_id.int in fitting]


def unnamed_among(
    seen: Sequence[Activeflow], found: Sequence[Activeflow], known: Flows, kinds: Collection[Kind] | None = None
) -> int:
    """Return how many of those seen were not found, and may be missing because the name of their flow is not known.

    ``kinds``: all that are among them, if that is known.
    """
    named = {id_.int for id_ in known}
    if kinds is not None and all(flow_id is None or flow_id.int in named for _, flow_id in kinds):
        return 0
    unnamed = [a for a in seen if a.flow_id is not None and a.flow_id.int not in named]
    fitting = {activeflow.id for activeflow in found} if unnamed else ()
    return sum(activeflow.id not in fitting for activeflow in unnamed)


def _similar(asked: str, known: Flows) -> tuple[str, ...]:
    """Return at most three similar names."""
    return closest_names(asked, (flow.name for flow in known.values() if flow is not None))
