"""Whatever somebody does to the rows of the audit, ``verify`` says so and says which, and never breaks on it."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.records import Record, RecordKind
from bot.ledger import audit

_AT = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
_COUNT = 6
words = st.one_of(st.text(max_size=30), st.sampled_from(("{}", "[]", "null", '{"at": 3}', audit.GENESIS, "U0MALLORY")))


def a_chain(count: int = _COUNT) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for seq in range(1, count + 1):
        record = Record(f"k{seq}", _AT + timedelta(hours=seq), RecordKind.ASKED, "U0ALICE", "C0INC", UUID(int=seq))
        rows.append(_row(seq, rows[-1]["hash"] if rows else audit.GENESIS, record))
    return rows


def _row(seq: int, previous: str, record: Record) -> dict[str, Any]:
    body = audit.body_of(record)
    digest = audit.hash_of(previous, seq, body)
    return {"seq": seq, "previous": previous, "body": body, "hash": digest, **audit._columns(record)}


def flaws(rows: list[dict[str, Any]]) -> set[int]:
    return {flaw.seq for flaw in audit.verify(rows)}


def test_a_record_is_hashed_as_json_with_sorted_keys_and_no_blanks() -> None:
    """Whoever checks the chain with another program needs these very bytes."""
    detail: dict[str, str | int | bool | None] = {"why": "“übel”", "attempt": 1, "now": True, "grant": None}
    record = Record("k1", _AT, RecordKind.ASKED, "U0ALICE", "C0INC", UUID(int=1), reason="loops", detail=detail)
    body = audit.body_of(record)
    assert body == (
        '{"activeflow_id":"00000000-0000-0000-0000-000000000001","at":"2026-08-20 03:00:00+00:00","channel":"C0INC",'
        '"detail":{"attempt":1,"grant":null,"now":true,"why":"“übel”"},"intent_id":"","key":"k1","reason":"loops",'
        '"what":"asked","who":"U0ALICE"}'
    )
    assert audit.hash_of(audit.GENESIS, 1, body) == hashlib.sha256(f"{audit.GENESIS}\n1\n{body}".encode()).hexdigest()


def test_an_untouched_chain_has_no_flaw() -> None:
    assert flaws(a_chain()) == set()


@given(st.integers(0, _COUNT - 1), st.sampled_from(sorted({*a_chain()[0]} - {"seq"})), words)
def test_a_changed_column_is_found_in_its_row(place: int, column: str, word: str) -> None:
    rows = a_chain()
    if rows[place][column] != word:
        rows[place][column] = word
        assert place + 1 in flaws(rows)


@given(st.integers(0, _COUNT - 2), words)
def test_a_changed_row_with_its_hash_computed_anew_is_found(place: int, body: str) -> None:
    rows = a_chain()
    row = rows[place]
    row["body"] = body
    row["hash"] = audit.hash_of(row["previous"], row["seq"], body)
    assert place + 1 in flaws(rows)


@given(st.integers(0, _COUNT - 2), st.integers(1, _COUNT))
def test_removed_rows_are_found_before_the_one_after_them(place: int, many: int) -> None:
    rows = a_chain()
    kept = [*rows[:place], *rows[min(place + many, _COUNT - 1) :]]
    assert flaws(kept) == {min(place + many, _COUNT - 1) + 1}


@given(st.integers(0, _COUNT - 1), st.booleans())
def test_an_inserted_row_is_found_although_those_after_it_are_renumbered(place: int, anew: bool) -> None:
    rows = a_chain()
    before = rows[place - 1]["hash"] if place else audit.GENESIS
    forged = _row(place + 1, before, Record("k", _AT, RecordKind.ASKED, "U0MALLORY", "C0INC", None))
    after = [{**row, "seq": row["seq"] + 1} for row in rows[place:]]
    if anew:  # only the next one's hash, as of its new number
        after[0]["hash"] = audit.hash_of(after[0]["previous"], after[0]["seq"], after[0]["body"])
    assert flaws([*rows[:place], forged, *after]) & {place + 1, place + 2}


@given(st.integers(0, _COUNT - 2))
def test_exchanged_rows_are_found(place: int) -> None:
    rows = a_chain()
    one, other = rows[place], rows[place + 1]
    one["seq"], other["seq"] = other["seq"], one["seq"]
    rows[place], rows[place + 1] = other, one
    assert flaws(rows) >= {place + 1, place + 2}
