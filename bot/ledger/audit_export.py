"""Export the audit for other programs: JSON lines are exact, CSV is for spreadsheets.

Decision: a CSV cell that a spreadsheet would run as a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab or a line
end) gets an apostrophe before it, because a reason is typed by people. Whoever needs every character takes JSON lines.

https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bot.ledger.audit import exported

COLUMNS: Final = (
    *("seq", "at", "what", "who", "channel", "activeflow_id", "intent_id", "reason", "detail"),
    *("key", "previous", "hash"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Each record with its place in the chain, one object a line."""
    return (f"{exported(row)}\n" for row in rows)


def header() -> str:
    """The first line of a CSV."""
    paper = io.StringIO(newline="")
    csv.writer(paper).writerow(COLUMNS)
    return paper.getvalue()


def csv_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line (or several, where a text has line ends) each record, without the header; ``detail`` is a JSON object."""
    paper = io.StringIO(newline="")
    writer = csv.writer(paper)  # line ends as in RFC 4180; with others a lone return in a text would not be quoted
    for row in rows:
        fields = json.loads(exported(row))
        detail = json.dumps(fields.pop("detail"), ensure_ascii=False, sort_keys=True)
        writer.writerow([_cell({**fields, "detail": detail}.get(name)) for name in COLUMNS])
        yield _taken(paper)


def _cell(value: object) -> str:
    word = "" if value is None else str(value)
    return f"'{word}" if word.startswith(_FORMULA) else word


def _taken(paper: io.StringIO) -> str:
    line = paper.getvalue()
    paper.seek(0)
    paper.truncate()
    return line
