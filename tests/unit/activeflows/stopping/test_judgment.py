"""What is said of a stop, for everything that can have been sent, shut and read: the whole table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bot.activeflows.stopping.authorization import ClosedGate
from bot.activeflows.stopping.read_back import (
    LostAttempt,
    ReadState,
    SendResult,
    StopAttempt,
    Verdict,
    judged,
    not_known,
    not_sent,
    refused_for_its_state,
    state_of,
)
from bot.activeflows.stopping.stop import (
    Attribution,
    Ended,
    Expired,
    FailureReason,
    GateRefusal,
    Moved,
    NotKnown,
    NotSent,
    Outcome,
    Press,
    StillRunning,
    StopState,
)

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
AT, READ_AT = NOW - timedelta(seconds=9), NOW - timedelta(seconds=2)
BY = "U0ALICE"
PRESS = Press(UUID(int=1).hex, BY, "", "C0INC", "1.0", NOW)
BROKE, SILENT = FailureReason("the connection broke", "req-1"), FailureReason("VoIPBIN did not answer", "req-2")
ANSWERED, LOST_STOP = StopAttempt(SendResult.ANSWERED), StopAttempt(SendResult.LOST, BROKE)
ENDED, RUNNING, UNREAD = (
    Verdict(ReadState.ENDED, AT),
    Verdict(ReadState.RUNNING, AT, read_at=READ_AT),
    Verdict(trouble=SILENT),
)
BY_ITSELF, CALL_UNREAD = replace(ENDED, by_itself=True), replace(ENDED, by_itself=None)
LOST = LostAttempt(LOST_STOP, RUNNING)
TAKEN = FailureReason("VoIPBIN accepted the stop, but still shows it as running")


@pytest.mark.parametrize(
    ("attempt", "verdict", "outcome"),
    [
        (ANSWERED, ENDED, Ended(BY, Attribution.THIS_PRESS, AT)),
        (ANSWERED, BY_ITSELF, Ended(BY, Attribution.BY_ITSELF, AT)),
        (ANSWERED, CALL_UNREAD, Ended(BY, Attribution.CALL_UNREAD, AT)),
        (ANSWERED, RUNNING, NotKnown(BY, NOW, TAKEN, final=True)),
        (ANSWERED, UNREAD, NotKnown(BY, NOW, SILENT, final=True)),
        (LOST_STOP, ENDED, Ended(BY, Attribution.UNCERTAIN, AT, trouble=BROKE)),
        (LOST_STOP, BY_ITSELF, Ended(BY, Attribution.BY_ITSELF, AT)),
        (LOST_STOP, CALL_UNREAD, Ended(BY, Attribution.UNCERTAIN, AT, trouble=BROKE)),
        (LOST_STOP, RUNNING, StillRunning(BY, READ_AT, BROKE)),
        (LOST_STOP, replace(RUNNING, read_at=None), StillRunning(BY, NOW, BROKE)),
        (LOST_STOP, UNREAD, NotKnown(BY, NOW, BROKE, final=True)),
    ],
)
def test_of_a_stop_that_was_sent_only_what_was_read_is_said(
    attempt: StopAttempt, verdict: Verdict, outcome: Outcome
) -> None:
    assert judged(PRESS, attempt, verdict, NOW) == outcome


def test_while_it_is_not_known_the_first_reason_there_is_is_given() -> None:
    assert not_known(PRESS, LOST_STOP, UNREAD, NOW) == NotKnown(BY, NOW, BROKE)
    assert not_known(PRESS, ANSWERED, UNREAD, NOW) == NotKnown(BY, NOW, SILENT)
    assert not_known(PRESS, ANSWERED, RUNNING, NOW, final=True) == NotKnown(BY, NOW, TAKEN, final=True)


def closed(shut: GateRefusal, trouble: FailureReason = SILENT) -> StopAttempt:
    return StopAttempt(SendResult.CLOSED, trouble, None, ClosedGate(shut, trouble, AT))


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        (closed(GateRefusal.ENDED), Ended(BY, Attribution.ALREADY, AT)),
        (closed(GateRefusal.MOVED), Moved(BY, "digits")),
        (closed(GateRefusal.LATE), Expired()),
        (
            closed(GateRefusal.ABORTED),
            NotSent(BY, FailureReason("it was aborted"), pressable=False, shut=GateRefusal.ABORTED),
        ),
        (closed(GateRefusal.GONE), NotSent(BY, SILENT, pressable=False, shut=GateRefusal.GONE)),
        (closed(GateRefusal.REFUSED), NotSent(BY, SILENT, pressable=True, shut=GateRefusal.REFUSED)),
        (closed(GateRefusal.UNREAD), NotSent(BY, SILENT, pressable=True, shut=GateRefusal.UNREAD)),
        (closed(GateRefusal.STALE), NotSent(BY, SILENT, pressable=True, shut=GateRefusal.STALE)),
        (StopAttempt(SendResult.NOT_DONE, SILENT), NotSent(BY, SILENT)),
    ],
)
def test_what_never_went_out_is_told_by_what_shut_the_gate(attempt: StopAttempt, outcome: Outcome | Moved) -> None:
    assert not_sent(PRESS, attempt, None, NOW, was="digits") == outcome


def test_where_nothing_can_be_asked_once_more_what_has_moved_on_is_left() -> None:
    assert not_sent(PRESS, closed(GateRefusal.MOVED), None, NOW) == NotSent(BY, SILENT, shut=GateRefusal.MOVED)


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        (closed(GateRefusal.ENDED), Ended(BY, Attribution.UNCERTAIN, AT, trouble=BROKE)),
        (closed(GateRefusal.GONE), Ended(BY, Attribution.UNCERTAIN, AT, trouble=BROKE)),
        (
            closed(GateRefusal.MOVED),
            StillRunning(BY, READ_AT, FailureReason("it has moved on, so no other stop was sent", "req-1")),
        ),
        (
            closed(GateRefusal.REFUSED),
            StillRunning(BY, READ_AT, FailureReason("no other stop was sent: VoIPBIN did not answer", "req-1")),
        ),
        (
            closed(GateRefusal.ABORTED),
            StillRunning(BY, READ_AT, FailureReason("it was aborted, so no other stop was sent", "req-1")),
        ),
        (closed(GateRefusal.LATE), StillRunning(BY, READ_AT, BROKE)),
        (closed(GateRefusal.UNREAD), StillRunning(BY, READ_AT, BROKE)),
        (StopAttempt(SendResult.NOT_DONE, SILENT), StillRunning(BY, READ_AT, BROKE)),
    ],
)
def test_after_a_lost_stop_that_no_other_went_out_is_no_news_of_the_first(
    attempt: StopAttempt, outcome: Outcome
) -> None:
    assert not_sent(PRESS, attempt, LOST, NOW, was="digits") == outcome


def test_a_lost_stop_of_what_was_never_read_since_is_dated_now() -> None:
    lost = LostAttempt(LOST_STOP, replace(RUNNING, read_at=None))
    outcome = not_sent(PRESS, closed(GateRefusal.ABORTED), lost, NOW)
    assert outcome == StillRunning(BY, NOW, FailureReason("it was aborted, so no other stop was sent", "req-1"))


@pytest.mark.parametrize(
    ("verdict", "lost", "outcome"),
    [
        (ENDED, None, Ended(BY, Attribution.BEFORE, AT, trouble=SILENT)),
        (RUNNING, None, NotSent(BY, SILENT)),
        (UNREAD, None, NotSent(BY, SILENT)),
        (ENDED, LOST, Ended(BY, Attribution.UNCERTAIN, AT, trouble=BROKE)),
        (BY_ITSELF, LOST, Ended(BY, Attribution.BY_ITSELF, AT)),
        (UNREAD, LOST, StillRunning(BY, READ_AT, BROKE)),
    ],
)
def test_a_stop_refused_for_its_state_is_told_by_the_reading_after_it(
    verdict: Verdict, lost: LostAttempt | None, outcome: Outcome
) -> None:
    assert refused_for_its_state(PRESS, StopAttempt(SendResult.CONFLICT, SILENT), verdict, lost, NOW) == outcome


@pytest.mark.parametrize(
    ("sent", "may"), [(sent, sent in {SendResult.ANSWERED, SendResult.LOST}) for sent in SendResult]
)
def test_only_what_was_answered_or_lost_may_have_worked(sent: SendResult, may: bool) -> None:
    assert StopAttempt(sent).may_have_worked is may


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (Ended(BY, Attribution.ALREADY, AT), StopState.ENDED),
        (NotKnown(BY, NOW, SILENT), StopState.NOT_KNOWN),
        (StillRunning(BY, NOW, SILENT), StopState.STILL_RUNNING),
        (NotSent(BY, SILENT), StopState.NOT_SENT),
        (Expired(), StopState.EXPIRED),
        (Moved(BY, "digits"), StopState.MOVED),
    ],
)
def test_each_phase_stands_for_a_final_state(phase: Outcome | Moved, state: StopState) -> None:
    assert state_of(phase) is state
