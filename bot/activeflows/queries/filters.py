"""Match activeflows against the filters of `/flows list` and `/flows stop all`.

Decisions: a flow is named exactly (whole name, in any spelling of ``names``; or its id, or at least the 8 digits shown), because a bulk
stop must not take "Support test" for "Support"; an activeflow whose age is unknown is neither older nor newer.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from bot.activeflows.ages import as_typed
from bot.activeflows.model import Activeflow
from bot.activeflows.names import same_name
from bot.activeflows.situation.current_step import Situation

_BARE: Final = re.compile(r"[\w.-]+", re.ASCII)
_ID: Final = re.compile(r"[0-9a-f]{8,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Filters:
    """All of them must fit; ``None`` fits everything."""

    flow: str | None = None
    """A flow's name or id."""
    type: str | None = None
    """The reference type (``call``, ``conversation``, …); ``none`` for those without."""
    action: str | None = None
    """The current action's type, the type of an action it is inside of, or a situation's kind."""
    status: Literal["running", "ended", "any"] = "running"
    older: timedelta | None = None
    newer: timedelta | None = None

    def matches(self, activeflow: Activeflow, situation: Situation, flow_name: str | None, now: datetime) -> bool:
        """Does this activeflow fit? ``flow_name`` is ``None`` when it is not known."""
        fits = self.fits_action(situation) and self.fits_flow(activeflow.flow_id, flow_name)
        return fits and bool(self.among((activeflow,), now))

    def among(self, activeflows: Iterable[Activeflow], now: datetime) -> list[Activeflow]:
        """Those that fit by status, type and age, for which nothing else has to be known."""
        found = list(activeflows)
        if self.status != "any":
            ended = self.status == "ended"
            found = [a for a in found if a.ended is ended]
        if self.type is not None:
            wanted = self.type.casefold()
            found = [a for a in found if (a.reference.type or "none").casefold() == wanted]
        if self.older is not None:
            latest = _before(now, self.older)
            found = [a for a in found if a.created_at is not None and min(a.created_at, now) <= latest]
        if self.newer is not None:
            earliest = _before(now, self.newer)
            found = [a for a in found if a.created_at is not None and a.created_at >= earliest]
        return found

    def fits_action(self, situation: Situation) -> bool:
        """By what it is doing."""
        if self.action is None:
            return True
        wanted = self.action.casefold()
        return wanted in (situation.kind, situation.action.casefold()) or wanted in situation.openers

    def fits_flow(self, flow_id: UUID | None, name: str | None) -> bool:
        """By its flow; ``name`` is ``None`` when it is not known."""
        if self.flow is None:
            return True
        if name is not None and same_name(name, self.flow):
            return True
        digits = self.flow.replace("-", "").casefold()
        return flow_id is not None and _ID.fullmatch(digits) is not None and flow_id.hex.startswith(digits)

    def words(self) -> str:
        """As one would type it: ``flow:"Support line" older:10m``; empty when nothing is filtered."""
        parts = {
            "flow": self.flow,
            "type": self.type,
            "action": self.action,
            "status": self.status if self.status != "running" else None,
            "older": None if self.older is None else as_typed(self.older),
            "newer": None if self.newer is None else as_typed(self.newer),
        }
        return " ".join(f"{key}:{_quoted(value)}" for key, value in parts.items() if value is not None)


def _before(now: datetime, span: timedelta) -> datetime:
    """So long ago, or as long ago as there are dates."""
    return now - min(span, now - datetime.min.replace(tzinfo=UTC))


def _quoted(value: str) -> str:
    r"""In double quotes unless it is one plain word; ``"`` and ``\`` inside get a backslash before them."""
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
