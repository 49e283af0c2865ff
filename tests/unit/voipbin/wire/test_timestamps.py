"""Every style of time that VoIPBIN has ever sent is the same instant, and nothing that is no time is one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.voipbin.wire.answers import instant, page_token

MOMENTS = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 — bounds are naive here
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-04-11 00:23:54.724620", datetime(2022, 4, 11, 0, 23, 54, 724620, UTC)),
        ("2026-01-20T08:00:00.000000Z", datetime(2026, 1, 20, 8, tzinfo=UTC)),
        ("2026-08-20T07:41:09.20431Z", datetime(2026, 8, 20, 7, 41, 9, 204310, UTC)),
        ("2026-08-20T07:41:09Z", datetime(2026, 8, 20, 7, 41, 9, tzinfo=UTC)),
        ("2026-08-20T07:41:15.912044719Z", datetime(2026, 8, 20, 7, 41, 15, 912044, UTC)),
        ("2026-08-20T09:41:09+02:00", datetime(2026, 8, 20, 7, 41, 9, tzinfo=UTC)),
    ],
)
def test_each_style_is_read_as_an_instant_in_utc(text: str, expected: datetime) -> None:
    found = instant(text)
    assert found == expected
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "soon",
        "9999-01-01 00:00:00.000000",
        "9999-01-01T00:00:00.000000Z",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        1_755_675_669,
        ["2026-08-20T07:41:09Z"],
    ],
)
def test_null_the_sentinels_and_what_is_no_time_are_none(text: object) -> None:
    assert instant(text) is None


@given(MOMENTS, st.integers(0, 9), st.booleans(), st.booleans())
def test_any_number_of_fraction_digits_reads_as_the_same_microsecond(
    moment: datetime, digits: int, blank: bool, trimmed: bool
) -> None:
    kept = moment.replace(microsecond=moment.microsecond // 10 ** max(6 - digits, 0) * 10 ** max(6 - digits, 0))
    fraction = f"{kept.microsecond:06d}000"[:digits]
    fraction = fraction.rstrip("0") if trimmed else fraction
    text = f"{kept:%Y-%m-%d}{' ' if blank else 'T'}{kept:%H:%M:%S}{'.' if fraction else ''}{fraction}{'' if blank else 'Z'}"
    assert instant(text) == kept


@given(st.text() | st.none() | st.integers() | st.floats())
def test_nothing_raises(text: object) -> None:
    found = instant(text)
    assert found is None or found.utcoffset() == timedelta(0)


@given(MOMENTS)
def test_a_page_token_always_has_six_digits_and_a_z_and_comes_back_as_itself(moment: datetime) -> None:
    token = page_token(moment)
    assert len(token) == len("2026-08-20T06:00:00.500000Z")
    assert token.endswith("Z")
    assert instant(token) == moment
