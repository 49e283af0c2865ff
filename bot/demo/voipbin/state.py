"""What exists in a VoIPBIN: customers, agents, access keys, flows, queues, calls and activeflows, as plain records.

The fields follow the API's own names (https://api.voipbin.net/docs/activeflow_struct_activeflow.html and its
neighbours); their form on the wire is decided in `wire`. Times are aware UTC datetimes; the zero UUID means "none", as
there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

ZERO = UUID(int=0)

# Permission bits of an agent: https://api.voipbin.net/docs/agent_struct_agent.html
AGENT, ADMIN, MANAGER = 16, 32, 64
OPERATORS = ADMIN | MANAGER


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a flow: VoIPBIN's type and option, and (never shown on the wire) how the simulation plays it.

    `lasts`: seconds it stays the current action when the activeflow lives, None for what is usual for its type.
    `pushes`: steps that it puts before the rest, as queue_join or connect do. `answered_after`: seconds after which
    somebody takes the caller out of what was pushed, into a confbridge.
    """

    type: str = ""
    option: Mapping[str, Any] = field(default_factory=dict)
    id: UUID = field(default_factory=uuid4)
    next_id: UUID = ZERO
    lasts: float | None = None
    pushes: "tuple[Step, ...]" = ()
    answered_after: float | None = None


START = Step(id=UUID(int=1))
FINISH = Step(id=UUID(int=2))


@dataclass(slots=True, kw_only=True)
class Customer:
    """A tenant; everything below belongs to exactly one."""

    id: UUID
    name: str
    tm_create: datetime
    status: str = "active"
    detail: str = ""
    email: str = "ops@example.com"
    webhook_method: str = "POST"
    webhook_uri: str = "https://hooks.example.com/voipbin?signature=made-up"
    webhook_secret: str = "made-up-webhook-secret"
    billing_account_id: UUID = field(default_factory=uuid4)
    tm_deletion_scheduled: datetime | None = None
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Agent:
    """Somebody who logs in with a user name and a password; `permission` is a sum of the bits above."""

    id: UUID
    customer_id: UUID
    username: str
    password: str
    permission: int
    tm_create: datetime
    name: str = "Operator"
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Accesskey:
    """A customer's key `vb_…`; the real API keeps only its hash and shows the first eleven characters."""

    id: UUID
    customer_id: UUID
    token: str
    tm_create: datetime
    name: str = ""
    detail: str = ""
    tm_expire: datetime | None = None
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Flow:
    """A telephony program; an activeflow works on its own copy of `actions`."""

    id: UUID
    customer_id: UUID
    name: str
    tm_create: datetime
    actions: tuple[Step, ...] = ()
    on_complete_flow_id: UUID = ZERO
    type: str = "flow"
    detail: str = ""
    direct_hash: str = "direct.made-up-hash"
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Queue:
    """A waiting line: while a caller waits, the wait flow runs in laps."""

    id: UUID
    customer_id: UUID
    name: str
    tm_create: datetime
    wait_flow_id: UUID = ZERO
    wait_queuecall_ids: list[UUID] = field(default_factory=list)
    service_queuecall_ids: list[UUID] = field(default_factory=list)
    wait_timeout: int = 3_600_000  # ms
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Campaign:
    """What dials by itself. Statuses: run, stopping, stop."""

    id: UUID
    customer_id: UUID
    name: str
    tm_create: datetime
    type: str = "call"
    status: str = "run"
    detail: str = ""
    service_level: int = 100
    end_handle: str = "stop"
    actions: tuple[Step, ...] = ()
    outplan_id: UUID = field(default_factory=uuid4)
    outdial_id: UUID = field(default_factory=uuid4)
    queue_id: UUID = ZERO
    next_campaign_id: UUID = ZERO
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Campaigncall:
    """One target that a campaign dialled. Statuses: dialing, progressing, done."""

    id: UUID
    customer_id: UUID
    campaign: Campaign
    activeflow_id: UUID
    tm_create: datetime
    reference_type: str = "call"
    reference_id: UUID = ZERO
    status: str = "progressing"
    source: str = ""
    destination: str = ""
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Number:
    """A telephone number of the customer's, and the flow that its calls enter."""

    id: UUID
    customer_id: UUID
    number: str
    tm_create: datetime
    call_flow_id: UUID = ZERO
    name: str = ""
    status: str = "active"
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Call:
    """One leg of a telephone call. Statuses: dialing, ringing, progressing, terminating, canceling, hangup."""

    id: UUID
    customer_id: UUID
    tm_create: datetime
    flow_id: UUID = ZERO
    activeflow_id: UUID = ZERO
    source: str = ""
    destination: str = ""
    direction: str = "incoming"
    master_call_id: UUID = ZERO
    status: str = "progressing"
    action: Step = START
    action_began: datetime | None = None
    hangup_by: str = ""
    hangup_reason: str = ""
    tm_ringing: datetime | None = None
    tm_progressing: datetime | None = None
    tm_hangup: datetime | None = None
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(slots=True)
class Frame:
    """A stack of steps an activeflow is inside of; `at` is the index of the step that runs."""

    steps: tuple[Step, ...]
    at: int = -1


@dataclass(slots=True, kw_only=True)
class Activeflow:
    """A running instance of a flow. `moves` and `frames` exist upstream too and are not on its public wire."""

    id: UUID
    customer_id: UUID
    tm_create: datetime
    flow_id: UUID = ZERO
    status: str = "running"
    reference_type: str = ""
    reference_id: UUID = ZERO
    reference_activeflow_id: UUID = ZERO
    on_complete_flow_id: UUID = ZERO
    webhook_uri: str = ""
    webhook_method: str = ""
    current_action: Step = START
    executed_actions: list[Step] = field(default_factory=list)
    tm_update: datetime | None = None
    tm_delete: datetime | None = None
    moves: int = 0
    frames: list[Frame] = field(default_factory=list)
    loops_left: dict[UUID, int] = field(default_factory=dict)
