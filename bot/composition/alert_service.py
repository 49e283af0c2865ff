"""Post what is wrong where the policy says so, for as long as the bot runs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import structlog

from bot.activeflows.alert_rules import AlertRule
from bot.activeflows.alerting.delivery import AlertDelivery, AlertPace
from bot.activeflows.alerting.detection import LookingOut
from bot.activeflows.alerting.ports import AlertCards, AlertLedger
from bot.activeflows.anomalies.detector import AnomalyDetector
from bot.activeflows.operators import Policy
from bot.composition.background import beside
from bot.slack.messaging.delivery_advice import not_shown
from bot.voipbin import Following, Urgency, VoIPBINClient

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
        live, looking, ledger, cards, rules, pace=pace or AlertPace(), now=now, refused=_refused, broken=_broken
    )
    async with beside(raising.attend()):
        yield lambda: _said(" ".join(_why(channel, word) for channel, word in raising.refused().items()))


async def _said(words: str) -> str:
    return words


def _why(channel: str, word: str) -> str:
    return not_shown(f"An alert for {channel}", word)


def _refused(channel: str, word: str) -> None:
    log.error("alerts_not_posted", channel=channel, why=_why(channel, word))


def _broken(trouble: Exception) -> None:
    log.error("alerting_failed", trouble=type(trouble).__name__)
