"""The simulated VoIPBIN's tables, and the history of what changed in them.

A table pages like the real lists (https://api.voipbin.net/docs/common_overview.html): newest first by `tm_create`,
cursor `tm_create < token`, strict and without a tie-break, deleted rows left out. Rows are kept sorted per customer, so
that a page costs a bisection and its own length, whatever the size of the table.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Generic, Literal, Protocol, TypeVar
from uuid import UUID

from bot.demo.voipbin.clock import Clock
from bot.demo.voipbin.state import (
    Accesskey,
    Activeflow,
    Agent,
    Call,
    Campaign,
    Campaigncall,
    Customer,
    Flow,
    Number,
    Queue,
)

Kind = Literal["created", "updated", "deleted", "ringing", "progressing", "terminating", "canceling", "hangup"]


class Row(Protocol):
    """What a table needs to know of a record."""

    id: UUID
    customer_id: UUID
    tm_create: datetime
    tm_delete: datetime | None


R = TypeVar("R", bound=Row)


class _ByTime(Generic[R]):
    """Rows in the order of their creation, sorted when they are looked at: old rows may be added late, by the
    thousand.
    """

    def __init__(self) -> None:
        self._times: list[datetime] = []
        self._rows: list[R] = []
        self._sorted = True

    def add(self, row: R) -> None:
        self._sorted = self._sorted and (not self._times or self._times[-1] <= row.tm_create)
        self._times.append(row.tm_create)
        self._rows.append(row)

    def before(self, instant: datetime) -> Iterator[R]:
        if not self._sorted:
            self._rows.sort(key=lambda row: row.tm_create)
            self._times = [row.tm_create for row in self._rows]
            self._sorted = True
        for place in range(bisect_left(self._times, instant) - 1, -1, -1):
            yield self._rows[place]


class Table(Generic[R]):
    """Records by id, and by customer in the order of their creation."""

    def __init__(self) -> None:
        self._by_id: dict[UUID, R] = {}
        self._rows: defaultdict[UUID, _ByTime[R]] = defaultdict(_ByTime)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._by_id.values()))

    def add(self, row: R) -> R:
        """Insert a record; ValueError when its id exists."""
        if row.id in self._by_id:
            raise ValueError(f"there is already a row {row.id}")
        self._by_id[row.id] = row
        self._rows[row.customer_id].add(row)
        return row

    def get(self, id: UUID) -> R | None:  # noqa: A002  VoIPBIN's word
        """The record, deleted or not, of whatever customer; None when there never was one."""
        return self._by_id.get(id)

    def page(self, customer_id: UUID, before: datetime, size: int) -> list[R]:
        """At most `size` records created strictly before `before`, newest first, without the deleted ones."""
        living = (row for row in self._rows[customer_id].before(before) if row.tm_delete is None)
        return list(islice(living, size))


@dataclass(frozen=True, slots=True)
class Changed:
    """One event of the timeline: `resource` is a copy of the record as it became at `at`."""

    at: datetime
    kind: Kind
    resource: Activeflow | Call

    @property
    def event_type(self) -> str:
        """VoIPBIN's name of the event, for example `activeflow_updated` or `call_hangup`."""
        return f"{'call' if isinstance(self.resource, Call) else 'activeflow'}_{self.kind}"


class Records:
    """Every table, the timeline per activeflow, and those who want to hear of changes."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.customers: dict[UUID, Customer] = {}
        self.agents: Table[Agent] = Table()
        self.accesskeys: Table[Accesskey] = Table()
        self.flows: Table[Flow] = Table()
        self.queues: Table[Queue] = Table()
        self.campaigns: Table[Campaign] = Table()
        self.campaigncalls: Table[Campaigncall] = Table()
        self.numbers: Table[Number] = Table()
        self.calls: Table[Call] = Table()
        self.activeflows: Table[Activeflow] = Table()
        self.timeline: defaultdict[UUID, list[Changed]] = defaultdict(list)
        self._listeners: list[Callable[[Changed], None]] = []

    def subscribe(self, listener: Callable[[Changed], None]) -> Callable[[], None]:
        """Call `listener` with each change from now on, in order; returns what ends the subscription."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def changed(self, activeflow: Activeflow, kind: Kind) -> None:
        """Write an activeflow's change into the timeline and tell the listeners."""
        snapshot = copy(activeflow)
        snapshot.executed_actions = list(activeflow.executed_actions)
        self._tell(activeflow.id, snapshot, kind)

    def call_changed(self, call: Call, kind: Kind) -> None:
        """Stamp a call's change, write it into its activeflow's timeline, tell the listeners."""
        call.tm_update = None if kind == "created" else self.clock.instant()
        self._tell(call.activeflow_id, copy(call), kind)

    def _tell(self, activeflow_id: UUID, resource: Activeflow | Call, kind: Kind) -> None:
        at = resource.tm_delete or resource.tm_update or resource.tm_create
        change = Changed(at, kind, resource)
        self.timeline[activeflow_id].append(change)
        for listener in list(self._listeners):
            listener(change)
