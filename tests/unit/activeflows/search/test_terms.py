"""What a text names: ids, numbers, else words, and both where it could be either."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.queries.resolution import Prefix
from bot.activeflows.search.ranking import MOST_IDS, MOST_NUMBERS, SearchTerms, terms_in

ID = UUID("3c5b0f6e-1d2a-4222-8333-123456789abc")


@pytest.mark.parametrize(
    ("text", "targets", "numbers", "words"),
    [
        ("Support line", (), 0, "Support line"),
        (str(ID), (ID,), 0, ""),
        (f"Support line · `{ID}` · running", (ID,), 0, ""),
        ("3c5b0f6e", (Prefix("3c5b0f6e"),), 0, ""),
        ("cafe", (Prefix("cafe"),), 0, "cafe"),
        ("2024", (Prefix("2024"),), 0, "2024"),
        ("12345678", (Prefix("12345678"),), 1, ""),
        ("01712345678", (), 1, ""),
        ("1712345678 3c5b0f6e", (Prefix("3c5b0f6e"),), 1, ""),
        ("12345678-1234-4222-8333-123456789012", (UUID("12345678-1234-4222-8333-123456789012"),), 0, ""),
        ("00000000-0000-0000-0000-000000000000", (), 0, "00000000-0000-0000-0000-000000000000"),
        ("  ", (), 0, ""),
    ],
)
def test_a_text_names(text: str, targets: tuple[UUID | Prefix, ...], numbers: int, words: str) -> None:
    terms = terms_in(text)
    assert (terms.targets, len(terms.numbers), terms.words) == (targets, numbers, words)


def test_of_a_long_text_only_so_many_are_taken_and_the_rest_is_counted() -> None:
    many = "\n".join(
        [f"{number:08x}" for number in range(0xABC00000, 0xABC00000 + 14)] + [f"0171 55501{n:02}" for n in range(5)]
    )
    terms = terms_in(many)
    assert (len(terms.targets), len(terms.numbers), terms.more) == (MOST_IDS, MOST_NUMBERS, 4 + 2)


@given(st.text(max_size=200))
def test_anything_is_named_or_nothing_and_never_an_error(text: str) -> None:
    terms = terms_in(text)
    assert terms.nothing == (terms == SearchTerms())
    assert terms.nothing == (not text.split())


@given(
    st.lists(st.uuids().filter(lambda id_: id_.int != 0), min_size=1, max_size=4, unique=True),
    st.text("xyz ,.\n", max_size=9),
)
def test_every_whole_id_in_a_text_is_found_and_no_number_is_read_out_of_it(ids: list[UUID], between: str) -> None:
    terms = terms_in(f" {between} ".join(map(str, ids)))
    assert terms.targets == tuple(ids)
    assert terms.numbers == ()
