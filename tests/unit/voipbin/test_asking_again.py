"""When a question is asked again, and where logins are made."""

import pytest

from bot.voipbin.connection import addresses
from bot.voipbin.http.answer import FailureKind, RequestFailure, Unsuccessful
from bot.voipbin.http.exchange import RequestPauses, again_after


def unsuccessful(kind: FailureKind, retry_after: float = 1.0) -> Unsuccessful:
    return Unsuccessful(RequestFailure(kind, "no", retry_after=retry_after))


def test_each_kind_of_trouble_has_its_own_waits() -> None:
    decide = again_after({FailureKind.LOST: (0.5, 2.0), FailureKind.INTERNAL: (4.0,)}, jitter=0)
    asked = [
        decide(unsuccessful(kind))
        for kind in (FailureKind.LOST, FailureKind.INTERNAL, FailureKind.LOST, FailureKind.LOST)
    ]
    assert asked == [0.5, 4.0, 2.0, False]
    assert decide(unsuccessful(FailureKind.INTERNAL)) is False


def test_a_429_waits_as_long_as_voipbin_asked_and_a_little_more() -> None:
    decide = again_after({FailureKind.THROTTLED: (0.5,)}, jitter=0.3)
    assert 7.5 <= decide(unsuccessful(FailureKind.THROTTLED, 7.0)) <= 7.8


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.FORBIDDEN,
        FailureKind.FROZEN,
        FailureKind.ABSENT,
        FailureKind.GONE,
        FailureKind.REFUSED,
        FailureKind.UNCLASSIFIED,
    ],
)
def test_an_answer_that_will_not_change_is_final(kind: FailureKind) -> None:
    assert again_after(RequestPauses().for_reads(), 0.3)(unsuccessful(kind)) is False


@pytest.mark.parametrize("kind", list(FailureKind))
def test_who_asked_once_may_come_again_after_the_first_wait_for_its_kind(kind: FailureKind) -> None:
    waits = RequestPauses().for_reads().get(kind)
    pause = RequestPauses().pause_after(RequestFailure(kind, "no", retry_after=7.0))
    assert pause == (None if waits is None else waits[0] + (7.0 if kind is FailureKind.THROTTLED else 0.0))


def test_our_own_mistakes_are_not_repeated() -> None:
    assert again_after(RequestPauses().for_reads(), 0.3)(ZeroDivisionError()) is False


@pytest.mark.parametrize(
    ("given", "api", "root"),
    [
        ("https://api.voipbin.net/v1.0", "https://api.voipbin.net/v1.0", "https://api.voipbin.net"),
        ("https://api.voipbin.net/v1.0/", "https://api.voipbin.net/v1.0", "https://api.voipbin.net"),
        (" https://pbx.example:8443/voip/v2 ", "https://pbx.example:8443/voip/v2", "https://pbx.example:8443/voip"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ],
)
def test_logins_are_made_beside_the_version_and_not_under_it(given: str, api: str, root: str) -> None:
    assert addresses(given) == (api, root)


@pytest.mark.parametrize(
    "bad",
    ["", "api.voipbin.net/v1.0", "ftp://x/v1.0", "https://", "https://u:hush@x/v1.0", "https://x/v1.0?accesskey=hush"],
)
def test_an_address_that_is_none_is_refused_without_being_repeated(bad: str) -> None:
    with pytest.raises(ValueError, match="API URL") as refusal:
        addresses(bad)
    assert "hush" not in str(refusal.value)
