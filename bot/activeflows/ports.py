"""What the middle needs from outside, stated by the side that needs it; the doors and the cellar match by shape."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from bot.activeflows.bulk import Became, Bulk, Ending, Run
from bot.activeflows.callers import CallsLooked
from bot.activeflows.model import Activeflow, Call, Customer, Flow, Picture, Spoken
from bot.activeflows.numbers import Number
from bot.activeflows.operators import Operator
from bot.activeflows.records import Entry, Question, Record, Written
from bot.activeflows.stops import Claim, Declined, Ended, Intent, IntentState, Phase, Press
from bot.activeflows.timeline import Timeline

T = TypeVar("T")


class VoIPBIN(Protocol):
    """The activeflow API as an operator sees it. Every method may raise any ``Failure`` of ``errors``."""

    @property
    def customer(self) -> Customer:
        """Whose account this is, as read when the bot started. Raises ``VoIPBINUnreachable`` while it was not yet."""
        ...

    async def picture(self, *, max_age: float = 5.0) -> Picture:
        """The activeflows, newest first: the last hour completely, further back up to a bound.

        A picture no older than ``max_age`` seconds may be reused; looks under way are shared.
        """
        ...

    async def newest(self) -> Sequence[Activeflow]:
        """The newest hundred, read now: where something that just began is found with one request."""
        ...

    async def activeflow(self, activeflow_id: UUID) -> Activeflow:
        """One activeflow, read now. Raises ``NotFound``."""
        ...

    async def stop(self, activeflow_id: UUID, *, not_after: datetime) -> Activeflow:
        """Send one stop, once, and give VoIPBIN's answer. After ``not_after`` nothing is sent: ``StopTooLate``.

        Raises ``StopUnconfirmed`` when it may have been done, ``NotFound``, or a ``Failure`` when it certainly was not.
        """
        ...

    async def hang_up(self, call_id: UUID, *, not_after: datetime) -> Call:
        """Send one hang-up of a call, once. Raises as ``stop`` does."""
        ...

    async def flow(self, flow_id: UUID) -> Flow | None:
        """A flow's definition, from a cache of a few minutes; ``None`` when there is none (any more)."""
        ...

    async def call(self, call_id: UUID) -> Call | None:
        """A call, read now; ``None`` when there is none (any more)."""
        ...

    async def queue_name(self, queue_id: UUID) -> str | None:
        """A queue's name, from a cache of a few minutes; ``None`` when there is none."""
        ...


class Live(Protocol):
    """What runs, kept in memory and followed."""

    async def running(self, *, max_age: float) -> Picture | None:
        """What runs now or, while it cannot be followed, ran at most ``max_age`` seconds ago; ``None``: not known."""
        ...


class Calls(Protocol):
    """The telephone calls, looked through. It may raise any ``Failure``."""

    async def calls_with(self, numbers: Sequence[Number]) -> CallsLooked:
        """Those that have one of these numbers, newest first: of the last hour all, read now. The numbers stay inside."""
        ...


class Texts(Protocol):
    """The one way to what the back door otherwise drops."""

    async def spoken(self, activeflow_id: UUID) -> tuple[Spoken, ...]:
        """The texts that its newest steps spoke, oldest first, read now. Raises as ``VoIPBIN.activeflow`` does."""
        ...


class Past(Protocol):
    """What VoIPBIN keeps of what was. Every method may raise any ``Failure``."""

    async def timeline(self, activeflow_id: UUID) -> Timeline:
        """The events of one activeflow, read now, as far as VoIPBIN still has them."""
        ...

    async def begun_before(self, moment: datetime) -> Sequence[Activeflow]:
        """The hundred that were created last before this moment, newest first; fewer: there are no more."""
        ...


class Ledger(Protocol):
    """All that outlives the process. Every method may raise ``LedgerUnavailable``; then nothing was written."""

    async def open_intent(self, intent: Intent, asked: Record, *, instead_of: str = "") -> bool:
        """Keep a new intent and its record, together. ``instead_of`` is superseded by it.

        False, and nothing kept, when the one it replaces is not open any more.
        """
        ...

    async def draft_intent(self, intent: Intent) -> None:
        """Keep an intent whose card is not posted yet."""
        ...

    async def open_draft(self, intent: Intent, asked: Record) -> bool:
        """Open a drafted one, as it is now, with its record. False when somebody did already."""
        ...

    async def intent(self, intent_id: str) -> tuple[Intent, IntentState] | None: ...

    async def card_posted(self, intent_id: str, message_ts: str) -> None:
        """Remember where the card stands."""
        ...

    async def claim(self, intent: Intent, press: Press) -> Claim:
        """Take the one right to stop this activeflow. Taking it again with the same press gives it again.

        The intent keeps a reason that was given at this press.
        """
        ...

    async def settle(self, intent_id: str, press_id: str, state: IntentState, ended: Ended | None = None) -> None:
        """Give the right back; the intent goes to ``state`` (``open``: it can be pressed again), with how it ended."""
        ...

    async def ended(self, intent_id: str) -> Ended | None:
        """How it ended, as last told; ``None`` when it has not."""
        ...

    async def put_away(self, intent_id: str, record: Record) -> bool:
        """Cancel an open intent. False when it is not open any more."""
        ...

    async def record(self, record: Record) -> Written:
        """Append to the audit chain. The same key again writes nothing and answers ``new=False``."""
        ...

    async def records(self, question: Question) -> Sequence[Entry]: ...


class BulkLedger(Protocol):
    """Bulk stops, as they outlive the process. Every method may raise ``LedgerUnavailable``; then nothing was written."""

    async def open_bulk(self, bulk: Bulk, asked: Record) -> None: ...

    async def bulk(self, bulk_id: str) -> tuple[Bulk, Run] | None: ...

    async def bulk_posted(self, bulk_id: str, message_ts: str) -> None:
        """Remember where the card stands."""
        ...

    async def start_bulk(self, bulk: Bulk, press: Press, until: datetime, intents: Sequence[Intent]) -> Run:
        """Give it to this press if it is open, with the intents of its members; the run as it then stands.

        The same press again changes nothing. It is this press's when ``Run.press_id`` says so.
        """
        ...

    async def became(self, bulk_id: str, number: int, became: Became) -> None:
        """What became of one member."""
        ...

    async def abort_bulk(self, bulk_id: str, by: str, record: Record) -> bool:
        """Let it go no further. False when it is not under way."""
        ...

    async def put_bulk_away(self, bulk_id: str, by: str, record: Record) -> bool:
        """Cancel an open one. False when it is not open any more."""
        ...

    async def finish_bulk(
        self, bulk_id: str, became: Mapping[int, Became], ending: Ending, records: Sequence[Record]
    ) -> Run:
        """Over: write these records, and the receipt of the last one into the ending. The run as it then stands."""
        ...


class Members(Protocol):
    """The queue of a bulk stop's members: durable, at most two in flight."""

    async def put(self, press: Press, number: int) -> None:
        """Queue one. Its turn comes once, whatever happens."""
        ...

    async def done(self, press: Press, number: int) -> Became:
        """Wait for what became of one that was queued."""
        ...


class BulkCards(Protocol):
    """Telling the channel how far a bulk stop is, and the presser. Never raises for Slack's troubles."""

    async def show(self, bulk: Bulk, run: Run, press: Press | None) -> bool:
        """Edit the card in place; when that cannot be done, say it to the presser."""
        ...

    async def decline(self, press: Press, declined: Declined) -> bool:
        """Tell the presser alone why the press was not taken."""
        ...


class Presses(Protocol):
    """Where presses are recorded, to be carried out even if the process dies."""

    async def start(self, press: Press) -> None:
        """Returns once it is recorded; the same press again changes nothing. Raises ``LedgerUnavailable``."""
        ...


class People(Protocol):
    """Who somebody is, asked of Slack. Raises ``IdentityUnknown`` when a fresh answer cannot be had."""

    async def fresh(self, user_id: str, channel: str, *, team: str = "") -> Operator:
        """``team``: the one the payload names for this person, when it does."""
        ...


class Cards(Protocol):
    """Telling the channel and the presser. Never raises for Slack's troubles: it answers whether it could be seen."""

    async def show(self, intent: Intent, phase: Phase, press: Press | None) -> bool:
        """Edit the card in place; when that cannot be done, say it to the presser."""
        ...

    async def decline(self, press: Press, declined: Declined) -> bool:
        """Tell the presser alone why the press was not taken."""
        ...


class Step(Protocol):
    """Runs a step of a durable workflow once and remembers its result; a restart replays the remembered ones."""

    async def __call__(self, name: str, returns: type[T], work: Callable[[], Awaitable[T]], /) -> T: ...

    async def sleep(self, seconds: float) -> None:
        """A pause that does not start anew after a restart."""
        ...
