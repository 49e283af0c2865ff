"""Names are the same in every spelling that people and Slack give them, and different where people mean others."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.names import closest_names, name_key, same_name

FORMS: list[Literal["NFC", "NFD", "NFKC", "NFKD"]] = ["NFC", "NFD", "NFKC", "NFKD"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("상담 대기", unicodedata.normalize("NFD", "상담 대기")),
        ("Café", unicodedata.normalize("NFD", "CAFÉ")),
        ("☎️ Line", "☎ line"),
        ("Ｓｕｐｐｏｒｔ　ｌｉｎｅ", "Support line"),
        ("ｶﾌｪ", "カフェ"),
        ("Straße", "STRASSE"),
        ("  Support \t line ", "Support line"),
        ("zero\u200bwidth", "zerowidth"),
        ("A∗B", "A*B"),
        ("꞉fire: Hotline", ":fire: Hotline"),
    ],
)
def test_spellings_of_one_name_are_the_same(one: str, other: str) -> None:
    assert same_name(one, other)
    assert same_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Support", "Support test"),
        ("Cafe", "Café"),
        ("fire", "🔥"),
        ("👍", "👎"),
        ("👍", "👍🏽"),
        ("10:30:15", "103015"),
        (":no_such_code:", "no_such_code"),
        ("Line 1", "Line 2"),
    ],
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert not same_name(one, other)


@given(st.text(), st.sampled_from(FORMS))
def test_no_form_of_unicode_makes_another_name(name: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> None:
    assert same_name(name, unicodedata.normalize(form, name))


@given(st.text())
def test_a_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@given(st.text())
def test_a_name_is_never_suggested_for_itself(name: str) -> None:
    assert closest_names(name, [unicodedata.normalize("NFD", name), name]) == ()


def test_the_likest_names_are_suggested_as_they_are_written() -> None:
    assert closest_names("🔥 hotlin", ["🔥 Hotline", "Support"]) == ("🔥 Hotline",)
