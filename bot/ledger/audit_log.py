"""Log each record of the audit as it is kept, so that the log and the audit cannot disagree.

The event is the kind of record, but for three that have names of their own (``_event``); ``intent_id`` is what a press can
be followed by, ``seq`` its number in the audit. What people typed and what names or ends of numbers hold (the reason, the
filters of a bulk stop, the endings that were looked for) stays in the audit: only what ``_SAID`` names is logged.
A process that ends in the instant after a record was kept leaves it without a line: the audit is the truth.
"""

from typing import Final

import structlog

from bot import tracing
from bot.activeflows.records import Record, What
from bot.activeflows.stopping.stop import Why, Wish
from bot.ledger import metrics

log = structlog.get_logger(__name__)
_SAID: Final = (
    *("because", "why", "grant", "policy", "wish", "bulk", "thread", "asked_by", "attempt", "seen", "was", "now"),
    *("outcome", "attribution", "request_id", "halted", "count", "shown", "wanted", "numbers", "sha256", "grants"),
    *("through", "before", "mentioned"),
)
"""What of a record's detail is words of our own, ids and figures."""
_TRACED: Final = ("why", "wish", "attempt", "outcome", "attribution", "request_id")


def tell(record: Record, seq: int, certain: bool) -> None:
    """Count it, and write the line. ``certain``: that the record was kept; else the database's answer was lost."""
    said = {name: record.detail[name] for name in _SAID if record.detail.get(name) not in (None, "")}
    if not certain:
        said["kept"] = "not known"
    event = _event(record)
    _count(record, event)
    traced: dict[str, object] = {name: said[name] for name in _TRACED if name in said}
    traced |= {"seq": seq, "activeflow_id": str(record.activeflow_id or "")}
    tracing.told(event, traced, intent_id=record.intent_id, first=record.what is What.ASKED)
    log.info(
        event,
        seq=seq,
        intent_id=record.intent_id,
        activeflow_id=str(record.activeflow_id or ""),
        person=record.who,
        channel=record.channel,
        **({"account": record.account} if record.account else {}),
        **said,
    )


def _count(record: Record, event: str) -> None:
    wish = str(record.detail.get("wish") or Wish.STOP)
    metrics.RECORDS.labels(str(record.what)).inc()
    if event in {"pressed", "bulk_begun"}:
        metrics.PRESSES.labels(wish if event == "pressed" else str(Wish.BULK)).inc()
    elif event in {"outcome", "hung_up"}:
        metrics.STOPS.labels(wish, str(record.detail.get("outcome") or "")).inc()
    elif event == "bulk_over":
        metrics.BULK_STOPS.inc()
    elif event == "refused":
        metrics.REFUSALS.labels(str(record.detail.get("why") or Why.NOT_PERMITTED)).inc()


def _event(record: Record) -> str:
    detail, whole = record.detail, bool(record.intent_id) and record.detail.get("bulk") == record.intent_id
    if whole and record.what is What.PRESSED:
        return "bulk_begun"
    if whole and record.what is What.OUTCOME:
        return "bulk_over"
    if record.what is What.OUTCOME and detail.get("wish") == str(Wish.HANG_UP):
        return "hung_up"
    return str(record.what)
