"""Follow the watched activeflows for as long as the bot runs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import structlog

from bot.activeflows.anomalies.detector import AnomalyDetector, may_be_stale
from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.model import Activeflow
from bot.activeflows.operators import Permission
from bot.activeflows.ports import Records
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.situation.current_step import Situation
from bot.activeflows.watching.pacing import Pace
from bot.activeflows.watching.ports import Events, WatchCards, WatchLedger
from bot.activeflows.watching.reconciler import WatchReconciler
from bot.activeflows.watching.request import Watching
from bot.activeflows.watching.watch import Watch
from bot.composition.background import beside
from bot.slack.interaction import Interaction
from bot.slack.people.identity import People
from bot.voipbin import Urgency, VoIPBINClient

log = structlog.get_logger(__name__)


@asynccontextmanager
async def watching_over(
    voipbin: VoIPBINClient,
    events: Events | None,
    book: WatchLedger,
    records: Records,
    cards: WatchCards,
    *,
    judging: AnomalyDetector,
    pace: Pace | None,
    now: Callable[[], datetime],
    people: People,
) -> AsyncIterator[Watching]:
    """While the block lasts; watches that were open when the bot ended go on."""
    pace = pace or Pace()
    unhurried = voipbin.with_urgency(Urgency.SCAN)

    async def warned(activeflow: Activeflow, doing: Situation) -> tuple[str, ...]:
        call_id = activeflow.reference.id if may_be_stale(activeflow, now()) else None
        call = (await in_time(partial(unhurried.call, call_id) if call_id else None, pace.side_look)).value
        troubles = judging.of(activeflow, doing, now(), call=call)
        return tuple(trouble.words for trouble in troubles if trouble.words not in doing.words)

    async def permitted(watch: Watch) -> bool | None:
        try:
            operator = await people.operator(Interaction(watch.by, "", watch.channel))
        except IdentityUnknown:
            return None
        may = operator.may(Permission.VIEW, watch.flow_id)
        return None if not may and operator.person.unanswered else may

    keeping = WatchReconciler(
        unhurried,
        events,
        book,
        records,
        cards,
        pace=pace,
        now=now,
        warned=warned,
        permitted=permitted,
        broken=_broken,
    )
    async with beside(keeping.attend()):
        yield Watching(
            voipbin,
            book,
            source=keeping.source,
            stir=keeping.stir,
            now=now,
            warned=warned,
            pace=pace,
        )


def _broken(trouble: Exception) -> None:
    log.error("watching_failed", trouble=type(trouble).__name__)
