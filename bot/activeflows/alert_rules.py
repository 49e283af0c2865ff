"""Hold the ``[[alert]]`` rules of the policy: what is posted where, when not, and how often at most.

A rule has no reader whose permission could be asked: its channel and its flows were chosen by whoever writes the
policy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from uuid import UUID

from bot.activeflows.anomalies import Reason

MOST_MESSAGES: Final = 100
"""The largest ``at_most`` there can be."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of the day until another one, by the clocks on the wall of ``zone``; they may go past midnight."""

    since: time
    until: time
    zone: tzinfo = UTC

    def covers(self, moment: datetime) -> bool:
        """Tell whether this moment is quiet; ``until`` itself is not any more."""
        clock = moment.astimezone(self.zone).time()
        if self.since <= self.until:
            return self.since <= clock < self.until
        return clock >= self.since or clock < self.until


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One ``[[alert]]``. Every reason, every flow and no quiet hours, unless it says so."""

    key: str
    """Its channel, and which of this channel's rules it is: what the ledger knows it by, whatever else changes in
    it.
    """
    to: str
    about: frozenset[Reason] = frozenset(Reason)
    flows: frozenset[UUID] | None = None
    quiet: QuietHours | None = None
    at_most: int = 10
    """Messages in any time as long as ``within``."""
    within: timedelta = timedelta(hours=1)
    accounts: frozenset[str] | None = None
    """Of which VoIPBIN accounts it tells, by name; ``None``: of the only one."""

    def fits(self, flow: UUID | None, reason: Reason) -> bool:
        """Tell whether the rule reaches this flow. An activeflow without a flow (``None``) is reached by rules
        without ``flows`` only.
        """
        return reason in self.about and (self.flows is None or flow in self.flows)

    def is_quiet(self, moment: datetime) -> bool:
        return self.quiet is not None and self.quiet.covers(moment)


def key(channel: str, number: int) -> str:
    """Name the rule. ``number``: which of this channel's rules, from 1."""
    return f"{channel}:{number}"


def by_channel(rules: Iterable[AlertRule], flow: UUID | None, reason: Reason) -> Mapping[str, AlertRule]:
    """Return where this is to be posted, and by which rule: of those for one channel, the first that fits."""
    found: dict[str, AlertRule] = {}
    for rule in rules:
        if rule.fits(flow, reason):
            found.setdefault(rule.to, rule)
    return found
