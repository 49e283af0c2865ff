"""Decide which alert is posted, which is held back, and when that is said. Pure: nothing here waits.

A **claim** is one reason to look at one activeflow, told in one channel. Promises: no claim is told twice; nothing is
said in quiet hours, and never more than ``at_most`` messages in any time as long as ``within``; what was held back is
counted in one line as soon as there may be one, before anything else is said, and is in no other line.

It knows what the ledger knows, and no more: built anew from the ledger it goes on as before.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.activeflows.alert_rules import MOST_MESSAGES, AlertRule
from bot.activeflows.anomalies import Reason


@dataclass(frozen=True, slots=True)
class AlertClaim:
    """What is told once."""

    activeflow_id: UUID
    reason: Reason
    channel: str


@dataclass(frozen=True, slots=True)
class StoredAlertClaim:
    """One of them as the ledger has it. ``told_at``: when a card or a line told of it; ``None``: that is still to
    come.
    """

    claim: AlertClaim
    rule: str
    """The rule's ``key``."""
    since: datetime
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What a line tells of, oldest first; never empty."""

    rule: AlertRule
    claimed: tuple[StoredAlertClaim, ...]
    unsure: bool = False
    """Some of it may have been told: the answer was lost, or whoever posted it died."""

    @property
    def since(self) -> datetime:
        return self.claimed[0].since


class AlertClaims:
    """All claims. Times of one rule are to be given in their order."""

    def __init__(self, claimed: Iterable[StoredAlertClaim] = ()) -> None:
        self._known: set[AlertClaim] = set()
        self._unsure: set[AlertClaim] = set()
        self._held: dict[str, dict[AlertClaim, StoredAlertClaim]] = {}
        self._told: dict[str, deque[datetime]] = {}
        """When each rule's newest messages were posted, oldest first: as many as any rule can allow."""
        lines: set[tuple[str, datetime]] = set()
        for each in sorted(claimed, key=lambda one: one.since):
            self.claim(each)
            if each.told_at is None:
                self._unsure.add(each.claim)  # of another run: it may have died before it could write that down
            else:
                self._held[each.rule].pop(each.claim)
                lines.add((each.rule, each.told_at))
        for rule, at in sorted(lines):
            self._posted(rule, at)

    def knows(self, claim: AlertClaim) -> bool:
        return claim in self._known

    def may_tell(self, rule: AlertRule, now: datetime) -> bool:
        """Tell whether a card may be posted: not before the line about what was held back."""
        return not self._held.get(rule.key) and self._open(rule, now)

    def claim(self, claimed: StoredAlertClaim) -> None:
        """Note a claim that is in the ledger, held back until it is told."""
        self._known.add(claimed.claim)
        self._held.setdefault(claimed.rule, {})[claimed.claim] = claimed

    def give_back(self, claimed: StoredAlertClaim) -> None:
        """Give back a claim that could not be told: it may be claimed again."""
        self._known.discard(claimed.claim)
        self._held.get(claimed.rule, {}).pop(claimed.claim, None)

    def doubt(self, claimed: Iterable[StoredAlertClaim]) -> None:
        """Note that a message may have told of these: they stay held back, and the next line says so."""
        self._unsure.update(each.claim for each in claimed)

    def told(self, rule: str, claimed: Iterable[StoredAlertClaim], at: datetime) -> None:
        """Note that one message told of all these."""
        for each in claimed:
            self._held.get(rule, {}).pop(each.claim, None)
            self._unsure.discard(each.claim)
        self._posted(rule, at)

    def line(self, rule: AlertRule, now: datetime) -> HeldBack | None:
        """Return what is to be said of what this rule held back, if that may be said now."""
        held = self._held.get(rule.key)
        if not held or not self._open(rule, now):
            return None
        return HeldBack(rule, tuple(held.values()), unsure=not self._unsure.isdisjoint(held))

    def forget(self, claims: Iterable[AlertClaim]) -> None:
        """Forget those that were told, and will not come again."""
        self._known.difference_update(claims)

    def _open(self, rule: AlertRule, now: datetime) -> bool:
        lately = sum(at > now - rule.within for at in self._told.get(rule.key, ()))
        return lately < rule.at_most and not rule.is_quiet(now)

    def _posted(self, rule: str, at: datetime) -> None:
        self._told.setdefault(rule, deque(maxlen=MOST_MESSAGES)).append(at)
