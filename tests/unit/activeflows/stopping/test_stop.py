"""The values in the life of a stop: when it is late, whose press it was, and what is kept of a later hang-up."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bot.activeflows.queries.inspection import ShownState
from bot.activeflows.stopping.stop import (
    Attribution,
    CallAfter,
    Ended,
    Intent,
    Press,
    PressKind,
    hung_up_first,
    renewed,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
SEEN = ShownState("Support line", "digits", "Waits for digits", (), "call", UUID(int=3), "", None, NOW)
INTENT = Intent("1" * 32, UUID(int=1), UUID(int=2), SEEN, "U0ALICE", "C0", "they loop", NOW, LATER, among=3)


@pytest.mark.parametrize(("microseconds", "late"), [(-1, False), (0, True), (1, True)])
def test_an_intent_is_late_from_its_deadline_on(microseconds: int, late: bool) -> None:
    assert INTENT.late(LATER + timedelta(microseconds=microseconds)) is late


def test_an_activeflow_is_named_by_the_first_digits_of_its_id() -> None:
    assert INTENT.short_id == "00000000"
    assert (
        Intent("", UUID("12345678-" + "9abc-" * 3 + "0" * 12), None, SEEN, "", "", "", NOW, NOW).short_id == "12345678"
    )


def test_a_press_is_known_by_what_who_and_when() -> None:
    address = {"response_url": "https://a"}
    press = Press("i", "U0BOB", "T0", "C0", "2.5", NOW, reply_address=address)
    assert press.id == "stop:i:U0BOB:2.5"
    assert Press("i", "U0BOB", "T0", "C0", "2.5", NOW, PressKind.HANG_UP).id == "hang_up:i:U0BOB:2.5"
    assert "https" not in repr(press)


@pytest.mark.parametrize(("seconds", "first"), [(-0.1, False), (0, True), (9.9, True), (10, False)])
def test_an_activeflow_ended_with_its_call_when_it_ended_within_ten_seconds_after_it(
    seconds: float, first: bool
) -> None:
    assert hung_up_first(NOW, NOW + timedelta(seconds=seconds)) is first


UP, GONE = CallAfter("up"), CallAfter("hung_up", NOW)
PRESSED_UP, PRESSED_GONE = CallAfter("up", hung_up_by="U0BOB"), CallAfter("hung_up", NOW, "U0BOB")


@pytest.mark.parametrize(
    ("read", "there", "kept"),
    [
        (None, None, None),
        (UP, None, UP),
        (GONE, UP, GONE),
        (UP, GONE, UP),
        (UP, PRESSED_UP, PRESSED_UP),
        (None, PRESSED_UP, PRESSED_UP),
        (UP, PRESSED_GONE, PRESSED_GONE),
        (GONE, PRESSED_GONE, PRESSED_GONE),
        (GONE, PRESSED_UP, GONE),
    ],
)
def test_who_pressed_hang_up_knows_better_about_the_call_but_not_that_it_is_up_when_it_is_gone(
    read: CallAfter | None, there: CallAfter | None, kept: CallAfter | None
) -> None:
    now = Ended("U0ALICE", Attribution.THIS_PRESS, NOW, read, receipt="1:a")
    before = Ended("U0ALICE", Attribution.THIS_PRESS, NOW, there)
    assert now.after(before) == Ended("U0ALICE", Attribution.THIS_PRESS, NOW, kept, receipt="1:a")
    assert now.after(None) == now


def test_a_renewed_intent_is_the_same_as_it_is_seen_by_now() -> None:
    seen = ShownState("Support line", "talk", "Talks", (), "call", UUID(int=3), "", None, NOW)
    anew = renewed(INTENT, id_="2" * 32, seen_now=seen, at=LATER, deadline=LATER + timedelta(minutes=5))
    assert anew == Intent(
        "2" * 32,
        UUID(int=1),
        UUID(int=2),
        seen,
        "U0ALICE",
        "C0",
        "they loop",
        LATER,
        LATER + timedelta(minutes=5),
        among=3,
    )
