"""The world's state in VoIPBIN's JSON, oddities included.

- UUIDs are never left out (the zero UUID means none); empty words, objects and lists are left out.
- Times are RFC 3339 in UTC with trailing zeros of the fraction trimmed; unset ones are null, but absent on a call.
- A page's token has six digits always, a timeline's timestamp three.
- The start and finish markers are actions without a type; `tm_execute` is null but on the copy a call shows.
- GET /customer carries `webhook_secret`, which no document mentions.

Sources: https://api.voipbin.net/docs/activeflow_struct_activeflow.html, …/call_struct_call.html,
…/flow_struct_flow.html.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bot.demo.voipbin.records import Changed
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
    Step,
)

Json = dict[str, Any]


def time(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with 0 to 6 digits of fraction, or None."""
    if at is None:
        return None
    text = at.astimezone(UTC).replace(tzinfo=None).isoformat()  # six digits, or none
    return (text.rstrip("0") if at.microsecond else text) + "Z"


def token(at: datetime) -> str:
    """A page token: RFC 3339 in UTC with exactly six digits."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def timestamp(at: datetime) -> str:
    """A timeline's timestamp: RFC 3339 in UTC with exactly three digits."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def action(step: Step, began: datetime | None = None) -> Json:
    """An action; `began` only where a call shows it, with nanoseconds as there."""
    shown: Json = {"id": str(step.id), "next_id": str(step.next_id)}
    if step.type:
        shown["type"] = step.type
    if step.option:
        shown["option"] = dict(step.option)
    executed = time(began)
    shown["tm_execute"] = executed if executed is None or "." not in executed else f"{executed[:-1]:0<26}471Z"
    return shown


def activeflow(row: Activeflow) -> Json:
    """An activeflow as list, get, stop and the events show it."""
    shown: Json = {"id": str(row.id), "customer_id": str(row.customer_id), "flow_id": str(row.flow_id)}
    _add(shown, status=row.status, reference_type=row.reference_type)
    shown["reference_id"] = str(row.reference_id)
    shown["reference_activeflow_id"] = str(row.reference_activeflow_id)
    shown["on_complete_flow_id"] = str(row.on_complete_flow_id)
    _add(shown, webhook_uri=row.webhook_uri, webhook_method=row.webhook_method)
    shown["current_action"] = action(row.current_action)
    shown["forward_action_id"] = "00000000-0000-0000-0000-000000000000"
    _add(shown, executed_actions=[action(step) for step in row.executed_actions])
    return shown | _times(row)


def flow(row: Flow) -> Json:
    """A flow, with the capability secret `direct_hash` that the real one hands out too."""
    shown: Json = {"id": str(row.id), "customer_id": str(row.customer_id), "type": row.type}
    _add(shown, name=row.name, detail=row.detail, actions=[action(step) for step in row.actions])
    _add(shown, direct_hash=row.direct_hash)
    shown["on_complete_flow_id"] = str(row.on_complete_flow_id)
    return shown | _times(row)


def call(row: Call) -> Json:
    """A call; times that are not set are absent here."""
    nobody = "00000000-0000-0000-0000-000000000000"
    shown: Json = {
        "id": str(row.id),
        "customer_id": str(row.customer_id),
        "owner_type": "",
        "owner_id": nobody,
        "flow_id": str(row.flow_id),
        "activeflow_id": str(row.activeflow_id),
        "type": "flow",
        "master_call_id": str(row.master_call_id),
        "recording_id": nobody,
        "groupcall_id": nobody,
        "source": {"type": "tel", "target": row.source},
        "destination": {"type": "tel", "target": row.destination},
        "status": row.status,
        "action": action(row.action, row.action_began),
        "direction": row.direction,
    }
    _add(shown, hangup_by=row.hangup_by, hangup_reason=row.hangup_reason)
    times = {"tm_progressing": row.tm_progressing, "tm_ringing": row.tm_ringing, "tm_hangup": row.tm_hangup}
    times |= {"tm_create": row.tm_create, "tm_update": row.tm_update, "tm_delete": row.tm_delete}
    return shown | {name: time(at) for name, at in times.items() if at is not None}


def customer(row: Customer) -> Json:
    """The customer a credential belongs to."""
    shown: Json = {"id": str(row.id)}
    _add(shown, name=row.name, detail=row.detail, email=row.email)
    _add(shown, webhook_method=row.webhook_method, webhook_uri=row.webhook_uri, webhook_secret=row.webhook_secret)
    shown |= {
        "billing_account_id": str(row.billing_account_id),
        "metadata": {"rtp_debug": False},
        "email_verified": True,
        "status": row.status,
        "identity_verification_status": "none",
        "tm_deletion_scheduled": time(row.tm_deletion_scheduled),
    }
    return shown | _times(row)


def agent(row: Agent) -> Json:
    """An agent, as GET /me shows it and as a login token carries it; never the password."""
    shown: Json = {"id": str(row.id), "customer_id": str(row.customer_id), "username": row.username}
    _add(shown, name=row.name)
    shown |= {"ring_method": "ringall", "status": "available", "permission": row.permission}
    shown |= {"tag_ids": [], "addresses": [], "direct_hash": "direct.made-up-agent-hash"}
    return shown | _times(row)


def accesskey(row: Accesskey, *, reveal: bool = False) -> Json:
    """An access key; `token` appears only in the answer to its creation."""
    shown: Json = {"id": str(row.id), "customer_id": str(row.customer_id)}
    _add(shown, name=row.name, detail=row.detail, token_prefix=row.token[:11])
    if reveal:
        shown["token"] = row.token
    return shown | {"tm_expire": time(row.tm_expire)} | _times(row)


def queue(row: Queue) -> Json:
    """A queue with those who wait and those who are served."""
    waiting, served = [str(i) for i in row.wait_queuecall_ids], [str(i) for i in row.service_queuecall_ids]
    return {
        "id": str(row.id),
        "customer_id": str(row.customer_id),
        "name": row.name,
        "routing_method": "random",
        "tag_ids": [],
        "wait_flow_id": str(row.wait_flow_id),
        "wait_timeout": row.wait_timeout,
        "service_timeout": 0,
        "wait_queuecall_ids": waiting,
        "service_queuecall_ids": served,
        "total_incoming_count": len(waiting) + len(served),
        "total_serviced_count": len(served),
        "total_abandoned_count": 0,
    } | _times(row)


def campaign(row: Campaign) -> Json:
    """https://api.voipbin.net/docs/campaign_struct_campaign.html"""
    return {
        "id": str(row.id),
        "customer_id": str(row.customer_id),
        "type": row.type,
        "name": row.name,
        "detail": row.detail,
        "status": row.status,
        "service_level": row.service_level,
        "end_handle": row.end_handle,
        "actions": [action(step) for step in row.actions],
        "outplan_id": str(row.outplan_id),
        "outdial_id": str(row.outdial_id),
        "queue_id": str(row.queue_id),
        "next_campaign_id": str(row.next_campaign_id),
    } | _times(row)


def campaigncall(row: Campaigncall) -> Json:
    """https://api.voipbin.net/docs/campaign_struct_campaigncall.html"""
    return {
        "id": str(row.id),
        "customer_id": str(row.customer_id),
        "campaign_id": str(row.campaign.id),
        "outplan_id": str(row.campaign.outplan_id),
        "outdial_id": str(row.campaign.outdial_id),
        "outdial_target_id": str(row.id),
        "queue_id": str(row.campaign.queue_id),
        "activeflow_id": str(row.activeflow_id),
        "reference_type": row.reference_type,
        "reference_id": str(row.reference_id),
        "status": row.status,
        "result": "",
        "source": {"type": "tel", "target": row.source},
        "destination": {"type": "tel", "target": row.destination},
        "destination_index": 0,
        "try_count": 1,
    } | _times(row)


def number(row: Number) -> Json:
    """https://api.voipbin.net/docs/number_struct_number.html"""
    return {
        "id": str(row.id),
        "customer_id": str(row.customer_id),
        "number": row.number,
        "type": "normal",
        "call_flow_id": str(row.call_flow_id),
        "message_flow_id": str(UUID(int=0)),
        "name": row.name,
        "detail": "",
        "status": row.status,
        "t38_enabled": False,
        "emergency_enabled": False,
    } | _times(row)


def event(change: Changed) -> Json:
    """One line of a timeline."""
    resource = change.resource
    data = call(resource) if isinstance(resource, Call) else activeflow(resource)
    return {"timestamp": timestamp(change.at), "event_type": change.event_type, "data": data}


def milliseconds(at: datetime) -> datetime:
    """The instant a timeline's timestamp stands for."""
    return at - timedelta(microseconds=at.microsecond % 1000)


def _times(row: Activeflow | Flow | Customer | Agent | Accesskey | Queue | Campaign | Campaigncall | Number) -> Json:
    return {"tm_create": time(row.tm_create), "tm_update": time(row.tm_update), "tm_delete": time(row.tm_delete)}


def _add(shown: Json, **maybe: Any) -> None:
    """Add what is not empty, as Go's `omitempty` does."""
    shown.update({key: value for key, value in maybe.items() if value})
