"""The audit as CSV: what went in comes out, and a spreadsheet runs none of it."""

import csv
import io
import json
from datetime import UTC
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bot.activeflows.records import Record, RecordKind
from bot.ledger.audit import GENESIS, body_of, hash_of
from bot.ledger.audit_archive import COLUMNS, csv_lines, header, json_lines

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.sampled_from(
    ["=1+1", "@SUM(A1)", "-1", "+15", "\t=1", 'a,"b"\r\n', "'quoted"]
)
records = st.builds(
    Record,
    key=words,
    at=st.datetimes(timezones=st.just(UTC)),
    what=st.sampled_from(RecordKind),
    who=words,
    channel=words,
    activeflow_id=st.none() | st.uuids(),
    reason=words,
    detail=st.dictionaries(words, words | st.integers() | st.booleans() | st.none(), max_size=3),
)


def rows(written: list[Record]) -> list[dict[str, Any]]:
    """As the chain gives them."""
    bodies = [body_of(record) for record in written]
    return [
        {"seq": seq, "body": body, "previous": GENESIS, "hash": hash_of(GENESIS, seq, body)}
        for seq, body in enumerate(bodies, 1)
    ]


@given(st.lists(records, max_size=4))
@example([])
def test_a_reader_of_csv_gets_every_record_with_nothing_to_run(written: list[Record]) -> None:
    table = list(csv.reader(io.StringIO("".join([header(), *csv_lines(rows(written))]), newline="")))
    assert table[0] == list(COLUMNS)
    assert len(table) == len(written) + 1
    for cells, row, record in zip(table[1:], rows(written), written, strict=True):
        line = dict(zip(COLUMNS, cells, strict=True))
        assert (line["seq"], line["hash"]) == (str(row["seq"]), row["hash"])
        assert line["reason"] in (record.reason, f"'{record.reason}")
        assert json.loads(line["detail"]) == record.detail
        assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}]


@given(st.lists(records, max_size=4))
def test_json_lines_are_exact(written: list[Record]) -> None:
    lines = "".join(json_lines(rows(written))).split("\n")
    assert lines.pop() == ""
    assert [json.loads(line)["reason"] for line in lines] == [record.reason for record in written]
