"""A telephone number is the same number however it is written, and nothing else is."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.activeflows.numbers import LONGEST, SHORTEST, Number, dialled, numbers_in

BETWEEN = st.sampled_from(["", "", " ", "-", ".", " / ", "\u00a0", "\u2009", "–", " - "])
COUNTRIES = st.sampled_from(["1", "7", "39", "44", "49", "82", "353", "998"])
NATIONAL = st.from_regex(r"[1-9][0-9]{6,10}", fullmatch=True)
SCRIPTS = st.sampled_from(["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩"])
BEFORE = st.sampled_from(["", " ", "(", "caller: ", "Tel.:", "\u202a", "\n", "“", "from="])
AFTER = st.sampled_from(["", " ", ")", ", ", ". Call back", "\u202c", "\n", "”", ": busy", "@pbx"])


@given(COUNTRIES, NATIONAL, st.integers(1, 4))
def test_only_the_country_may_be_left_out_of_a_whole_number(country: str, national: str, cut: int) -> None:
    whole = Number(f"{country}{national}", international=True)
    assert whole.whole(whole)
    assert whole.whole(Number(national))
    assert Number(national).whole(whole)
    assert not whole.whole(Number(national[cut:]))
    assert not Number(national[cut:]).whole(whole)


@given(st.lists(st.sampled_from([*"0123456789+() -./:,;x\t\n", "tel:", "CALL", "+15550100001"])).map("".join))
def test_the_numbers_of_an_ascii_line_are_those_beside_something_invisible(line: str) -> None:
    assert numbers_in(line) == numbers_in(f"\u200b{line}\u200b")


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A number as it is dialled everywhere, and in some writing of somebody's."""
    country, national = draw(COUNTRIES), draw(NATIONAL)
    prefix, trunk = draw(
        st.sampled_from([("+", ""), ("00", ""), ("+", "(0)"), ("+", " (0) "), (None, "0"), (None, ""), (None, "(0)")])
    )
    groups = _grouped(draw, national)
    front = f"{prefix}{country}" if prefix is not None else ""
    between = draw(BETWEEN) if front and not trunk else ""
    digits = str.maketrans("0123456789", draw(SCRIPTS))
    return f"+{country}{national}", f"{front}{trunk}{between}{groups}".translate(digits)


def _grouped(draw: st.DrawFn, national: str) -> str:
    """In groups of two digits and more."""
    cuts = sorted(draw(st.sets(st.integers(2, len(national) - 2), max_size=3)))
    cuts = [cut for before, cut in zip([0, *cuts], cuts, strict=False) if cut - before >= 2]
    pieces = [national[a:b] for a, b in zip([0, *cuts], [*cuts, len(national)], strict=True)]
    between = draw(BETWEEN)
    return between.join(pieces)


@given(written(), BEFORE, AFTER)
def test_every_usual_writing_of_a_number_is_that_number(pair: tuple[str, str], before: str, after: str) -> None:
    everywhere, somehow = pair
    meant = dialled(everywhere)
    assert meant is not None
    assume(
        not re.fullmatch(r"\d+([-.])\d\d?\1(?:\d+|\d+\.\d+)|\d{1,3}(?:\.\d{1,3}){3}", somehow)
    )  # 1234-12-12 is a date, 12.34.56.78 an address
    assert [number.same(meant) for number in numbers_in(f"{before}{somehow}{after}")] == [True]


@pytest.mark.parametrize(
    "somehow",
    [
        *("0171 234 5678", "+49 171 2345678", "0049-171-2345678", "+49 (0) 171 2345678", "(0171) 2345678"),
        *("0171/2345678", "+49.171.234.5678", "tel:0171-2345678", "(+49) 171 2345678", "\u202a+49 171 2345678\u202c"),
        *("sip:+491712345678@pbx.example", "caller=+491712345678,", "0171 2345678: hello", "0171 2345678 2 times"),
    ],
)
def test_it_is_the_same_call_that_is_meant(somehow: str) -> None:
    (number,) = numbers_in(somehow)
    for target in ("+491712345678", "01712345678", "491712345678", "00491712345678", "sip:+491712345678@sbc;tag=1"):
        end = dialled(target)
        assert end is not None
        assert number.same(end)
        assert end.same(number)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "123456",
            "at 12:30:09 on 2026-08-20 07:41",
            "20.08.2026",
            "8/20/2026",
            "192.168.100.200",
            "build-4711-12345678",
        ),
        *("3c5b0f6e-1234-4222-8333-123456789012", "https://x.example/5550107731", "abc5550107731", "1695890000.000200"),
        *("5550107731abc", "12345678901234567890", "#5550107731", "user@5550107731"),
    ],
)
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    assert not numbers_in(text) or "3c5b0f6e" in text


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("0171 2345678 0172 1234567", ["1712345678", "1721234567"]),
        ("0171 2345678\n0172 1234567", ["1712345678", "1721234567"]),
        ("+15550107731 +15550107732", ["15550107731", "15550107732"]),
        ("555-010-7731 555-010-7732", ["5550107731", "5550107732"]),
        ("20.08.2026 0171 2345678", ["1712345678"]),
        ("12:30 0171 2345678 12:31", ["1712345678"]),
        ("+44 20 7946 0958", ["442079460958"]),
        ("01 23 45 67 89", ["123456789"]),
        ("010 7731", ["0107731"]),
        ("+47 22.33.44.55", ["4722334455"]),
        ("(0)10-11-2026 on 10-11-2026", ["10112026"]),
    ],
)
def test_numbers_in_a_text_are_parted_as_they_were_meant(text: str, digits: list[str]) -> None:
    assert [number.digits for number in numbers_in(text)] == digits


def test_two_that_say_their_countries_are_the_same_only_in_whole() -> None:
    german, italian = dialled("+4917112345678"), dialled("+3912345678")
    assert german is not None
    assert italian is not None
    assert not german.same(italian)
    assert german.same(Number("12345678"))


DIGITS = st.text("0123456789", min_size=1, max_size=LONGEST)
NUMBERS = st.builds(Number, DIGITS, st.booleans())


@given(NUMBERS, NUMBERS)
def test_being_the_same_has_no_direction_and_takes_seven_digits(one: Number, other: Number) -> None:
    assert one.same(other) == other.same(one)
    if one.same(other) and one.digits != other.digits:
        short = min(one.digits, other.digits, key=len)
        assert len(short) >= SHORTEST


@given(st.text(max_size=80) | st.text("0123456789+()-./ :\n", max_size=60))
def test_reading_never_fails_and_what_is_read_could_be_dialled(text: str) -> None:
    for number in numbers_in(text):
        assert SHORTEST <= len(number.digits) <= LONGEST
        assert number.digits.isascii()
        assert number.digits.isdecimal()
        assert number.digits not in repr(number)
    dialled(text)
