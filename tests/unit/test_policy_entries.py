"""Single entries of the policy file, as people type them."""

from datetime import time, timedelta

import pytest

from bot.policy.file import duration, hours


@pytest.mark.parametrize(
    ("typed", "means"),
    [("10s", 10), ("5m", 300), ("1m30s", 90), ("1h", 3600), ("9s", None), ("61m", None), ("soon", None)],
)
def test_a_duration_lies_between_the_shortest_and_the_longest(typed: str, means: int | None) -> None:
    parsed = duration("10s", "1h", like="5m")
    if means is not None:
        assert parsed(typed) == timedelta(seconds=means)
        return
    with pytest.raises(ValueError, match=r"^must be a duration from "):
        parsed(typed)


@pytest.mark.parametrize("value", [300, None, ["5m"]])
def test_a_duration_is_text(value: object) -> None:
    with pytest.raises(ValueError, match=r'^must be a duration from "10s" to "1h", like "5m"$'):
        duration("10s", "1h", like="5m")(value)


def test_hours_have_minutes_at_both_ends() -> None:
    assert hours("22:15-07:45") == (time(22, 15), time(7, 45))
    assert hours("07:00-07:01") == (time(7), time(7, 1))


@pytest.mark.parametrize("value", ["7:00-08:00", "22:00", "24:00-01:00", "07:00-07:60", "22:00-07:00 ", 22])
def test_hours_that_are_none_are_said(value: object) -> None:
    with pytest.raises(ValueError, match=r'^must be two times of the day, like "22:00-07:00"$'):
        hours(value)


def test_hours_that_are_empty_are_said() -> None:
    with pytest.raises(ValueError, match=r"^must end at another time than it begins$"):
        hours("07:00-07:00")
