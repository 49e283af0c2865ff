"""Match activeflows against the filters of `/flows list` and `/flows stop all`, and count them in groups.

Decisions: a flow is named exactly (whole name, in any spelling of ``names``; or its id, or at least the 8 digits
shown), because a bulk stop must not take "Support test" for "Support"; an activeflow whose age is unknown is neither
older nor newer.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Final, Literal, TypeVar
from uuid import UUID

from bot.activeflows.anomalies import Reason
from bot.activeflows.model import Activeflow, as_typed
from bot.activeflows.names import same_name
from bot.activeflows.situation.actions import WORDS
from bot.activeflows.situation.current_step import Situation, row_words

DOING: Final[Mapping[str, frozenset[str]]] = {
    "waiting": frozenset({"queue.waiting"}),
    "with-agent": frozenset({"queue.agent"}),
    "with-ai": frozenset({"ai.talk", "ai.chat", "ai.task"}),
    "connected": frozenset({"connected"}),
    "in-conference": frozenset({"conference", "conference.joining"}),
    "starting": frozenset({"starting"}),
}
"""The words of ``is:`` for kinds of situation."""
WRONG: Final[Mapping[str, frozenset[Reason]]] = {
    "stuck": frozenset({Reason.STUCK}),
    "looping": frozenset({Reason.LOOPING}),
    "low-on-steps": frozenset({Reason.STEPS}),
    "left-over": frozenset({Reason.STALE}),
    "wrong": frozenset(Reason),
}
"""The words of ``is:`` for what is wrong."""
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
    """The current action's type, the type of an action it is inside of, or a situation's kind, or that in the words of
    a list.
    """
    state: str | None = None
    """A word of ``DOING`` or ``WRONG``."""
    status: Literal["running", "ended", "any"] = "running"
    older: timedelta | None = None
    newer: timedelta | None = None

    def matches(
        self,
        activeflow: Activeflow,
        situation: Situation,
        flow_name: str | None,
        now: datetime,
        wrong: Collection[Reason] = (),
    ) -> bool:
        """Tell whether this activeflow fits. ``flow_name`` is ``None`` when it is not known; ``wrong``: what is
        wrong with it.
        """
        fits = self.fits_doing(situation, wrong) and self.fits_flow(activeflow.flow_id, flow_name)
        return fits and bool(self.among((activeflow,), now))

    @property
    def by_doing(self) -> bool:
        """Has to be known what each is doing, to say whether it fits?"""
        return self.action is not None or self.state is not None

    @property
    def by_situation(self) -> bool:
        """Does it select by a situation, which may be only probable?"""
        return self.action is not None or self.state in DOING

    @property
    def reasons(self) -> frozenset[Reason]:
        """One of these has to be wrong; empty when nothing has."""
        return WRONG.get(self.state or "", frozenset())

    def among(self, activeflows: Iterable[Activeflow], now: datetime) -> list[Activeflow]:
        """Return those that fit by status, type and age, for which nothing else has to be known."""
        found = list(activeflows)
        if self.status != "any":
            ended = self.status == "ended"
            found = [a for a in found if a.ended is ended]
        if self.type is not None:
            wanted = self.type.casefold()
            found = [a for a in found if (a.reference.type or "none").casefold() == wanted]
        if self.older is not None:
            latest = _before(now, self.older)
            if latest < now:  # what begins in the future is as old as what begins now
                found = [a for a in found if a.created_at is not None and a.created_at <= latest]
            else:
                found = [a for a in found if a.created_at is not None]
        if self.newer is not None:
            earliest = _before(now, self.newer)
            found = [a for a in found if a.created_at is not None and a.created_at >= earliest]
        return found

    def fits_doing(self, situation: Situation, wrong: Collection[Reason] = ()) -> bool:
        """Tell whether it fits by what it is doing, and by what is wrong with it."""
        if (
            self.state is not None
            and situation.kind not in DOING.get(self.state, ())
            and self.reasons.isdisjoint(wrong)
        ):
            return False
        if self.action is None:
            return True
        wanted = self.action.casefold()
        by_itself = WORDS[situation.action].doing if situation.action in WORDS else situation.action
        own = (situation.kind, situation.action, row_words(situation.kind), by_itself)
        return wanted in map(str.casefold, own) or wanted in situation.openers

    def fit_doing(self, doings: Sequence[Situation], wrong: Sequence[Collection[Reason]]) -> Iterable[bool]:
        """Tell of each of thousands whether it fits by what it does."""
        if self.action is None:
            doing, reasons = DOING.get(self.state or "", frozenset()), self.reasons
            if reasons:
                return [bool(its) and not reasons.isdisjoint(its) for its in wrong]
            return [self.state is None or one.kind in doing for one in doings]
        if self.reasons:
            return map(self.fits_doing, doings, wrong)
        which = list(map(id, doings))  # many are the same object
        decided = {number: self.fits_doing(one) for number, one in dict(zip(which, doings, strict=True)).items()}
        return map(decided.__getitem__, which)

    def fits_flow(self, flow_id: UUID | None, name: str | None) -> bool:
        """Tell whether it fits by its flow; ``name`` is ``None`` when it is not known."""
        if self.flow is None:
            return True
        if name is not None and same_name(name, self.flow):
            return True
        digits = self.flow.replace("-", "").casefold()
        return flow_id is not None and _ID.fullmatch(digits) is not None and flow_id.hex.startswith(digits)

    def words(self) -> str:
        """Write the filters as one would type them: ``flow:"Support line" older:10m``; empty when nothing is
        filtered.
        """
        parts = {
            "flow": self.flow,
            "type": self.type,
            "action": self.action,
            "is": self.state,
            "status": self.status if self.status != "running" else None,
            "older": None if self.older is None else as_typed(self.older),
            "newer": None if self.newer is None else as_typed(self.newer),
        }
        return " ".join(f"{key}:{_quoted(value)}" for key, value in parts.items() if value is not None)


def _before(now: datetime, span: timedelta) -> datetime:
    """Return the moment so long ago, or as long ago as there are dates."""
    return now - min(span, now - datetime.min.replace(tzinfo=UTC))


def _quoted(value: str) -> str:
    r"""Put words in double quotes unless it is one plain word; ``"`` and ``\`` inside get a backslash before them."""
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# ---------------------------------------------------------------- groups
# Count what runs: how many of each flow or in each action, and since when the oldest of them runs.

K = TypeVar("K", bound=Hashable)
_BEGAN: Final[Callable[[Activeflow], datetime]] = attrgetter("created_at")


@dataclass(frozen=True, slots=True)
class ActiveflowGroup:
    """Activeflows that have something in common: ``name`` is what, ``None`` when that is not known."""

    name: str | None
    count: int
    oldest: Activeflow
    """The one that began first; one whose beginning is not known only if no other's is."""


def grouped(
    activeflows: Iterable[Activeflow], keys: Iterable[K], name: Callable[[K], str | None]
) -> tuple[ActiveflowGroup, ...]:
    """Group what fits by the key of each, the largest group first; equals in the order of their names."""
    members: defaultdict[K, list[Activeflow]] = defaultdict(list)
    for activeflow, key in zip(activeflows, keys, strict=True):
        members[key].append(activeflow)
    groups = [ActiveflowGroup(name(key), len(found), _oldest(found)) for key, found in members.items()]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.name is None, group.name or "")))


def _oldest(found: list[Activeflow]) -> Activeflow:
    dated = [activeflow for activeflow in found if activeflow.created_at is not None]
    return min(dated, key=_BEGAN) if dated else found[0]
