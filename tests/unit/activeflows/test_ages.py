"""How long, for reading and for typing."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import as_typed, from_typed, in_words

UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
LONG = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "under 1 s"), (0, "under 1 s"), (0.9, "under 1 s"), (1, "1 s"), (59.9, "59 s"), (60, "1 min"),
     (3599, "59 min"), (3600, "1 h"), (4320, "1 h 12 min"), (86399, "23 h 59 min"), (86400, "1 d"), (200_000, "2 d")],
)  # fmt: skip
def test_an_age_is_said_in_units_people_use(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words


def _read_back(words: str) -> int:
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+) (s|min|h|d)\b", words))


@given(LONG, LONG)
def test_an_older_one_is_never_said_to_be_younger(one: timedelta, other: timedelta) -> None:
    younger, older = sorted((one, other))
    if older >= timedelta(seconds=1) > younger:
        assert in_words(younger) == "under 1 s"
    elif younger >= timedelta(seconds=1):
        assert _read_back(in_words(younger)) <= _read_back(in_words(older))


@given(LONG)
def test_an_age_is_never_said_longer_than_it_is_nor_much_shorter(age: timedelta) -> None:
    said = timedelta(seconds=_read_back(in_words(age)))
    assert said <= age or age < timedelta(seconds=1)
    assert age < timedelta(seconds=1) or said > age / 2


@given(st.timedeltas())
def test_there_is_always_something_to_read(age: timedelta) -> None:
    assert in_words(age)
    assert as_typed(age)


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("10m", 600),
        ("2h", 7200),
        ("90s", 90),
        ("3d", 259_200),
        ("1h30m", 5400),
        ("1D", 86400),
        (" 5m ", 300),
        ("0s", 0),
    ],
)
def test_a_typed_duration_is_understood(typed: str, seconds: int) -> None:
    assert from_typed(typed) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "typed", ["", " ", "10", "m", "10 m", "ten minutes", "-5m", "5m2h", "1.5h", "١m", "9" * 30 + "d"]
)
def test_what_is_no_duration_is_not_guessed(typed: str) -> None:
    assert from_typed(typed) is None


@given(st.integers(0, 10**8))
def test_a_duration_survives_being_typed(seconds: int) -> None:
    assert from_typed(as_typed(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@given(st.text(alphabet="0123456789dhms ", max_size=30))
def test_no_typed_text_breaks_it(text: str) -> None:
    found = from_typed(text)
    assert found is None or found >= timedelta(0)
