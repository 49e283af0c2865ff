"""Read what starts activeflows: campaigns, their calls, and numbers. The newest hundred of each list, with one request.

https://api.voipbin.net/docs/campaign_struct_campaign.html, …/campaign_struct_campaigncall.html,
…/number_struct_number.html. A number itself is never read: only which flow it leads to.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from bot.activeflows.bulk.ports import Campaign, CampaignCall
from bot.voipbin.wire.decoding import Unreadable, decoded
from bot.voipbin.wire.shapes import WireCampaign, WireCampaignCalls, WireNumbers

_DIALLING: Final = "run"
_LONGEST_NAME: Final = 256


def campaign(body: bytes) -> Campaign:
    """Raises ``Unreadable``, as the others do."""
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
    """One for each number in use that leads calls to a flow."""
    rows = decoded(body, WireNumbers).result
    if rows is None:
        raise Unreadable("not a list of numbers")
    return [row.call_flow_id for row in rows if row.status == "active" and row.call_flow_id and row.call_flow_id.int]
