"""Follow watched activeflows and post alerts, for as long as the bot runs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from bot.activeflows.alert_rules import AlertRule
from bot.activeflows.alerting.delivery import AlertDelivery, AlertPace, LookingOut
from bot.activeflows.alerting.ports import AlertCards, AlertLedger
from bot.activeflows.anomalies import AnomalyDetector, may_be_stale
from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.model import Activeflow
from bot.activeflows.operators import Permission, Policy
from bot.activeflows.ports import Records
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.situation.current_step import Situation
from bot.activeflows.watching.ports import Events, WatchCards, WatchLedger
from bot.activeflows.watching.reconciler import WatchReconciler
from bot.activeflows.watching.request import Watching
from bot.activeflows.watching.watch import Pace, Watch
from bot.composition.background import beside
from bot.slack.interaction import Interaction
from bot.slack.messaging.messenger import not_shown
from bot.slack.people.identity import People
from bot.voipbin import Following, Urgency, VoIPBINClient

# ---------------------------------------------------------------- alert service
# Post what is wrong where the policy says so, for as long as the bot runs.

log = structlog.get_logger(__name__)
_NO_EVENTS: Final = "Nothing is posted: alerts need VoIPBIN's event stream, and VOIPBIN_EVENTS is false."


@asynccontextmanager
async def raising_alerts(
    voipbin: VoIPBINClient,
    live: Following | None,
    judging: AnomalyDetector,
    ledger: AlertLedger,
    cards: AlertCards,
    policy: Callable[[], Policy],
    *,
    pace: AlertPace | None,
    now: Callable[[], datetime],
) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """While the block lasts; yields what says why alerts of the policy cannot be posted (empty when they can)."""

    def rules() -> Sequence[AlertRule]:
        return policy().alerts

    if live is None:
        if rules():
            log.error("alerts_not_posted", why=_NO_EVENTS)
        yield lambda: _said(_NO_EVENTS if rules() else "")
        return
    looking = LookingOut(voipbin.with_urgency(Urgency.SCAN), live, judging, now=now)
    raising = AlertDelivery(
        live, looking, ledger, cards, rules, pace=pace or AlertPace(), now=now, refused=_refused, broken=_alerts_broken
    )
    async with beside(raising.attend()):
        yield lambda: _said(" ".join(_why(channel, word) for channel, word in raising.refused().items()))


async def _said(words: str) -> str:
    return words


def _why(channel: str, word: str) -> str:
    return not_shown(f"An alert for {channel}", word)


def _refused(channel: str, word: str) -> None:
    log.error("alerts_not_posted", channel=channel, why=_why(channel, word))


def _alerts_broken(trouble: Exception) -> None:
    log.error("alerting_failed", trouble=type(trouble).__name__)


# ---------------------------------------------------------------- watch service
# Follow the watched activeflows for as long as the bot runs.


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
        broken=_watches_broken,
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


def _watches_broken(trouble: Exception) -> None:
    log.error("watching_failed", trouble=type(trouble).__name__)
