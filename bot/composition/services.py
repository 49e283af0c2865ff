"""Follow watched activeflows and post alerts, for as long as the bot runs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import structlog

from bot.activeflows.alert_rules import AlertRule
from bot.activeflows.alerting.announcer import AlertAnnouncer, AlertChannels, AlertDetector, AlertPace
from bot.activeflows.alerting.ports import AlertCards, AlertLedger
from bot.activeflows.anomalies import AnomalyDetector
from bot.activeflows.operators import Policy
from bot.activeflows.ports import Records
from bot.activeflows.watching.observer import WatchObserver, WatchWarnings
from bot.activeflows.watching.ports import ActiveflowEvents, WatchCards, WatchLedger
from bot.activeflows.watching.reconciler import ViewPermission, WatchReconciler
from bot.activeflows.watching.request import WatchRequests
from bot.activeflows.watching.watch import WatchPace
from bot.composition.background import beside
from bot.slack.messaging.messenger import not_shown
from bot.slack.people.identity import People
from bot.voipbin import LiveIndex, Urgency, VoIPBINClient

# ---------------------------------------------------------------- alert service
# Post what is wrong where the policy says so, for as long as the bot runs.

log = structlog.get_logger(__name__)
_NO_EVENTS: Final = "Nothing is posted: alerts need VoIPBIN's event stream, and VOIPBIN_EVENTS is false."


@asynccontextmanager
async def raising_alerts(
    voipbin: VoIPBINClient,
    live: LiveIndex | None,
    detector: AnomalyDetector,
    ledger: AlertLedger,
    cards: AlertCards,
    policy: Callable[[], Policy],
    *,
    pace: AlertPace | None,
    now: Callable[[], datetime],
) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Raise alerts while the block lasts; yields what says why alerts of the policy cannot be posted (empty when
    they can).
    """

    def rules() -> Sequence[AlertRule]:
        return policy().alerts

    if live is None:
        if rules():
            log.error("alerts_not_posted", why=_NO_EVENTS)
        yield lambda: _said(_NO_EVENTS if rules() else "")
        return
    alert_detector = AlertDetector(voipbin.with_urgency(Urgency.SCAN), live, detector, now=now)
    pace = pace or AlertPace()
    channels = AlertChannels(cards, rules, pace=pace, refused=_refused)
    announcer = AlertAnnouncer(alert_detector, ledger, channels, beat=pace.beat, now=now, broken=_alerts_broken)
    async with beside(announcer.attend()):
        yield lambda: _said(" ".join(_why(channel, word) for channel, word in channels.refused().items()))


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
    events: ActiveflowEvents | None,
    ledger: WatchLedger,
    records: Records,
    cards: WatchCards,
    *,
    detector: AnomalyDetector,
    pace: WatchPace | None,
    now: Callable[[], datetime],
    people: People,
) -> AsyncIterator[WatchRequests]:
    """Keep the watches while the block lasts; those that were open when the bot ended go on."""
    pace = pace or WatchPace()
    unhurried = voipbin.with_urgency(Urgency.SCAN)

    warned = WatchWarnings(unhurried, detector, pace=pace, now=now)
    observer = WatchObserver(unhurried, events, records, pace=pace, now=now, warned=warned)
    permitted = ViewPermission(people.operator_of)
    reconciler = WatchReconciler(
        observer, ledger, cards, pace=pace, now=now, permitted=permitted, broken=_watches_broken
    )
    async with beside(reconciler.attend()):
        yield WatchRequests(
            voipbin,
            ledger,
            source=observer.source,
            stir=reconciler.stir,
            now=now,
            warned=warned,
            pace=pace,
        )


def _watches_broken(trouble: Exception) -> None:
    log.error("watching_failed", trouble=type(trouble).__name__)
