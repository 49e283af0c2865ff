"""``[[alert]]`` as it is read: good ones, and one clear line for each mistake."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from bot.activeflows.alert_rules import AlertRule, QuietHours
from bot.activeflows.anomalies import Reason
from bot.misconfigured import Misconfigured
from bot.policy import parsed_policy

GOOD = """
[[alert]]
to = "C0INCIDENTS"
about = ["stuck", "stale"]
flows = ["93993ae1-2b55-4a3e-8c6d-0f1f6a5a7c11"]
quiet = "22:00-07:00"
zone = "Europe/Berlin"
at_most = 3
within = "24h"

[[alert]]
to = "C0LOBBY"

[[alert]]
to = "C0INCIDENTS"
quiet = "09:30-10:00"
"""


def alert(**lines: str) -> str:
    fields = {"to": '"C0INCIDENTS"', **lines}
    return "[[alert]]\n" + "\n".join(f"{name} = {value}" for name, value in fields.items())


def test_everything_an_alert_can_say_is_understood_and_the_rest_is_as_by_default() -> None:
    assert parsed_policy(GOOD).alerts == (
        AlertRule(
            key="C0INCIDENTS:1",
            to="C0INCIDENTS",
            about=frozenset({Reason.STUCK, Reason.STALE}),
            flows=frozenset({UUID("93993ae1-2b55-4a3e-8c6d-0f1f6a5a7c11")}),
            quiet=QuietHours(time(22), time(7), ZoneInfo("Europe/Berlin")),
            at_most=3,
            within=timedelta(days=1),
        ),
        AlertRule("C0LOBBY:1", "C0LOBBY", frozenset(Reason), None, None, 10, timedelta(hours=1)),
        AlertRule("C0INCIDENTS:2", "C0INCIDENTS", quiet=QuietHours(time(9, 30), time(10), UTC)),
    )


def test_a_policy_without_rules_posts_nothing() -> None:
    assert parsed_policy("[rules]").alerts == ()


def test_without_a_zone_quiet_hours_are_utc() -> None:
    (rule,) = parsed_policy(alert(quiet='"22:00-23:00"')).alerts
    assert rule.is_quiet(datetime(2026, 7, 1, 22, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (alert(to='"#incidents"'), "2: alert 1, to must be a channel id (C…): copy it from the channel's details."),
        ('[[alert]]\nabout = ["stuck"]', "1: alert 1, to is missing."),
        (
            alert() + "\n" + alert(about='["stuck", "slow"]'),
            "5: alert 2, about, entry 2 must be one of 'stuck', 'looping', 'steps' or 'stale'.",
        ),
        (alert(about="[]"), "3: alert 1, about must not be empty."),
        (alert(about='"stuck"'), "3: alert 1, about must be a list, in square brackets."),
        (alert(flows='["Support"]'), "3: alert 1, flows, entry 1 must be the id of a flow (a UUID)."),
        (alert(quiet='"22:00"'), '3: alert 1, quiet must be two times of the day, like "22:00-07:00".'),
        (alert(quiet='"22:00-24:00"'), '3: alert 1, quiet must be two times of the day, like "22:00-07:00".'),
        (alert(quiet="22"), '3: alert 1, quiet must be two times of the day, like "22:00-07:00".'),
        (alert(quiet='"07:00-07:00"'), "3: alert 1, quiet must end at another time than it begins."),
        (
            alert(zone='"Europe/Berlinn"'),
            '3: alert 1, zone must be a time zone this machine knows, like "Europe/Berlin".',
        ),
        (alert(zone='"../zone"'), '3: alert 1, zone must be a time zone this machine knows, like "Europe/Berlin".'),
        (alert(zone="1"), '3: alert 1, zone must be a time zone this machine knows, like "Europe/Berlin".'),
        (alert(at_most="0"), "3: alert 1, at_most must be at least 1."),
        (alert(at_most="101"), "3: alert 1, at_most must be at most 100."),
        (alert(at_most="true"), "3: alert 1, at_most must be a whole number."),
        (alert(within='"30s"'), '3: alert 1, within must be a duration from "1m" to "24h", like "1h".'),
        (alert(within="60"), '3: alert 1, within must be a duration from "1m" to "24h", like "1h".'),
        (alert(mention='"@channel"'), "3: alert 1, mention is nothing that a policy can say."),
        ("[alert]", "1: alert must be a list, in square brackets."),
    ],
)
def test_each_mistake_is_one_clear_line_with_its_place(text: str, line: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        parsed_policy(text)
    assert wrong.value.mistakes == (f"policy.toml:{line}",)
