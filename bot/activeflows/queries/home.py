"""Read the Home of one person (permissions, what runs, last stops, health), and keep what they chose there.

Decisions:

- Home stands in no channel, so a grant that is limited to channels opens nothing of what runs here: unset is deny. Such
  a person is told in which channels to look, and still sees their own stops and the bot's health, which any of these
  channels would tell them alone, too. Who may view nowhere is told why, and nothing else is looked at for them.
- What runs is told from memory. Nothing is asked of VoIPBIN but the names of the few flows and queues that are on
  screen, which are remembered for minutes; while the list has to be read again, it is not waited for long, and its age
  is said.
- The parts come when they come: ``Home`` is drawn with what it has.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from bot.activeflows.anomalies import Anomaly, AnomalyDetector, Reason
from bot.activeflows.errors import Failure, LedgerUnavailable, VoIPBINUnreachable
from bot.activeflows.health import Finding, Look, looked
from bot.activeflows.model import Activeflow, Picture, number_of
from bot.activeflows.operators import Operator, Permission, Reach, may_somewhere, reach
from bot.activeflows.ports import Live, Records, VoIPBIN
from bot.activeflows.queries.audit_review import AllowedPress, AuditReview
from bot.activeflows.queries.filters import ActiveflowGroup, Filters, grouped
from bot.activeflows.queries.listing import Listing
from bot.activeflows.queries.resolution import NamedSituation, flows, pictured_soon, visible, what_it_does
from bot.activeflows.records import Record, RecordKind, RecordQuery

# ---------------------------------------------------------------- mention choice
# Keep what a person chose on their Home: whether to be mentioned when it is not known what became of their stop.
#
# Decision: a choice is a record of the audit, because whether somebody was called about a stop belongs to what
# happened. The newest one counts. Who chose nothing is mentioned, and so is whoever's choice was pruned, or cannot be
# read.


class MentionChoice:
    """What each person chose."""

    def __init__(self, records: Records, now: Callable[[], datetime]) -> None:
        self._records, self._now = records, now

    async def mentioned(self, person_id: str) -> bool:
        """Return what this person chose. Raises ``LedgerUnavailable``."""
        newest = await self._records.records(RecordQuery(who=person_id, what=RecordKind.CHOSE, limit=1))
        return newest[0].record.detail.get("mentioned") is not False if newest else True

    async def is_mentioned(self, person_id: str) -> bool:
        """Tell whether this person is mentioned; yes when it cannot be read."""
        try:
            return await self.mentioned(person_id)
        except LedgerUnavailable:
            return True

    async def choose(self, operator: Operator, *, mentioned: bool) -> None:
        """Keep what this person chose. Raises ``NotPermitted`` for whoever may view nowhere, and so has no stops; or
        ``LedgerUnavailable``.
        """
        person = operator.person
        if may_somewhere(reach(operator.policy, person), Permission.VIEW) is None:
            operator.require(Permission.VIEW)
        if await self.mentioned(person.id) is mentioned:
            return
        now = self._now()
        key = f"{RecordKind.CHOSE}:{person.id}:{now.isoformat()}"
        await self._records.record(
            Record(key, now, RecordKind.CHOSE, person.id, "", None, detail={"mentioned": mentioned})
        )


# ---------------------------------------------------------------- home

T = TypeVar("T")

MOST: Final = 5
"""Flows, activeflows worth a look, and stops on the page."""
RECENT: Final = 60.0
"""Seconds for which an earlier look is good enough when nobody asks for a newer one."""
_BREATH: Final = 20
_FIRST: Final = tuple(Reason)


@dataclass(frozen=True, slots=True)
class AnomalousActiveflow:
    """One that is worth a look."""

    activeflow: Activeflow
    doing: NamedSituation
    troubles: tuple[Anomaly, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """What runs, of what this person may view anywhere."""

    listing: Listing
    """Grouped by flow: the largest few; with how fresh and complete all of it is."""
    flows: int
    """How many flows there are in all."""
    troubled: tuple[AnomalousActiveflow, ...]
    troubled_in_all: int
    judged: int
    """How many were looked through before time was up."""


@dataclass(slots=True)
class Home:
    """What is known so far. ``None``: it is still being looked up, or it is none of this person's business."""

    operator: Operator | None = None
    reaches: tuple[Reach, ...] = ()
    overview: Overview | Failure | None = None
    stops: tuple[AllowedPress, ...] | Failure | None = None
    health: tuple[Finding, ...] | None = None
    whole: bool = False
    """Nothing more comes."""
    mentioned: bool | None = None
    """Whether this person is mentioned when a stop of theirs is not known; ``None`` also when that cannot be read."""

    @property
    def views(self) -> Reach | None:
        """Where this person may view."""
        return may_somewhere(self.reaches, Permission.VIEW)


class HomeQuery:
    """Looks things up for a Home."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        live: Live | None,
        detector: AnomalyDetector,
        audit_review: AuditReview,
        mention: MentionChoice,
        looks: Callable[[], Mapping[str, Look]],
        now: Callable[[], datetime],
        *,
        side_look: float = 1.0,
        patience: float = 10.0,
    ) -> None:
        """``side_look``: seconds for what is only a courtesy; ``patience``: for any part."""
        self._voipbin, self._live, self._detector, self._now = voipbin, live, detector, now
        self._audit_review, self._mention, self._looks = audit_review, mention, looks
        self._side_look, self._patience = side_look, patience

    async def fill(self, home: Home, operator: Operator, *, max_age: float = RECENT) -> None:
        """Look up what this person may know, part by part. Raises nothing that VoIPBIN or the ledger does."""
        home.operator, home.reaches = operator, reach(operator.policy, operator.person)
        if home.views is None:
            home.whole = True
            return
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._stops(home, operator))
            parts.create_task(self._choice(home, operator))
            parts.create_task(self._health(home))
            if operator.may(Permission.VIEW):
                parts.create_task(self._overview(home, operator, max_age))
        home.whole = True

    async def _stops(self, home: Home, operator: Operator) -> None:
        home.stops = await self._in_time(self._audit_review.own_stops(operator.person.id, most=MOST))

    async def _choice(self, home: Home, operator: Operator) -> None:
        mentioned = await self._in_time(self._mention.mentioned(operator.person.id))
        home.mentioned = mentioned if isinstance(mentioned, bool) else None

    async def _health(self, home: Home) -> None:
        home.health = await looked(self._looks(), within=self._side_look)

    async def _overview(self, home: Home, operator: Operator, max_age: float) -> None:
        home.overview = await self._in_time(self._running(operator, max_age))

    async def _in_time(self, part: Awaitable[T]) -> T | Failure:
        try:
            async with asyncio.timeout(self._patience):
                return await part
        except TimeoutError:
            return VoIPBINUnreachable(f"it did not come within {self._patience:g} s")
        except Failure as failure:
            return failure

    # ---------------------------------------------------------------- what runs

    async def _running(self, operator: Operator, max_age: float) -> Overview:
        picture = await pictured_soon(self._voipbin, self._live, max_age=max_age, within=self._side_look)
        running = [activeflow for activeflow in picture.activeflows if activeflow.running]
        seen = visible(self._voipbin, operator, running, picture.kinds)
        groups = grouped(seen, (number_of(activeflow.flow_id) for activeflow in seen), lambda _: None)
        wrong, judged = await self._worth_a_look(seen)
        shown, named = await asyncio.gather(
            asyncio.gather(*(self._troubled(*each) for each in wrong[:MOST])), self._named(groups[:MOST])
        )
        return Overview(
            _listing(picture, named, total=len(seen), hidden=len(running) - len(seen)),
            flows=len(groups),
            troubled=tuple(shown),
            troubled_in_all=len(wrong),
            judged=judged,
        )

    async def _worth_a_look(
        self, seen: Sequence[Activeflow]
    ) -> tuple[list[tuple[Activeflow, tuple[Anomaly, ...]]], int]:
        """Find what is worth a look, the stuck before the looping, and so on, the oldest first; and how many were
        looked through in the time.
        """
        clock, now = asyncio.get_running_loop().time, self._now()
        until, found, judged = clock() + self._side_look, [], 0
        for activeflow in seen:
            judged += 1
            if troubles := self._detector.troubles(activeflow, now):
                found.append((activeflow, troubles))
            if judged % _BREATH == 0:
                await asyncio.sleep(0)
                if clock() > until:
                    break
        return sorted(found, key=lambda one: (_FIRST.index(one[1][0].reason), one[0].created_at or now)), judged

    async def _troubled(self, activeflow: Activeflow, troubles: tuple[Anomaly, ...]) -> AnomalousActiveflow:
        doing = await what_it_does(self._voipbin, activeflow, within=self._side_look)
        named = self._detector.of(activeflow, doing.situation, self._now())
        return AnomalousActiveflow(activeflow, doing, named or troubles)

    async def _named(self, groups: tuple[ActiveflowGroup, ...]) -> tuple[ActiveflowGroup, ...]:
        known = await flows(self._voipbin, (group.oldest.flow_id for group in groups), within=self._side_look)
        names = {flow_id: flow.name for flow_id, flow in known.items() if flow is not None}
        return tuple(
            replace(group, name=names.get(group.oldest.flow_id) if group.oldest.flow_id else None) for group in groups
        )


def _listing(picture: Picture, groups: tuple[ActiveflowGroup, ...], *, total: int, hidden: int) -> Listing:
    return Listing(
        rows=(),
        filters=Filters(),
        first=0,
        total=total,
        hidden=hidden,
        unnamed=0,
        similar=(),
        as_of=picture.as_of,
        complete_since=picture.complete_since,
        stopped_because=picture.stopped_because,
        unreadable=picture.unreadable,
        freshness=picture.freshness,
        by="flow",
        groups=groups,
        all_groups=len(groups),
    )
