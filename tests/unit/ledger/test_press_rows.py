"""A press as it is kept: rows of older builds are read, and older builds read ours."""

from datetime import UTC, datetime

from bot.activeflows.stopping.stop import Press, PressKind
from bot.ledger.durable_workflows import _press, _row

OLD = {
    "intent_id": "1" * 32,
    "by": "U0ALICE",
    "team": "T0NORTHWND",
    "channel": "C0INCIDENTS",
    "message_ts": "1700000000.000100",
    "action_ts": "1700000001.000200",
    "trigger_id": "13.37",
    "response_url": "https://hooks.invalid/actions/1",
    "at": "2026-03-02T08:00:00Z",
    "wish": "hang_up",
    "reason": "it loops",
    "thread": "1700000000.000001",
}
"""As builds wrote it whose presses named Slack's ways back one by one."""
REPLY = {name: OLD[name] for name in ("message_ts", "trigger_id", "response_url")}


def test_a_press_that_an_older_build_recorded_is_read_with_all_that_leads_back() -> None:
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert _press(OLD) == Press(
        intent_id="1" * 32,
        by="U0ALICE",
        team="T0NORTHWND",
        channel="C0INCIDENTS",
        click="1700000001.000200",
        at=at,
        wish=PressKind.HANG_UP,
        reason="it loops",
        thread="1700000000.000001",
        reply_address=REPLY,
    )


def test_a_press_of_the_first_builds_is_read_without_what_was_not_known_then() -> None:
    first = {name: value for name, value in OLD.items() if name not in {"wish", "reason", "thread"}}
    press = _press(first)
    assert (press.wish, press.reason, press.thread, press.reply_address) == (PressKind.STOP, "", "", REPLY)


def test_a_press_is_kept_under_the_names_that_it_always_had() -> None:
    assert _row(_press(OLD)) == OLD


def test_a_member_is_queued_without_what_leads_back_but_with_every_name_that_an_older_build_reads() -> None:
    queued = _row(_press(OLD).without_reply_address())
    assert queued == {**OLD, **dict.fromkeys(REPLY, "")}
