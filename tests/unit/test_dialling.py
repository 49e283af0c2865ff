"""A number that is written as one does in a country is that number, when the bot is told the country."""

from collections.abc import Iterator

import pytest

from bot.activeflows.numbers import dialled, numbers_in, read_by
from bot.composition.clients import plan_of


@pytest.fixture(autouse=True)
def _read_as_before() -> Iterator[None]:
    yield
    read_by(None)


USUAL = [
    ("US", "(212) 555-0123", "+12125550123"),
    ("US", "1-212-555-0123", "+12125550123"),
    ("US", "011 44 20 7946 0958", "+442079460958"),
    ("US", "1-800-FLOWERS", "+18003569377"),
    ("GB", "020 7946 0958", "+442079460958"),
    ("GB", "00 49 30 901820", "+4930901820"),
    ("DE", "0171 234 5678", "+491712345678"),
    ("DE", "+49 (0) 171 2345678", "+491712345678"),
    ("FR", "06 12 34 56 78", "+33612345678"),
    ("RU", "8 912 345-67-89", "+79123456789"),
    ("RU", "8 10 49 171 2345678", "+491712345678"),
    ("AR", "011 15 6123-4567", "+5491161234567"),
    ("MX", "+52 1 55 1234 5678", "+525512345678"),
    ("IT", "06 6982 0000", "+390669820000"),
]


@pytest.mark.parametrize(("region", "somehow", "everywhere"), USUAL)
def test_each_of_fourteen_usual_writings_is_the_number(region: str, somehow: str, everywhere: str) -> None:
    read_by(plan_of(region))
    (number,) = numbers_in(f"Call from {somehow}, twice")
    end = dialled(everywhere)
    assert end is not None
    assert number.same(end)
    assert end.same(number)
    assert number.whole(end)


@pytest.mark.parametrize(("region", "somehow", "everywhere"), USUAL)
def test_it_is_no_other_number_of_another_country(region: str, somehow: str, everywhere: str) -> None:
    read_by(plan_of(region))
    (number,) = numbers_in(somehow)
    other = dialled(f"+998{everywhere[-8:]}")
    assert other is not None
    assert not number.same(other)


def test_a_number_without_its_area_is_in_the_region_only() -> None:
    (british, american) = (dialled("+442075551234"), dialled("+12125551234"))
    assert british is not None
    assert american is not None
    read_by(plan_of("US"))
    (local,) = numbers_in("555-1234")
    assert local.same(american)
    assert not local.same(british)
    assert not british.same(local)


def test_what_is_dialled_nationally_is_found_as_it_is_written() -> None:
    read_by(plan_of("RU"))
    (number,) = numbers_in("8 912 345-67-89")
    for target in ("89123456789", "79123456789", "+79123456789", "sip:9123456789@pbx"):
        end = dialled(target)
        assert end is not None
        assert number.same(end), target


@pytest.mark.parametrize("target", ["+525512345678", "+5215512345678"])
@pytest.mark.parametrize("somehow", ["+52 1 55 1234 5678", "+52 55 1234 5678", "0052 1 55 1234 5678", "55 1234 5678"])
def test_mexico_has_no_1_any_more_with_or_without_a_region(somehow: str, target: str) -> None:
    (number,) = numbers_in(somehow)
    end = dialled(target)
    assert end is not None
    assert number.same(end)


@pytest.mark.parametrize("word", ["1-800-FLOWERS", "1 800 FLOWERS", "(800) FLOWERS", "800-356-FLWR", "+1-888-GO-FEDEX"])
def test_a_word_on_the_keys_is_a_number(word: str) -> None:
    if "GO-" in word:
        assert numbers_in(word) == ()  # two words are none of ours
        return
    (number,) = numbers_in(f"call {word} now")
    assert number.digits.endswith("8003569377") or number.digits.endswith("8003563597")


@pytest.mark.parametrize("text", ["800 PENDING orders", "order 8001234ABCDEF", "855-ERROR", "1-800-flow"])
def test_other_words_are_none(text: str) -> None:
    assert numbers_in(text) == ()


def test_made_up_numbers_are_compared_as_without_a_region() -> None:
    read_by(plan_of("US"))
    (number,) = numbers_in("+1 555 010 7731")
    end = dialled("+15550107731")
    assert end is not None
    assert number.same(end)
