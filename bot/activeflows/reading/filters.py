"""Which activeflows a person asked for: the filters of `/flows list` and `/flows stop all`.

Decisions: a flow is named exactly (whole name, any case; or its id, or at least the 8 digits shown), because a bulk
stop must not take "Support test" for "Support"; an activeflow whose age is unknown is neither older nor newer.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from bot.activeflows.ages import as_typed
from bot.activeflows.model import Activeflow
from bot.activeflows.situation.line import Situation

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
        return (
            (self.status == "any" or activeflow.ended == (self.status == "ended"))
            and self._type_fits(activeflow)
            and self._action_fits(situation)
            and self._age_fits(activeflow, now)
            and self._flow_fits(activeflow, flow_name)
        )

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

    def _type_fits(self, activeflow: Activeflow) -> bool:
        return self.type is None or (activeflow.reference.type or "none").casefold() == self.type.casefold()

    def _action_fits(self, situation: Situation) -> bool:
        if self.action is None:
            return True
        return self.action.casefold() in {situation.action.casefold(), situation.kind, *situation.openers}

    def _age_fits(self, activeflow: Activeflow, now: datetime) -> bool:
        if self.older is None and self.newer is None:
            return True
        age = activeflow.age(now)
        if age is None:
            return False
        return (self.older is None or age >= self.older) and (self.newer is None or age <= self.newer)

    def _flow_fits(self, activeflow: Activeflow, flow_name: str | None) -> bool:
        if self.flow is None:
            return True
        if flow_name is not None and _plain(flow_name) == _plain(self.flow):
            return True
        digits = self.flow.replace("-", "").casefold()
        flow_id = activeflow.flow_id
        return flow_id is not None and _ID.fullmatch(digits) is not None and flow_id.hex.startswith(digits)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _quoted(value: str) -> str:
    r"""In double quotes unless it is one plain word; ``"`` and ``\`` inside get a backslash before them."""
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
