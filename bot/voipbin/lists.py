"""Walk VoIPBIN's lists beside the activeflows: calls, campaigns and numbers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

from bot.activeflows.bulk.ports import Campaign, CampaignCall
from bot.activeflows.callers import CallFound, CallsLooked, Leg, owner
from bot.activeflows.model import Call
from bot.activeflows.numbers import Number, dialled, masked
from bot.voipbin.http.budget import Urgency
from bot.voipbin.live.scan import WalkBounds, walked
from bot.voipbin.wire.answers import Page, Unreadable, decoded
from bot.voipbin.wire.shapes import WireCampaign, WireCampaignCalls, WireNumbers

# ---------------------------------------------------------------- calls
# Walk the list of calls for a number: the list knows no filter.
#
# GET /calls (https://api.voipbin.net/docs/call_overview.html) pages as the list of activeflows does. Calls are cut
# after one hour, so the last hour and a little more holds every call that lives; it is read whatever number of pages
# that takes, within the time a person waits. Promises: the numbers are compared here and leave no trace: not in an
# address, not in what is kept, and of the calls only who is masked goes further.
#
# Decision: the first pages are as urgent as a screen, because somebody waits; a longer look gives way to others'
# screens and to a bulk stop, as a walk does.

ReadCalls: TypeAlias = Callable[[datetime, int, Urgency], Awaitable[Page[Call]]]
"""The calls created before this instant, at most so many. Raises ``Unsuccessful``."""

BOUNDS: Final = WalkBounds(max_pages=3, whole=timedelta(minutes=65), seconds=25.0)
_AT_ONCE: Final = 5
"""Pages read as if they filled a screen."""


@dataclass(frozen=True, slots=True)
class _SeenCall:
    """A call that was looked at; ``end`` is empty for one without the number."""

    id: UUID
    created_at: datetime | None
    leg: Leg
    end: Literal["from", "to", ""] = ""
    masked: str = ""
    over: bool = False
    sought: int = 0
    whole: bool = True


async def calls_with(
    read_page: ReadCalls, numbers: Sequence[Number], *, now: Callable[[], datetime], bounds: WalkBounds = BOUNDS
) -> CallsLooked:
    """Return those of the last hour that have one of these numbers, and perhaps some before. Raises
    ``Unsuccessful``.
    """
    pages = 0

    async def read(before: datetime, size: int) -> Page[_SeenCall]:
        nonlocal pages
        pages += 1
        urgency = Urgency.SCREEN if pages <= _AT_ONCE else Urgency.SCAN
        page = await read_page(before, size, urgency)
        return Page(tuple(_seen(call, numbers) for call in page.rows), page.size, page.last, page.more)

    seen = await walked(read, now=now, bounds=bounds)
    legs = {row.id: row.leg for row in seen.rows}
    return CallsLooked(
        found=tuple(_found(row, row.end, legs) for row in seen.rows if row.end),
        number=len(seen.rows),
        as_of=seen.as_of,
        complete_since=seen.complete_since,
        stopped_because=seen.stopped_because,
        unreadable=seen.unreadable,
    )


def _seen(call: Call, numbers: Sequence[Number]) -> _SeenCall:
    leg = Leg(call.activeflow_id, call.master_id)
    ends: tuple[Literal["from", "to"], ...] = ("from", "to")
    for end, party in zip(ends, (call.source, call.destination), strict=True):
        has = dialled(party.target)
        sought = next((place for place, number in enumerate(numbers) if has is not None and has.same(number)), None)
        if sought is not None:
            whole = has is not None and has.whole(numbers[sought])
            return _SeenCall(call.id, call.created_at, leg, end, masked(party), call.over, sought, whole)
    return _SeenCall(call.id, call.created_at, leg)


def _found(row: _SeenCall, end: Literal["from", "to"], legs: dict[UUID, Leg]) -> CallFound:
    owner_id = owner(row.id, legs)
    of_owner = legs.get(owner_id)
    return CallFound(
        id=row.id,
        owner_id=owner_id,
        activeflow_id=of_owner.activeflow_id if of_owner is not None else None,
        end=end,
        masked=row.masked,
        over=row.over,
        began=row.created_at,
        sought=row.sought,
        whole=row.whole,
    )


# ---------------------------------------------------------------- sources
# Read what starts activeflows: campaigns, their calls, and numbers. The newest hundred of each list, with one request.
#
# https://api.voipbin.net/docs/campaign_struct_campaign.html, …/campaign_struct_campaigncall.html,
# …/number_struct_number.html. A number itself is never read: only which flow it leads to.

_DIALLING: Final = "run"
_LONGEST_NAME: Final = 256


def campaign(body: bytes) -> Campaign:
    """Read a campaign. Raises ``Unreadable``, as the others do."""
    found = decoded(body, WireCampaign)
    if found.id is None or not found.id.int:
        raise Unreadable("a campaign without an id")
    return Campaign((found.name or "")[:_LONGEST_NAME], dialling=found.status == _DIALLING and found.tm_delete is None)


def campaign_calls(body: bytes) -> Sequence[CampaignCall]:
    rows = decoded(body, WireCampaignCalls).result
    if rows is None:
        raise Unreadable("not a list of campaign calls")
    return [CampaignCall(row.campaign_id, row.activeflow_id) for row in rows if row.campaign_id and row.activeflow_id]


def bound_flows(body: bytes) -> Sequence[UUID]:
    """Return one for each number in use that leads calls to a flow."""
    rows = decoded(body, WireNumbers).result
    if rows is None:
        raise Unreadable("not a list of numbers")
    return [row.call_flow_id for row in rows if row.status == "active" and row.call_flow_id and row.call_flow_id.int]
