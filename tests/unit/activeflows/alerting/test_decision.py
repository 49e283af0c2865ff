"""Alerts: never twice, never in quiet hours, never more than allowed, and nothing that was held back is forgotten."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.alert_rules import MOST_MESSAGES, AlertRule, QuietHours, by_channel, key
from bot.activeflows.alerting.decision import AlertClaim, AlertClaims, StoredAlertClaim
from bot.activeflows.anomalies import Reason

BERLIN, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")
NIGHT = QuietHours(time(22), time(7), BERLIN)
EVENING = datetime(2026, 10, 24, 19, 30, tzinfo=UTC)
"""Half an hour before a quiet night in Berlin in which the clocks go back."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FLOW = UUID(int=0xF10)


def a_rule(number: int = 1, channel: str = "C0INC", **changes: object) -> AlertRule:
    return replace(AlertRule(key(channel, number), channel), **changes)  # type: ignore[arg-type] # fields by name


# ---------------------------------------------------------------- quiet hours


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 - the strategy adds the zone
    st.times(),
    st.times(),
    st.sampled_from([UTC, BERLIN, KATHMANDU, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]),
)
def test_it_is_quiet_exactly_while_the_clock_on_the_wall_is_between_the_two(
    naive: datetime, since: time, until: time, zone: ZoneInfo
) -> None:
    moment = naive.replace(tzinfo=UTC)
    wall = moment.astimezone(zone).time()
    covered = QuietHours(since, until, zone).covers(moment)
    assert covered is (since <= wall < until if since <= until else not until <= wall < since)
    assert covered is QuietHours(since, until, zone).covers(moment.astimezone(KATHMANDU))


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        (datetime(2026, 7, 1, 19, 59, tzinfo=UTC), False),  # 21:59 in summer
        (datetime(2026, 7, 1, 20, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 2, 4, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 7, 2, 5, 0, tzinfo=UTC), False),
        (datetime(2026, 12, 1, 20, 59, tzinfo=UTC), False),  # the same minute is 21:59 in winter
        (datetime(2026, 12, 1, 21, 0, tzinfo=UTC), True),
        (datetime(2026, 10, 25, 5, 59, tzinfo=UTC), True),  # a night of ten hours
        (datetime(2026, 3, 29, 5, 0, tzinfo=UTC), False),  # and one of eight
    ],
)
def test_a_night_in_berlin_ends_at_seven_on_the_wall(at: datetime, quiet: bool) -> None:
    assert NIGHT.covers(at) is quiet


# ---------------------------------------------------------------- whose rule it is


def test_for_one_channel_the_first_rule_that_fits_counts_and_each_channel_has_its_own() -> None:
    stuck = a_rule(1, about=frozenset({Reason.STUCK}), at_most=1)
    flow, every = a_rule(2, flows=frozenset({FLOW})), a_rule(1, "C0OTHER")
    rules = (stuck, flow, every)
    assert by_channel(rules, FLOW, Reason.STUCK) == {"C0INC": stuck, "C0OTHER": every}
    assert by_channel(rules, FLOW, Reason.STALE) == {"C0INC": flow, "C0OTHER": every}
    assert by_channel(rules, None, Reason.STALE) == {"C0OTHER": every}


# ---------------------------------------------------------------- what is told


@dataclass
class Ledger:
    """What outlives the process, and what people read in the channels."""

    rows: dict[AlertClaim, StoredAlertClaim]
    cards: Counter[AlertClaim]
    counted: Counter[AlertClaim]
    messages: dict[str, list[datetime]]


def meets(claims: AlertClaims, ledger: Ledger, rule: AlertRule, claim: AlertClaim, now: datetime, outcome: str) -> None:
    """A trouble is found, as whoever raises alerts goes about it; ``outcome``: of the post."""
    if claims.knows(claim) or claim in ledger.rows:
        return
    claimed, may = StoredAlertClaim(claim, rule.key, now), claims.may_tell(rule, now)
    ledger.rows[claim] = claimed
    claims.claim(claimed)
    if not may or outcome == "dies":
        return
    if outcome == "refused":
        del ledger.rows[claim]
        claims.give_back(claimed)
        return
    claims.told(rule.key, [claimed], now)
    ledger.rows[claim] = replace(claimed, told_at=now)
    ledger.cards[claim] += 1
    ledger.messages.setdefault(rule.key, []).append(now)


def says(claims: AlertClaims, ledger: Ledger, rule: AlertRule, now: datetime, outcome: str) -> None:
    held = claims.line(rule, now)
    if held is None or outcome == "refused":
        return
    assert held.since == min(each.since for each in held.claimed)
    claims.told(rule.key, held.claimed, now)
    for each in held.claimed:
        ledger.rows[each.claim] = replace(each, told_at=now)
        ledger.counted[each.claim] += 1
    ledger.messages.setdefault(rule.key, []).append(now)


OUTCOMES = st.sampled_from(["done"] * 6 + ["refused", "dies"])
STORIES = st.lists(
    st.tuples(
        st.integers(1, 2400),  # seconds until then
        st.integers(0, 40),  # which activeflow
        st.sampled_from(Reason),
        st.sampled_from(["meets"] * 5 + ["says", "restarts"]),
        OUTCOMES,
    ),
    max_size=120,
)


@given(
    STORIES,
    st.integers(1, 4),
    st.sampled_from([5 * MINUTE, HOUR, 24 * HOUR]),
    st.sampled_from([None, NIGHT, QuietHours(time(20), time(20, 30))]),
)
def test_never_twice_never_when_quiet_never_too_many_and_nothing_held_back_is_forgotten(
    story: list[tuple[int, int, Reason, str, str]], at_most: int, within: timedelta, quiet: QuietHours | None
) -> None:
    rules = [a_rule(at_most=at_most, within=within, quiet=quiet), a_rule(1, "C0OTHER")]
    ledger, now = Ledger({}, Counter(), Counter(), {}), EVENING
    claims = AlertClaims()
    for seconds, which, reason, what, outcome in story:
        now += timedelta(seconds=seconds)
        for number, rule in enumerate(rules):
            moment = now + number * timedelta(microseconds=1)
            if what == "meets":
                meets(claims, ledger, rule, AlertClaim(UUID(int=which), reason, rule.to), moment, outcome)
            elif what == "says":
                says(claims, ledger, rule, moment, outcome)
        if what == "restarts" or outcome == "dies":
            claims = AlertClaims(ledger.rows.values())
    for rule in rules:
        told = ledger.messages.get(rule.key, [])
        assert not any(rule.is_quiet(at) for at in told)
        assert all(sum(at - rule.within < other <= at for other in told) <= rule.at_most for at in told)
    assert all(times == 1 for times in (ledger.cards + ledger.counted).values())
    for rule in rules:  # when all is quiet at last, one line tells of all that is left
        late = EVENING + timedelta(days=40, hours=15)
        left = {claim for claim, row in ledger.rows.items() if row.told_at is None and claim.channel == rule.to}
        says(claims, ledger, rule, late, "done")
        assert claims.line(rule, late + within) is None
        assert all(ledger.counted[claim] == 1 for claim in left)
    assert set(ledger.rows) == set(ledger.cards + ledger.counted)


def test_what_is_held_back_is_said_before_anything_else() -> None:
    rule, claims = a_rule(at_most=1, within=HOUR), AlertClaims()
    first, second, third = (
        StoredAlertClaim(AlertClaim(UUID(int=n), Reason.STUCK, "C0INC"), rule.key, EVENING) for n in (1, 2, 3)
    )
    assert claims.may_tell(rule, EVENING)
    claims.claim(first)
    claims.told(rule.key, [first], EVENING)
    assert not claims.may_tell(rule, EVENING + HOUR - MINUTE)
    claims.claim(second)
    assert claims.line(rule, EVENING + HOUR - MINUTE) is None
    assert not claims.may_tell(rule, EVENING + HOUR), "the line goes first"
    held = claims.line(rule, EVENING + HOUR)
    assert held is not None
    assert held.claimed == (second,)
    claims.told(rule.key, held.claimed, EVENING + HOUR)
    claims.claim(third)
    assert claims.line(rule, EVENING + HOUR + MINUTE) is None


def test_a_rule_that_was_changed_is_held_to_what_it_posted_before() -> None:
    rule, claims = a_rule(at_most=MOST_MESSAGES, within=MINUTE), AlertClaims()
    for number in range(3 * MOST_MESSAGES):
        claimed = StoredAlertClaim(AlertClaim(UUID(int=number), Reason.STUCK, "C0INC"), rule.key, EVENING)
        claims.claim(claimed)
        claims.told(rule.key, [claimed], EVENING + number * MINUTE)
    now = EVENING + 3 * MOST_MESSAGES * MINUTE
    assert claims.may_tell(rule, now)
    assert not claims.may_tell(replace(rule, within=24 * HOUR), now)


def test_what_was_forgotten_may_come_again() -> None:
    claim = AlertClaim(UUID(int=1), Reason.STALE, "C0INC")
    claims = AlertClaims([StoredAlertClaim(claim, "C0INC:1", EVENING, EVENING)])
    assert claims.knows(claim)
    claims.forget([claim])
    assert not claims.knows(claim)
