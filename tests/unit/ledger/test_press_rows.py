"""What is kept as JSON: rows of older builds, which wrote them with pydantic, are read, and older builds read ours."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.activeflows.bulk import authorization as bulk_authorization
from bot.activeflows.bulk import bulk_stop, execution
from bot.activeflows.bulk import follow_up as bulk_follow_up
from bot.activeflows.stopping import authorization, follow_up, read_back, stop
from bot.activeflows.stopping.stop import Press, PressKind
from bot.activeflows.watching import watch
from bot.ledger.bulk_store import _in_days
from bot.ledger.durable_workflows import RecordTiming, _press, _row

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


_TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 # these come next
_SPANS = st.timedeltas(timedelta(0), timedelta(days=3000))
_KEPT = [
    *(bulk_stop.Bulk, bulk_stop.Draft, bulk_stop.BulkEnding, bulk_stop.Run),
    *(stop.Intent, stop.Press, stop.Ended, watch.Watch, watch.Observation, watch.WatchEnding),
]
_STEPS = [
    *(bulk_authorization.BulkAdmission, bulk_follow_up.FinalCheck, execution.MemberTurn),
    *(authorization.Admission, stop.OutcomeNotice, stop.Claim, read_back.StopAttempt, read_back.Verdict),
    *(follow_up.FollowUpRead, follow_up.CallLook, RecordTiming, bool, str),
]


@pytest.mark.parametrize("kept", [*_KEPT, *_STEPS], ids=lambda kept: kept.__name__)
def test_each_kind_of_row_means_the_same_to_an_older_build(kept: type[Any]) -> None:
    older, decoder = TypeAdapter(kept), msgspec.json.Decoder(kept)
    st.register_type_strategy(datetime, _TIMES)
    st.register_type_strategy(timedelta, _SPANS)
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    st.register_type_strategy(Mapping, lambda type_: st.dictionaries(*map(st.from_type, get_args(type_)), max_size=2))

    @settings(max_examples=10)
    @given(st.from_type(kept))
    def holds(value: Any) -> None:
        assert decoder.decode(_in_days(older.dump_json(value).decode())) == value
        assert older.validate_json(msgspec.json.encode(value)) == value
        row = msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(value, str_keys=True)))
        assert older.validate_python(row) == value
        assert msgspec.convert(row, kept, str_keys=True) == value

    holds()
