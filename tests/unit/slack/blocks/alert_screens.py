"""Every alert, and every line about what was held back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.activeflows.alert_rules import AlertRule
from bot.activeflows.alerting.decision import AlertClaim, HeldBack, StoredAlertClaim
from bot.activeflows.alerting.ports import Alert
from bot.activeflows.anomalies import Anomaly, Reason
from bot.activeflows.model import Action, Activeflow, Reference, Status
from bot.activeflows.situation.current_step import Situation
from bot.slack.cards.alert_card import alert_card, held_back_line
from bot.slack.messaging.messenger import Message

NOW = datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)
RULE = AlertRule("C0INCIDENTS:1", "C0INCIDENTS")


def alert_screens(words: str) -> Iterator[Message]:
    """All of them; ``words`` stand wherever words of others stand."""
    one = Activeflow(
        id=UUID(int=0x3C5B0F6D << 96 | 1),
        customer_id=None,
        flow_id=None,
        status=Status.RUNNING,
        reference=Reference(words or "call", UUID(int=0xCA11)),
        current=Action(UUID(int=77), words or "talk"),
        created_at=NOW - timedelta(minutes=14),
    )
    for reason in Reason:
        for situation in (words or "speaking a text", "waiting in queue Support"):
            doing = Situation(kind="talk", words=situation, action="talk")
            yield alert_card(Alert(RULE, one, words, doing, Anomaly(reason, words or "9th time round"), NOW))
    for count, running in ((1, 0), (1, 1), (3000, 7)):
        claims = [AlertClaim(UUID(int=number), Reason.STUCK, "C0INCIDENTS") for number in range(count)]
        for unsure in (False, True):
            held_back = HeldBack(RULE, tuple(StoredAlertClaim(claim, RULE.key, NOW) for claim in claims), unsure)
            yield held_back_line(held_back, running=running, command="/flows")
