"""A masked number can be recognised by who knows it, and dialled by nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import Party
from bot.activeflows.numbers import masked, numbers_in

KINDS = ("tel", "whatsapp", "", "sip", "extension", "agent", "ai", "email", "something_new")
NUMBER_KINDS = {"tel", "whatsapp", ""}


@pytest.mark.parametrize(
    ("party", "shown"),
    [
        (Party("tel", "+15550100001"), "+1555•••••01"),
        (Party("tel", "+1 (555) 010-0001"), "+1555•••••01"),
        (Party("", "15550100001"), "15550••••01"),
        (Party("whatsapp", "+447700900123"), "+4477••••••23"),
        (Party("tel", "5550123"), "5••••23"),
        (Party("tel", "1234"), "••34"),
        (Party("tel", "112"), "a hidden address"),
        (Party("tel", "anonymous"), "a hidden address"),
        (Party("tel", "+1555010-ALICE"), "a hidden address"),
        (Party("sip", "alice@example.com"), "a SIP address"),
        (Party("sip", "+15550100001"), "a SIP address"),
        (Party("email", "alice@example.com"), "an e-mail address"),
        (Party("extension", "1001"), "an extension"),
        (Party("something_new", "+15550100001"), "a hidden address"),
        (Party("tel", ""), "unknown"),
        (Party("", ""), "unknown"),
    ],
)
def test_a_party_is_shown_as_much_as_one_may_know(party: Party, shown: str) -> None:
    assert masked(party) == shown


@given(
    st.sampled_from(sorted(NUMBER_KINDS)),
    st.from_regex(r"\+?[0-9]([0-9]|[ ()-](?=[0-9])){0,24}[0-9]", fullmatch=True),
)
def test_of_a_number_at_most_the_first_five_and_the_last_two_characters_survive(kind: str, number: str) -> None:
    shown = masked(Party(kind, number))
    compact = "".join(c for c in number if c not in " ()-")
    if sum(c.isdigit() for c in compact) < 4:
        assert shown == "a hidden address"
        return
    assert len(shown) == len(compact)
    survivors = [at for at, c in enumerate(shown) if c != "•"]
    assert all(at < 5 or at >= len(compact) - 2 for at in survivors)
    assert all(shown[at] == compact[at] for at in survivors)
    hidden = len(compact) - len(survivors)
    assert hidden >= 2
    assert hidden >= min(4, len(compact) - 2)


@given(st.sampled_from(KINDS), st.text(max_size=40), st.text(max_size=10))
def test_what_is_no_number_reveals_nothing_of_itself(kind: str, target: str, name: str) -> None:
    shown = masked(Party(kind, target, name))
    is_number = kind in NUMBER_KINDS and not any(c.isalpha() or c in "@._:/" for c in target)
    if not is_number:
        assert shown == masked(Party(kind, "x" if target else ""))
    assert masked(Party(kind, target, "another name")) == shown


@given(st.sampled_from(sorted(NUMBER_KINDS)), st.from_regex(r"\+?[1-9][0-9]{2,14}", fullmatch=True))
def test_a_search_for_what_a_message_says_finds_no_number_in_a_mask(kind: str, number: str) -> None:
    assert numbers_in(f"caller {masked(Party(kind, number))}.") == ()
