"""What each record says, and what the buttons below them carry."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.queries.audit_review import PAGE, Review
from bot.activeflows.queries.resolution import Prefix
from bot.activeflows.records import Entry, Record, RecordKind
from bot.slack import ids, kit
from bot.slack.blocks.audit_list import audit_list
from bot.slack.grammar.requests import ME, Audit
from bot.slack.messaging.messenger import checked

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
ONE = UUID("3c5b0f6e-1111-4222-8333-444455556666")


def page(*records: Record, **changes: object) -> Review:
    entries = tuple(Entry(seq, record, "0f3c2a9b1d") for seq, record in reversed(list(enumerate(records, 1))))
    fields = {"target": None, "whose": None, "own": False, "narrowed": False, "since": None, "older": False}
    return Review(**{"entries": entries, "newer": False, **fields, **changes})  # type: ignore[arg-type] # fields by name


def record(what: RecordKind, **detail: str | int | bool | None) -> Record:
    return Record("k", NOW, what, "U0ALICE", "C0INC", ONE, "i", detail=detail)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (record(RecordKind.ASKED, because="allowed by grant 2", now=False), "asked to stop: allowed by grant 2"),
        (record(RecordKind.ASKED, now=True), "asked to stop, without a second question"),
        (record(RecordKind.PRESSED, because="allowed by grant 2", grant=2), "pressed Stop flow: allowed by grant 2"),
        (record(RecordKind.REFUSED, because="past the deadline", why="late"), "refused: past the deadline"),
        (record(RecordKind.REFUSED, because="", why="identity unknown"), "refused: identity unknown"),
        (record(RecordKind.REFUSED), "refused: no reason was kept"),
        (
            record(RecordKind.MOVED, was="queue.waiting", now="queue.agent"),
            "pressed, and the card asked once more: it had moved on from waiting in a queue to being put through to an agent",
        ),
        (record(RecordKind.SENDING, attempt=1), "sending the stop (attempt 1)"),
        (record(RecordKind.CANCELLED), "cancelled the card"),
        (record(RecordKind.REVEALED), "was shown unmasked: personal data"),
        (
            record(RecordKind.POLICY, sha256="0123456789abcdef", grants=2),
            "is in force: 2 grants, sha256 `0123456789ab`",
        ),
        (record(RecordKind.POLICY, sha256="", grants=0), "is not set: nobody can do anything"),
        (record(RecordKind.OUTCOME, outcome="Ended", attribution="this press"), "outcome: ended, by this press"),
        (
            record(RecordKind.OUTCOME, outcome="Ended", attribution="already"),
            "outcome: had already ended, nothing was sent",
        ),
        (
            record(RecordKind.OUTCOME, outcome="Ended", attribution="by itself"),
            "outcome: ended by itself, just before the stop reached it",
        ),
        (
            record(RecordKind.OUTCOME, outcome="Ended", attribution="uncertain"),
            "outcome: ended by this press or by itself meanwhile (VoIPBIN gave no clear answer)",
        ),
        (
            record(RecordKind.OUTCOME, outcome="NotKnown", why="no answer in time", request_id="req-7"),
            "outcome: not known whether it ended: no answer in time (VoIPBIN request req-7)",
        ),
        (record(RecordKind.OUTCOME, outcome="StillRunning", why=""), "outcome: still running"),
        (record(RecordKind.OUTCOME, outcome="NotSent", why="busy"), "outcome: nothing was stopped: busy"),
        (record(RecordKind.OUTCOME, outcome="Expired", attribution=None), "outcome: too late, nothing was stopped"),
        (record(RecordKind.OUTCOME, outcome="Ended", attribution="of a later version"), "outcome: ended"),
    ],
)
def test_each_record_is_one_line_in_plain_words(one: Record, words: str) -> None:
    text, blocks = checked(*_parts(page(one)))
    line = blocks[1]["text"]["text"]
    assert line == (
        "<!date^1787194800^{time_secs} {date_short_pretty}|2026-08-20 03:00:00 UTC>"
        f" · <@U0ALICE> {words} · `3c5b0f6e` · <#C0INC> · receipt `0f3c2a9b1d`"
    )
    assert line in text


def _parts(review: Review, asked: Audit = Audit()) -> tuple[str, tuple[kit.Block, ...]]:  # noqa: B008 # a value
    message = audit_list(review, asked, command="/flows")
    return message.text, message.blocks


@pytest.mark.parametrize("what", RecordKind)
def test_every_kind_of_record_has_words_even_without_details(what: RecordKind) -> None:
    _, blocks = checked(*_parts(page(record(what))))
    assert "<@U0ALICE> " in blocks[1]["text"]["text"]


@given(st.text(max_size=700), st.text(max_size=700))
@example("<" * 700, "word " * 140)
def test_no_words_are_so_long_that_a_record_is_cut_off(said: str, reason: str) -> None:
    detail = {"because": said, "why": said, "was": said, "now": said, "request_id": said, "outcome": "NotKnown"}
    records = [
        Record(
            "k", NOW, list(RecordKind)[n % len(RecordKind)], "U0" + "A" * 12, "C0" + "B" * 12, ONE, "i", reason, detail
        )
        for n in range(PAGE)
    ]
    _, blocks = checked(*_parts(page(*records, older=True, newer=True)))
    drawn = [line for block in blocks if block["type"] == "section" for line in block["text"]["text"].split("\n")]
    assert len(drawn) == PAGE
    assert all(line.endswith("receipt `0f3c2a9b1d`") for line in drawn)


def test_the_first_words_say_how_many_and_whose() -> None:
    asked = Audit(Prefix("3c5b"), "U0BOB", timedelta(hours=2))
    text, _ = _parts(page(record(RecordKind.ASKED), target=asked.target, whose="U0BOB", since=NOW), asked)
    assert text.startswith("Who did what: 1 record, those of <@U0BOB>, about `3c5b`, since <!date^")
    assert _parts(page(own=True))[0] == "Who did what: 0 records, your own."


# ---------------------------------------------------------------- buttons

audits = st.builds(
    Audit,
    target=st.none() | st.uuids(allow_nil=False) | st.from_regex(r"[0-9a-f]{4,31}", fullmatch=True).map(Prefix),
    user=st.sampled_from([None, ME, "U0ALICE", "W012345"]),
    since=st.none() | st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
    every=st.booleans(),
)
places = st.integers(1, 999_999_999)


@given(audits, places)
def test_a_buttons_value_says_again_what_was_asked_and_where_the_page_ended(asked: Audit, at: int) -> None:
    assert ids.decode_audit(ids.encode_audit(asked)) == ids.AuditPage(asked)
    assert ids.decode_audit(ids.encode_audit(asked, before=at)) == ids.AuditPage(asked, before=at)
    assert ids.decode_audit(ids.encode_audit(asked, after=at)) == ids.AuditPage(asked, after=at)


@given(st.text(max_size=60) | st.text(max_size=20).map(lambda junk: f"audit{junk} before:7"))
def test_a_value_that_is_none_of_ours_is_answered_in_words(value: str) -> None:
    if _readable(value) is None:
        return
    assert ids.decode_audit(ids.encode_audit(ids.decode_audit(value).asked)).asked == ids.decode_audit(value).asked


def _readable(value: str) -> ids.AuditPage | None:
    try:
        return ids.decode_audit(value)
    except NotUnderstood:
        return None


@pytest.mark.parametrize(
    "value", ["", "list", "audit before:0", "audit before:12345678901", "audit after:-1", "stop 3c5b"]
)
def test_an_odd_value_is_from_another_version(value: str) -> None:
    with pytest.raises(NotUnderstood, match="older version"):
        ids.decode_audit(value)
