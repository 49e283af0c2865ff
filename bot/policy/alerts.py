"""Read ``[[alert]]`` of the policy file."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, time, timedelta, tzinfo
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt

from bot.activeflows.alert_rules import MOST_MESSAGES, AlertRule, Quiet, key
from bot.activeflows.anomalies.anomaly import Reason
from bot.policy.entries import STRICT, account, channel, duration, hours, time_zone


class Alert(BaseModel):
    """One table, as it is written."""

    model_config = ConfigDict(**STRICT, arbitrary_types_allowed=True)  # tzinfo is no type of pydantic's

    to: Annotated[str, AfterValidator(channel)]
    about: Annotated[list[Reason], Field(min_length=1)] = list(Reason)
    flows: list[UUID] | None = None
    accounts: Annotated[list[Annotated[str, AfterValidator(account)]] | None, Field(min_length=1)] = None
    quiet: Annotated[tuple[time, time], BeforeValidator(hours)] | None = None
    zone: Annotated[tzinfo, BeforeValidator(time_zone)] = UTC
    at_most: Annotated[StrictInt, Field(ge=1, le=MOST_MESSAGES)] = 10
    within: Annotated[timedelta, BeforeValidator(duration("1m", "24h", like="1h"))] = timedelta(hours=1)


def alert_rules(alerts: Iterable[Alert]) -> tuple[AlertRule, ...]:
    """In the order of the file."""
    seen: Counter[str] = Counter()
    rules = []
    for alert in alerts:
        seen[alert.to] += 1
        rules.append(
            AlertRule(
                key=key(alert.to, seen[alert.to]),
                to=alert.to,
                about=frozenset(alert.about),
                flows=None if alert.flows is None else frozenset(alert.flows),
                quiet=None if alert.quiet is None else Quiet(*alert.quiet, alert.zone),
                at_most=alert.at_most,
                within=alert.within,
                accounts=None if alert.accounts is None else frozenset(alert.accounts),
            )
        )
    return tuple(rules)
