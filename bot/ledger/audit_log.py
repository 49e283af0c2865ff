"""Log each record of the audit as it is kept, so that the log and the audit cannot disagree.

The event is the kind of record, but for three that have names of their own (``_event``); ``intent_id`` is what a press can
be followed by, ``seq`` its number in the audit. What people typed and what names or ends of numbers hold (the reason, the
filters of a bulk stop, the endings that were looked for) stays in the audit: only what ``_SAID`` names is logged.
A process that ends in the instant after a record was kept leaves it without a line: the audit is the truth.
"""

from typing import Final

import structlog

from bot.activeflows.records import Record, What
from bot.activeflows.stopping.stop import Wish

log = structlog.get_logger(__name__)
_SAID: Final = (
    *("because", "why", "grant", "policy", "wish", "bulk", "thread", "asked_by", "attempt", "seen", "was", "now"),
    *("outcome", "attribution", "request_id", "halted", "count", "shown", "wanted", "numbers", "sha256", "grants"),
)
"""What of a record's detail is words of our own, ids and figures."""


def tell(record: Record, seq: int, certain: bool) -> None:
    """Write the line. ``certain``: that the record was kept; else the database's answer was lost."""
    said = {name: record.detail[name] for name in _SAID if record.detail.get(name) not in (None, "")}
    if not certain:
        said["kept"] = "not known"
    log.info(
        _event(record),
        seq=seq,
        intent_id=record.intent_id,
        activeflow_id=str(record.activeflow_id or ""),
        person=record.who,
        channel=record.channel,
        **said,
    )


def _event(record: Record) -> str:
    detail, whole = record.detail, bool(record.intent_id) and record.detail.get("bulk") == record.intent_id
    if whole and record.what is What.PRESSED:
        return "bulk_begun"
    if whole and record.what is What.OUTCOME:
        return "bulk_over"
    if record.what is What.OUTCOME and detail.get("wish") == str(Wish.HANG_UP):
        return "hung_up"
    return str(record.what)
