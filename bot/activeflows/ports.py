"""State what ``bot.activeflows`` needs from outside; Slack, VoIPBIN and the ledger match by shape.

What only one room needs stands in that room's own ``ports``.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias, TypeVar
from uuid import UUID

from bot.activeflows.callers import CallsLooked
from bot.activeflows.index import Index
from bot.activeflows.model import Activeflow, Call, Customer, Flow, Picture, SpokenText
from bot.activeflows.numbers import Number
from bot.activeflows.records import ChainedRecord, Entry, Record, RecordQuery
from bot.activeflows.situation.history import Timeline

T = TypeVar("T")
Check: TypeAlias = Callable[[], None]
"""Called once more straight before the first byte; raises when it must not go out any more."""
Gate: TypeAlias = Callable[[Callable[[], Awaitable[T]]], Awaitable[Check]]
"""Asked when it is a POST's turn, and nothing waits after its yes. It is given what reads, now, what the POST is
about.
"""


class VoIPBIN(Protocol):
    """The activeflow API as an operator sees it. Every method may raise any ``Failure`` of ``errors``."""

    @property
    def customer(self) -> Customer:
        """Whose account this is, as read when the bot started. Raises ``VoIPBINUnreachable`` while it was not yet."""
        ...

    async def picture(self, *, max_age: float = 5.0) -> Picture:
        """Return the activeflows, newest first: the last hour completely, further back up to a bound.

        A picture no older than ``max_age`` seconds may be reused; looks under way are shared.
        """
        ...

    async def newest(self) -> Sequence[Activeflow]:
        """Return the newest hundred, read now: where something that just began is found with one request."""
        ...

    async def activeflow(self, activeflow_id: UUID) -> Activeflow:
        """Return one activeflow, read now. Raises ``NotFound``."""
        ...

    async def stop(self, activeflow_id: UUID, *, gate: "Gate[Activeflow]") -> Activeflow:
        """Wait for a turn, ask the gate, send one stop, once, and give VoIPBIN's answer.

        Raises what the gate raises, ``StopUnconfirmed`` when it may have been done, ``NotFound``, or a ``Failure`` when
        it certainly was not.
        """
        ...

    async def hang_up(self, call_id: UUID, *, gate: "Gate[Call | None]") -> Call:
        """Send one hang-up of a call, once. Raises as ``stop`` does."""
        ...

    async def flow(self, flow_id: UUID) -> Flow | None:
        """Return a flow's definition, from a cache of a few minutes; ``None`` when there is none (any more)."""
        ...

    def flow_remembered(self, flow_id: UUID) -> tuple[Flow | None] | None:
        """Return what ``flow`` answers without asking anybody, as the only element; ``None``: it would have to ask."""
        ...

    async def call(self, call_id: UUID) -> Call | None:
        """Return a call, read now; ``None`` when there is none (any more)."""
        ...

    async def queue_name(self, queue_id: UUID) -> str | None:
        """Return a queue's name, from a cache of a few minutes; ``None`` when there is none."""
        ...

    def queue_name_remembered(self, queue_id: UUID) -> tuple[str | None] | None:
        """Return a queue's name as ``flow_remembered`` does a flow."""
        ...


class Live(Protocol):
    """What runs, kept in memory and followed."""

    @property
    def index(self) -> Index: ...

    async def running(self, *, max_age: float) -> Picture | None:
        """Return what runs now or, while it cannot be followed, ran at most ``max_age`` seconds ago; ``None``: not
        known.
        """
        ...


class Calls(Protocol):
    """The telephone calls, looked through. It may raise any ``Failure``."""

    async def calls_with(self, numbers: Sequence[Number]) -> CallsLooked:
        """Return those that have one of these numbers, newest first: of the last hour all, read now. The numbers
        stay inside.
        """
        ...


class Texts(Protocol):
    """The one way to the texts that are dropped when anything else is read."""

    async def spoken(self, activeflow_id: UUID) -> tuple[SpokenText, ...]:
        """Return the texts that its newest steps spoke, oldest first, read now. Raises as ``VoIPBIN.activeflow``
        does.
        """
        ...


class ActiveflowHistory(Protocol):
    """What VoIPBIN keeps of what was. Every method may raise any ``Failure``."""

    async def timeline(self, activeflow_id: UUID) -> Timeline:
        """Return the events of one activeflow, read now, as far as VoIPBIN still has them."""
        ...

    async def begun_before(self, moment: datetime) -> Sequence[Activeflow]:
        """Return those that were created last before this moment, newest first: a hundred, or as many as VoIPBIN
        gives at once.
        """
        ...


class Records(Protocol):
    """The audit. Every method may raise ``LedgerUnavailable``; then nothing was written."""

    async def record(self, record: Record) -> ChainedRecord:
        """Append to the audit chain. The same key again writes nothing and answers ``new=False``."""
        ...

    async def records(self, question: RecordQuery) -> Sequence[Entry]: ...
