"""State what bulk stops need from outside beside what a lone stop does (``stopping.ports``)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bot.activeflows.bulk.bulk_stop import Bulk, BulkEnding, Draft, MemberOutcome, Run
from bot.activeflows.records import Record
from bot.activeflows.stopping.ports import Guard
from bot.activeflows.stopping.stop import CallAfter, Declined, Fence, Intent, Press


class BulkLedger(Protocol):
    """Bulk stops, as they outlive the process. Every method may raise ``LedgerUnavailable``; then nothing was
    written.
    """

    async def open_bulk(self, bulk: Bulk, asked: Record) -> bool:
        """Keep a new one and its record. False, and nothing kept, when it is there already."""
        ...

    async def draft_bulk(self, draft: Draft) -> None:
        """Keep a wish whose card is not posted yet; one that is there already stays as it is."""
        ...

    async def drafted(self, bulk_id: str) -> Draft | None:
        """Return the draft of this id, unless it was opened."""
        ...

    async def open_draft(self, bulk: Bulk, asked: Record) -> bool:
        """Let this bulk take the place of the draft of its id, with its record. False when one has already."""
        ...

    async def bulk(self, bulk_id: str) -> tuple[Bulk, Run] | None:
        """Return the bulk stop of this id, and its run; a draft is none."""
        ...

    async def bulk_posted(self, bulk_id: str, message_ts: str) -> None:
        """Remember where the card stands."""
        ...

    async def start_bulk(self, bulk: Bulk, press: Press, until: datetime, intents: Sequence[Intent]) -> Run:
        """Give it to this press if it is open, with the intents of its members; the run as it then stands.

        The same press again changes nothing. It is this press's when ``Run.press_id`` says so.
        """
        ...

    async def became(self, bulk_id: str, number: int, became: MemberOutcome) -> None:
        """Write down what became of one member."""
        ...

    async def abort_bulk(self, bulk_id: str, by: str, record: Record) -> bool:
        """Let it go no further. False when it is not under way."""
        ...

    async def put_bulk_away(self, bulk_id: str, by: str, record: Record) -> bool:
        """Cancel an open one. False when it is not open any more."""
        ...

    async def expire_bulk(self, bulk_id: str) -> Run:
        """Let nobody begin one that is open; the run as it then stands."""
        ...

    async def finish_bulk(
        self,
        fence: Fence,
        bulk_id: str,
        became: Mapping[int, MemberOutcome],
        ending: BulkEnding,
        records: Sequence[Record],
    ) -> Run | None:
        """End the run: write these records, and the receipt of the last one into the ending. The run as it then
        stands; ``None``, and nothing written, when this run of the press counts no more.
        """
        ...

    async def followed(
        self,
        fence: Fence,
        bulk_id: str,
        ended: Collection[int],
        calls: Mapping[int, str],
        at: datetime,
        *,
        late: bool,
    ) -> Run | None:
        """Keep what has changed since it was over, by number; ``late``: nobody looks any more. The run as it then
        stands; ``None``, as above.

        Raises ``LedgerUnavailable``; then nothing was kept.
        """
        ...

    async def heard(self, bulk_id: str, number: int, call: CallAfter) -> Run | None:
        """Keep what came of the last press to hang a member's caller up. The run as it then stands.

        ``None``, and nothing kept, when it is not over.
        """
        ...


@dataclass(frozen=True, slots=True)
class Campaign:
    """What dials by itself."""

    name: str
    dialling: bool


@dataclass(frozen=True, slots=True)
class CampaignCall:
    """One that a campaign dialled, and the activeflow it runs."""

    campaign_id: UUID
    activeflow_id: UUID


class Sources(Protocol):
    """What starts activeflows, as VoIPBIN lists it. Every method may raise a ``Failure``."""

    async def campaign_calls(self) -> Sequence[CampaignCall]:
        """Return the newest of them."""
        ...

    async def campaign(self, campaign_id: UUID, /) -> Campaign | None: ...

    async def bound_flows(self) -> Sequence[UUID]:
        """Return the flows that numbers lead to, one for each number; the numbers stay outside."""
        ...


class Members(Protocol):
    """The queue of a bulk stop's members: durable, at most two in flight."""

    async def put(self, press: Press, number: int) -> None:
        """Queue one member. Its turn comes once, whatever happens."""
        ...

    async def done(self, press: Press, number: int) -> MemberOutcome:
        """Wait for what became of one that was queued."""
        ...


class BulkCards(Protocol):
    """Telling the channel how far a bulk stop is, and the presser. Never raises for Slack's troubles."""

    async def show(self, bulk: Bulk, run: Run, press: Press | None, *, guard: Guard | None = None) -> bool:
        """Edit the card in place, as in ``stopping.ports.Cards``; when that cannot be done, say it to the presser."""
        ...

    async def decline(self, press: Press, declined: Declined) -> bool:
        """Tell the presser alone why the press was not taken."""
        ...
