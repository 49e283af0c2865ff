"""``docs/operating.md`` names every event that the bot logs, and no other."""

import ast
import re
from collections.abc import Iterator

from bot.activeflows.records import RecordKind
from tests.contract.test_repository import ROOT, sources

_LEVELS = {"debug", "info", "warning", "error", "critical"}
_BY_RECORD = {*(str(what) for what in RecordKind), "bulk_begun", "bulk_over", "hung_up"}
"""Events of ``bot.ledger.audit``, one for each kind of record."""


def _logged() -> Iterator[str]:
    for path in sources("bot"):
        if path.parts[1] != "demo":
            for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args:
                    yield from _event(node)


def _event(call: ast.Call) -> Iterator[str]:
    """The first word of a call of a logger, or of what stands for one: ``_tell`` of two stores, ``say`` of the
    health.
    """
    words = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    told = ast.unparse(call.func)
    logger, _, level = told.rpartition(".")
    if words and ((level in _LEVELS and "log" in logger) or told in {"_tell", "self._tell", "say"}):
        yield words[0]


def _documented() -> list[str]:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    section = text.partition("### Log events\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return [word for row in rows for word in re.findall(r"`(\w+)`", row)]


def test_each_event_is_in_the_table_and_the_table_names_no_other() -> None:
    found = _documented()
    assert sorted(found) == sorted(set(found))
    assert set(found) == {*_logged(), *_BY_RECORD}
