"""Names are found as people remember them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.names import ALIKE, likeness, says


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        *(("support", "Support line"), ("suport lin", "Support line"), ("line support", "Support line")),
        *(("supportline", "Support line"), ("SUPPORT-LINE", "Support line"), ("cafe nord", "Café Nord")),
        *(
            ("recal", "Recall campaign"),
            ("Zweitlevel", "Zweit-Level"),
            ("sup", "Support line"),
            ("line 2", "Line 2 (night)"),
        ),
    ],
)
def test_it_is_like_it(typed: str, name: str) -> None:
    assert likeness(typed, name) >= ALIKE


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("support", "Main menu"),
        ("support night", "Support line"),
        ("", "Main menu"),
        ("main", ""),
        ("—", "—"),
        ("li", "Survey"),
    ],
)
def test_it_is_not(typed: str, name: str) -> None:
    assert likeness(typed, name) == 0.0


def test_the_same_is_more_like_than_what_begins_so_and_that_more_than_what_looks_so() -> None:
    whole, begins, looks = (likeness(typed, "Support") for typed in ("support", "supp", "suport"))
    assert whole == 1.0 > begins > looks


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_a_share_and_what_is_the_same_is_wholly_alike(one: str, other: str) -> None:
    assert 0.0 <= likeness(one, other) <= 1.0
    assert likeness(one, one) in ({1.0} if any(c.isalnum() for c in one) else {0.0, 1.0})


@pytest.mark.parametrize(
    ("typed", "there"),
    [
        ("keypad", True),
        ("waiting key", True),
        ("WAITING input", True),
        ("pad", False),
        ("waiting queue", False),
        ("", False),
    ],
)
def test_a_sentence_says_what_begins_its_words(typed: str, there: bool) -> None:
    assert says("waiting for keypad input, up to 6 digits", typed) is there
