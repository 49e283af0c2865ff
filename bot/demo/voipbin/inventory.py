"""Whom the simulated VoIPBIN serves, what they own (credentials, flows, queues), and the types of action there are."""

import random
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from bot.demo.voipbin.clock import Clock, utc_now
from bot.demo.voipbin.records import Records
from bot.demo.voipbin.state import (
    MANAGER,
    ZERO,
    Accesskey,
    Activeflow,
    Agent,
    Campaign,
    Campaigncall,
    Customer,
    Flow,
    Number,
    Queue,
    Step,
)


class Inventory:
    """One customer to begin with (`customer`), who has a working access key and a working manager's login."""

    def __init__(self, *, now: Callable[[], datetime] = utc_now, dice: random.Random | None = None) -> None:
        self.clock = Clock(now)
        self.records = Records(self.clock)
        self.dice = dice or random.Random(7)
        self.token_secret = secrets.token_bytes(32)
        self.token_lifetime = timedelta(days=7)
        self.customer = self.add_customer("Harbour Clinic")
        self.access_key = self.add_access_key(name="flows-bot").token
        self.username, self.password = "flows-bot@example.com", "correct horse battery staple"
        self.add_agent(self.username, self.password, permission=MANAGER)

    def add_customer(self, name: str) -> Customer:
        """Another tenant; its things are 403 to everybody else."""
        customer = Customer(id=uuid4(), name=name, tm_create=self.clock.instant() - timedelta(days=200))
        self.records.customers[customer.id] = customer
        return customer

    def add_access_key(
        self, *, name: str = "", expires_at: datetime | None = None, customer: Customer | None = None
    ) -> Accesskey:
        """A new access key, `vb_` and 32 URL-safe characters in `token`; None never expires."""
        return self.records.accesskeys.add(
            Accesskey(
                id=uuid4(),
                customer_id=(customer or self.customer).id,
                token=f"vb_{secrets.token_urlsafe(24)}",
                name=name,
                tm_expire=expires_at,
                tm_create=self.clock.instant(),
            )
        )

    def add_agent(self, username: str, password: str, *, permission: int, customer: Customer | None = None) -> Agent:
        """Somebody who can log in; `permission` is 16 agent, 32 customer admin, 64 customer manager."""
        return self.records.agents.add(
            Agent(
                id=uuid4(),
                customer_id=(customer or self.customer).id,
                username=username,
                password=password,
                permission=permission,
                tm_create=self.clock.instant(),
            )
        )

    def add_flow(
        self,
        name: str,
        actions: Sequence[Step] = (),
        *,
        on_complete: Flow | None = None,
        id: UUID | None = None,  # noqa: A002  VoIPBIN's word
        customer: Customer | None = None,
    ) -> Flow:
        """A flow definition; `on_complete` starts as a new activeflow whenever an activeflow of this one ends."""
        return self.records.flows.add(
            Flow(
                id=id or uuid4(),
                customer_id=(customer or self.customer).id,
                name=name,
                actions=tuple(actions),
                on_complete_flow_id=on_complete.id if on_complete else ZERO,
                tm_create=self.clock.instant(),
            )
        )

    def add_queue(self, name: str, *, wait_flow: Flow | None = None, id: UUID | None = None) -> Queue:  # noqa: A002
        """A queue that `queue_join` steps name by `queue_id`."""
        return self.records.queues.add(
            Queue(
                id=id or uuid4(),
                customer_id=self.customer.id,
                name=name,
                wait_flow_id=wait_flow.id if wait_flow else ZERO,
                tm_create=self.clock.instant(),
            )
        )

    def add_campaign(self, name: str, *, status: str = "run") -> Campaign:
        """A campaign; `campaign_dials` says which activeflows are its."""
        return self.records.campaigns.add(
            Campaign(id=uuid4(), customer_id=self.customer.id, name=name, status=status, tm_create=self.clock.instant())
        )

    def campaign_dials(self, campaign: Campaign, activeflow: Activeflow) -> Campaigncall:
        """The campaign's call that this activeflow runs for."""
        return self.records.campaigncalls.add(
            Campaigncall(
                id=uuid4(),
                customer_id=campaign.customer_id,
                campaign=campaign,
                activeflow_id=activeflow.id,
                reference_id=activeflow.reference_id,
                source="+15550100002",
                destination="+15550100001",
                tm_create=self.clock.instant(),
            )
        )

    def add_number(self, number: str, flow: Flow) -> Number:
        """A number whose calls enter this flow."""
        return self.records.numbers.add(
            Number(
                id=uuid4(),
                customer_id=self.customer.id,
                number=number,
                call_flow_id=flow.id,
                tm_create=self.clock.instant(),
            )
        )

    def revokes_tokens(self) -> None:
        """Every login token issued so far becomes invalid (upstream: the signing key was changed)."""
        self.token_secret = secrets.token_bytes(32)


# ---------------------------------------------------------------- action types
# VoIPBIN's 44 action types: where each can run, and how many seconds it usually stays the current action (0: passes at
# once).
#
# An action of the wrong class is skipped silently, but appears among the executed ones
# (https://api.voipbin.net/docs/flow_struct_action.html).

WITH_A_CALL, WITHOUT_A_CALL, ANYWHERE = "with a call", "without a call", "anywhere"


class ActionType(NamedTuple):
    """`runs`: one of the three above; `seconds`: its usual length."""

    runs: str
    seconds: float


ACTION_TYPES = {
    "ai_summary": ActionType(WITHOUT_A_CALL, 3.0),
    "ai_talk": ActionType(ANYWHERE, 0.0),
    "ai_task": ActionType(WITHOUT_A_CALL, 0.0),
    "amd": ActionType(WITH_A_CALL, 4.0),
    "answer": ActionType(WITH_A_CALL, 0.0),
    "beep": ActionType(WITH_A_CALL, 0.5),
    "block": ActionType(WITHOUT_A_CALL, 40.0),
    "branch": ActionType(ANYWHERE, 0.0),
    "call": ActionType(ANYWHERE, 0.0),
    "case_create": ActionType(ANYWHERE, 0.0),
    "condition_call_digits": ActionType(WITH_A_CALL, 0.0),
    "condition_call_status": ActionType(WITH_A_CALL, 0.0),
    "condition_datetime": ActionType(ANYWHERE, 0.0),
    "condition_variable": ActionType(ANYWHERE, 0.0),
    "confbridge_join": ActionType(WITH_A_CALL, 60.0),
    "conference_join": ActionType(WITH_A_CALL, 0.0),
    "connect": ActionType(WITH_A_CALL, 0.0),
    "conversation_send": ActionType(ANYWHERE, 0.0),
    "digits_receive": ActionType(WITH_A_CALL, 6.0),
    "digits_send": ActionType(WITH_A_CALL, 1.0),
    "echo": ActionType(WITH_A_CALL, 180.0),
    "email_send": ActionType(ANYWHERE, 0.8),
    "empty": ActionType(ANYWHERE, 0.0),
    "external_media_start": ActionType(WITH_A_CALL, 0.0),
    "external_media_stop": ActionType(WITH_A_CALL, 0.0),
    "fetch": ActionType(ANYWHERE, 0.0),
    "fetch_flow": ActionType(ANYWHERE, 0.0),
    "goto": ActionType(ANYWHERE, 0.0),
    "hangup": ActionType(WITH_A_CALL, 0.0),
    "message_send": ActionType(ANYWHERE, 0.8),
    "mute": ActionType(WITH_A_CALL, 0.0),
    "play": ActionType(WITH_A_CALL, 8.0),
    "queue_join": ActionType(WITH_A_CALL, 0.0),
    "recording_start": ActionType(WITH_A_CALL, 0.0),
    "recording_stop": ActionType(WITH_A_CALL, 0.0),
    "sleep": ActionType(WITH_A_CALL, 1.0),
    "stop": ActionType(ANYWHERE, 0.0),
    "stream_echo": ActionType(WITH_A_CALL, 180.0),
    "talk": ActionType(WITH_A_CALL, 4.0),
    "transcribe_recording": ActionType(ANYWHERE, 0.0),
    "transcribe_start": ActionType(WITH_A_CALL, 0.0),
    "transcribe_stop": ActionType(WITH_A_CALL, 0.0),
    "variable_set": ActionType(ANYWHERE, 0.0),
    "webhook_send": ActionType(ANYWHERE, 0.5),
}
UNKNOWN = ActionType(ANYWHERE, 0.0)


def action_type(name: str) -> ActionType:
    """What is known of a type; markers and unknown types pass at once, anywhere."""
    return ACTION_TYPES.get(name, UNKNOWN)
