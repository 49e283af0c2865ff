"""Define the JSON objects of VoIPBIN's API, reduced to the fields this bot reads.

The decoder steps over every other field without making an object of it: phone numbers and texts in options,
``webhook_secret`` of a customer, ``direct_hash`` of a flow, ``webhook_uri`` of an activeflow end there.
Keys may be absent (``status``, ``reference_type``, ``executed_actions``, an action's ``type`` and ``option`` when
empty; a call's times when unset) or null (an activeflow's times), and an id that is not set is the zero UUID.
Source: https://api.voipbin.net/docs/activeflow_struct_activeflow.html
"""

from typing import Any, Final, TypeAlias, TypedDict
from uuid import UUID

import msgspec

Id: TypeAlias = UUID | None
_NOTHING: Final = msgspec.Raw(b"null")

# Every option field that `answers.ALLOWED` names, and no other. Functional because `async` is a keyword.
WireOption = TypedDict(
    "WireOption",
    {
        "ai_id": Any,
        "assistance_id": Any,
        "assistance_type": Any,
        "async": Any,
        "chained": Any,
        "condition": Any,
        "conference_id": Any,
        "confbridge_id": Any,
        "destinations": Any,
        "digits": Any,
        "duration": Any,
        "early_media": Any,
        "event_url": Any,
        "flow_id": Any,
        "format": Any,
        "hour": Any,
        "key": Any,
        "language": Any,
        "length": Any,
        "loop_count": Any,
        "machine_handle": Any,
        "method": Any,
        "queue_id": Any,
        "reason": Any,
        "reference_type": Any,
        "status": Any,
        "stream_urls": Any,
        "sync": Any,
        "target_ids": Any,
        "uri": Any,
        "value_type": Any,
        "variable": Any,
        "weekdays": Any,
    },
    total=False,
)


class WireAction(msgspec.Struct):
    id: Id = None
    type: str | None = None
    option: WireOption | None = None


class WireActiveflow(msgspec.Struct):
    """Its steps stay bytes until somebody asks: most rows of a page have walked the same steps of the same flows."""

    id: Id = None
    customer_id: Id = None
    flow_id: Id = None
    status: str | None = None
    reference_type: str | None = None
    reference_id: Id = None
    reference_activeflow_id: Id = None
    on_complete_flow_id: Id = None
    current_action: msgspec.Raw = _NOTHING
    executed_actions: list[msgspec.Raw] | None = None
    tm_create: str | None = None
    tm_update: str | None = None
    tm_delete: str | None = None


class WireEvent(WireActiveflow):
    """A frame of the event stream: the bare activeflow, or (before 2026-08) one inside ``data``."""

    data: WireActiveflow | None = None


class WireHead(msgspec.Struct):
    """As much of a row as tells whether the rest of it matters."""

    id: Id = None
    status: str | None = None
    tm_create: str | None = None
    tm_update: str | None = None


class WirePage(msgspec.Struct):
    result: list[WireActiveflow] | None = None
    next_page_token: str | None = None


class RawPage(msgspec.Struct):
    """A page whose rows are still bytes: for when one of them is strange."""

    result: list[msgspec.Raw] | None = None
    next_page_token: Any = None


class WireStep(msgspec.Struct):
    """An action of a flow's definition, of which only the identity is asked."""

    id: Id = None


class WireFlow(msgspec.Struct):
    id: Id = None
    name: str | None = None
    actions: list[WireStep] | None = None
    on_complete_flow_id: Id = None


class WireParty(msgspec.Struct):
    type: str | None = None
    target: str | None = None
    target_name: str | None = None
    name: str | None = None


class WireCall(msgspec.Struct):
    id: Id = None
    activeflow_id: Id = None
    master_call_id: Id = None
    status: str | None = None
    direction: str | None = None
    source: WireParty | None = None
    destination: WireParty | None = None
    hangup_reason: str | None = None
    tm_create: str | None = None
    tm_progressing: str | None = None
    tm_hangup: str | None = None


class WireNamed(msgspec.Struct):
    """Anything with an id and a name: a customer, a queue."""

    id: Id = None
    name: str | None = None


class WireCampaign(msgspec.Struct):
    id: Id = None
    name: str | None = None
    status: str | None = None
    tm_delete: str | None = None


class WireCampaignCall(msgspec.Struct):
    campaign_id: Id = None
    activeflow_id: Id = None


class WireCampaignCalls(msgspec.Struct):
    result: list[WireCampaignCall] | None = None


class WireNumber(msgspec.Struct):
    call_flow_id: Id = None
    status: str | None = None


class WireNumbers(msgspec.Struct):
    result: list[WireNumber] | None = None


class WireAccesskey(msgspec.Struct):
    """https://api.voipbin.net/docs/accesskey_struct_accesskey.html"""

    token_prefix: str | None = None
    tm_expire: str | None = None
    tm_delete: str | None = None


class WireAccesskeys(msgspec.Struct):
    result: list[WireAccesskey] | None = None


class WireLogin(msgspec.Struct):
    token: str | None = None


class WireError(msgspec.Struct):
    status: Any = None
    reason: Any = None
    request_id: Any = None
    details: Any = None


class WireEnvelope(msgspec.Struct):
    error: WireError | None = None
