"""State what alerts need from outside, and the values that pass there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.activeflows.alert_rules import AlertRule
from bot.activeflows.alerting.decision import AlertClaim, HeldBack, StoredAlertClaim
from bot.activeflows.anomalies import Anomaly
from bot.activeflows.model import Activeflow
from bot.activeflows.ports import Live
from bot.activeflows.situation.current_step import Situation
from bot.activeflows.watching.ports import ActiveflowEvents


class LiveActiveflows(ActiveflowEvents, Live, Protocol):
    """What runs, kept in memory."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One trouble of one activeflow as it was at ``as_of``, for one channel. ``flow_name`` is empty when not known."""

    rule: AlertRule
    activeflow: Activeflow
    flow_name: str
    situation: Situation
    trouble: Anomaly
    as_of: datetime

    @property
    def claim(self) -> AlertClaim:
        return AlertClaim(self.activeflow.id, self.trouble.reason, self.rule.to)


@dataclass(frozen=True, slots=True)
class PostResult:
    """What became of a message. Without ``refused`` it is there, or ``unsure``: it may be there."""

    refused: str = ""
    """Slack's word for why it is certainly not there."""
    unsure: bool = False
    wait: float = 0.0
    """Seconds that Slack wants to be left alone."""


class AlertCards(Protocol):
    """Telling the channel. Never raises for Slack's troubles."""

    async def post(self, alert: Alert) -> PostResult: ...

    async def line(self, held_back: HeldBack, *, running: int) -> PostResult:
        """Return one line about all of them, of whose activeflows so many still run."""
        ...


class AlertLedger(Protocol):
    """The claims, as they outlive the process. Every method may raise ``LedgerUnavailable``; then nothing was written.

    One process at a time speaks: whoever holds the lease. Only its holder's ``claim`` counts.
    """

    async def hold(self) -> bool:
        """Take or renew the lease, which is good for ``LEASE`` seconds; false while another process has it."""
        ...

    async def release(self) -> None: ...

    async def claimed(self) -> Sequence[StoredAlertClaim]:
        """Return all claims."""
        ...

    async def claim(self, claimed: StoredAlertClaim) -> bool:
        """Write down a claim; false when it is there already, or not ours to claim."""
        ...

    async def told(self, claims: Sequence[AlertClaim], at: datetime) -> None: ...

    async def drop(self, claims: Sequence[AlertClaim]) -> None:
        """Delete these claims, as if they had never been."""
        ...
