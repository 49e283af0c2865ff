"""Gather what the people of one channel did in some hours: what they stopped, asked, were refused, and saw alerts for.

It is read from the audit and from the alerts that the ledger has; VoIPBIN is not asked. Decisions:

- It takes the permission ``audit`` in this very channel, when it is read and once more when it is posted.
- Who looked for a number, or was shown one, stays out of it: the channel reads it, and it goes into files.
- A reason in which somebody typed a phone number stays out of it, too.
- An alert is kept for about a day after its activeflow ended: an older one is not here any more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.activeflows.alerting.decision import StoredAlertClaim
from bot.activeflows.numbers import numbers_in
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.queries.audit_review import StopRecords, ending_of
from bot.activeflows.records import Entry, Record, RecordKind, RecordQuery

MOST: Final = 2000
"""Records that are read: the newest."""
_AT_ONCE: Final = 200
HELD_A_NUMBER: Final = "(a reason with a phone number is left out)"


class Alerts(Protocol):
    """The alerts that the ledger has. It may raise ``LedgerUnavailable``."""

    async def claimed(self) -> Sequence[StoredAlertClaim]: ...


@dataclass(frozen=True, slots=True)
class RecapEntry:
    """A press, a question that nobody pressed, or a refusal, and what became of it. ``flow``: its flow's name."""

    entry: Entry
    became: Entry | None = None
    flow: str = ""

    @property
    def record(self) -> Record:
        return self.entry.record


@dataclass(frozen=True, slots=True)
class Recap:
    """Everything from ``since`` to ``until``, oldest first."""

    channel: str
    since: datetime
    until: datetime
    pressed: tuple[RecapEntry, ...] = ()
    asked: tuple[RecapEntry, ...] = ()
    refused: tuple[RecapEntry, ...] = ()
    alerts: tuple[StoredAlertClaim, ...] = ()
    whole: bool = True
    """No older records were left unread."""

    @property
    def empty(self) -> bool:
        return not (self.pressed or self.asked or self.refused or self.alerts)


class RecapQuery:
    """``/flows recap``."""

    def __init__(self, records: StopRecords, alerts: Alerts, now: Callable[[], datetime]) -> None:
        self._records, self._alerts, self._now = records, alerts, now

    async def lately(self, operator: Operator, since: timedelta) -> Recap:
        """Gather what happened until now. Raises ``NotPermitted`` before anything is read, or ``LedgerUnavailable``."""
        return await self.between(operator, self._now() - since, self._now())

    async def between(self, operator: Operator, since: datetime, until: datetime) -> Recap:
        """Return the same hours again: what was recorded after ``until`` is not in it. Raises as ``lately`` does."""
        operator.require(Permission.AUDIT)
        read, whole = await self._read(since)
        here = [e for e in reversed(read) if e.record.channel == operator.channel and e.record.at <= until]
        names = await self._records.flow_names({e.record.intent_id for e in here if e.record.intent_id})
        pressed = {e.record.intent_id for e in here if e.record.what is RecordKind.PRESSED}
        alerts = sorted(
            (a for a in await self._alerts.claimed() if a.claim.channel == operator.channel and a.told_at is not None),
            key=lambda alert: alert.since,
        )
        return Recap(
            operator.channel,
            since,
            until,
            pressed=tuple(_entries(here, names, RecordKind.PRESSED)),
            asked=tuple(e for e in _entries(here, names, RecordKind.ASKED) if e.record.intent_id not in pressed),
            refused=tuple(_entries(here, names, RecordKind.REFUSED)),
            alerts=tuple(a for a in alerts if a.told_at is not None and since <= a.told_at <= until),
            whole=whole,
        )

    async def _read(self, since: datetime) -> tuple[list[Entry], bool]:
        """Read the records, newest first, and whether that is all."""
        read: list[Entry] = []
        while len(read) < MOST:
            before = read[-1].seq if read else None
            page = await self._records.records(RecordQuery(since=since, before_seq=before, limit=_AT_ONCE))
            read += page
            if len(page) < _AT_ONCE:
                return read, True
        return read, False


def _entries(here: Sequence[Entry], names: Mapping[str, str], what: RecordKind) -> Iterable[RecapEntry]:
    """Return one for each record of this kind; of a bulk stop, its members are in the whole's own words."""
    by_key = {entry.record.key: entry for entry in here}
    cancelled = {entry.record.intent_id: entry for entry in here if entry.record.what is RecordKind.CANCELLED}
    for entry in here:
        record = entry.record
        if record.what is not what or (record.detail.get("bulk") and record.activeflow_id is not None):
            continue
        became = ending_of(entry, by_key) if what is RecordKind.PRESSED else cancelled.get(record.intent_id)
        yield RecapEntry(
            _without_numbers(entry), became if what is not RecordKind.REFUSED else None, names.get(record.intent_id, "")
        )


def _without_numbers(entry: Entry) -> Entry:
    if not numbers_in(entry.record.reason):
        return entry
    return replace(entry, record=replace(entry.record, reason=HELD_A_NUMBER))
