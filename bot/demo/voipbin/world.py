"""The world behind the simulated API, in the words of somebody who tells a story about it.

A test or the demo lets calls ring, callers hang up and flows end; the API (`api`) shows the result on the wire.
Decision: an activeflow made by `rings` stands still unless `lives` says otherwise, so that a test sees what it wrote;
what VoIPBIN itself does later (the hangup after a stop, the on-complete child) happens in `tick`, which the API calls
before each request.
"""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from bot.demo.voipbin.clock import utc_now
from bot.demo.voipbin.errors import Limits
from bot.demo.voipbin.faults import Faults, RequestSeen, StopSeen, route
from bot.demo.voipbin.inventory import Inventory
from bot.demo.voipbin.life import Life, Telephony, frames_at, position, step_of
from bot.demo.voipbin.records import Changed
from bot.demo.voipbin.state import START, ZERO, Activeflow, Call, Customer, Flow, Step


class World(Inventory):
    """A VoIPBIN that things happen in, that counts what reached it, and that can be made to fail."""

    def __init__(self, *, now: Callable[[], datetime] = utc_now, dice: random.Random | None = None) -> None:
        super().__init__(now=now, dice=dice)
        self.life = Life(self.records, self.clock, self.dice)
        self.telephony = Telephony(self.records, self.clock, self.life.begin)
        self.life.telephony = self.telephony
        self.faults = Faults()
        self.limits = Limits(now)
        self.requests: list[RequestSeen] = []
        self.stops: list[StopSeen] = []
        self.clock_skew = timedelta(0)
        self.answers_after = 6.0
        """Seconds until somebody takes an outgoing call."""
        self._stale: dict[UUID, Changed] = {}

    def rings(
        self,
        flow: Flow | None = None,
        *,
        at: str | Step | None = None,
        executed: Sequence[str | Step] | None = None,
        reference_type: str = "call",
        reference_id: UUID | None = None,
        direction: str = "incoming",
        source: str = "+15550100001",
        destination: str = "+15550100002",
        call_status: str | None = None,
        created_at: datetime | None = None,
        updated_at: datetime | None = None,
        status: str = "running",
        on_complete: Flow | None = None,
        parent: Activeflow | None = None,
        webhook_uri: str = "",
        id: UUID | None = None,  # noqa: A002  VoIPBIN's word
        customer: Customer | None = None,
        lives: bool = False,
    ) -> Activeflow:
        """Start an activeflow, with its call when `reference_type` is "call" and no `reference_id` is given.

        `at`: the current action; a word takes the flow's own action of that type when it has one. Left out: the flow's
        first action that takes time, or the start marker. `executed`: what came before, oldest first, without the start
        marker; left out: the flow's own actions before `at`. With `lives` it moves on by itself, in `tick`, from the
        start marker when `at` is left out.
        """
        customer_id = (customer or self.customer).id
        created = created_at or self.clock.instant()
        current, before = (START, []) if lives and at is None else position(flow, at, executed)
        on_complete_id = on_complete.id if on_complete else flow.on_complete_flow_id if flow else ZERO
        activeflow = Activeflow(
            id=id or uuid4(),
            customer_id=customer_id,
            flow_id=flow.id if flow else ZERO,
            status=status,
            reference_type=reference_type,
            reference_id=reference_id or (ZERO if reference_type in ("", "api") else uuid4()),
            reference_activeflow_id=parent.id if parent else ZERO,
            on_complete_flow_id=on_complete_id,
            webhook_uri=webhook_uri,
            webhook_method="POST" if webhook_uri else "",
            current_action=current,
            executed_actions=before,
            moves=len(before),
            tm_create=created,
            tm_update=updated_at
            or (None if not before else created + timedelta(seconds=1) if created_at else self.clock.instant()),
        )
        self.records.activeflows.add(activeflow)
        if reference_type == "call" and reference_id is None:
            self._add_call(activeflow, call_status, direction, (source, destination))
        self.records.changed(activeflow, "created")
        if lives:
            activeflow.frames = frames_at(flow, current)
            self.life.goes_on(activeflow)  # a start marker lasts no time
        return activeflow

    def _add_call(self, activeflow: Activeflow, status: str | None, direction: str, ends: tuple[str, str]) -> None:
        over = activeflow.status == "ended"
        status = status or ("hangup" if over else "progressing")
        rang = activeflow.tm_create - timedelta(milliseconds=400)
        self.records.calls.add(
            Call(
                id=activeflow.reference_id,
                customer_id=activeflow.customer_id,
                flow_id=activeflow.flow_id,
                activeflow_id=activeflow.id,
                status=status,
                action=activeflow.current_action,
                action_began=activeflow.tm_update,
                tm_create=rang,
                tm_ringing=None if status == "dialing" else rang,
                tm_progressing=None if status in ("dialing", "ringing", "canceling") else activeflow.tm_create,
                tm_hangup=(activeflow.tm_update or activeflow.tm_create) if status == "hangup" else None,
                tm_update=activeflow.tm_update,
                hangup_by="remote" if status == "hangup" else "",
                hangup_reason="normal" if status == "hangup" else "",
                direction=direction,
                source=ends[0],
                destination=ends[1],
            )
        )

    def dials(self, flow: Flow, *, answers_after: float | None = None, source: str, destination: str) -> Activeflow:
        """An outgoing call: dialing, ringing, and after `answers_after` seconds answered; only then the flow runs.

        A `flow` that is in no table is a temporary one, which nobody can look up.
        """
        activeflow = self.rings(
            flow,
            at=START,
            direction="outgoing",
            source=source,
            destination=destination,
            call_status="dialing",
            customer=self.records.customers[flow.customer_id],
        )
        activeflow.frames = frames_at(flow, START)
        call = self.records.calls.get(activeflow.reference_id)
        answers_after = self.answers_after if answers_after is None else answers_after
        if call is not None:
            self.clock.after(min(1.0, answers_after), lambda: self.telephony.rings(call))
            self.clock.after(answers_after, lambda: self.telephony.answered(call, activeflow))
        return activeflow

    def connects(self, activeflow: Activeflow, destination: str) -> Call:
        """A leg that `connect` places from an activeflow's call: a call of its own, with an activeflow of its own."""
        call = self.call_of(activeflow)
        if call is None:
            raise ValueError(f"activeflow {activeflow.id} has no call")
        placed = self.rings(
            at="confbridge_join", direction="outgoing", source=call.destination, destination=destination
        )
        leg = self.records.calls.get(placed.reference_id)
        assert leg is not None  # noqa: S101 - rings has just added it
        leg.master_call_id = call.id
        return leg

    def moves_to(self, activeflow: Activeflow, at: str | Step) -> None:
        """The current action is done; `at` is the new one (the flow's own action of that type, when it has one)."""
        flow = self.records.flows.get(activeflow.flow_id)
        self.telephony.moves(activeflow, step_of(flow, at))

    def ends(self, activeflow: Activeflow) -> None:
        """It ends by itself, after its last step: finish marker, then `ended`, on-complete flow and hangup."""
        self.telephony.finishes(activeflow)

    def caller_hangs_up(self, activeflow: Activeflow) -> None:
        """The other side puts the phone down; the activeflow ends where it stands."""
        call = self.call_of(activeflow)
        if call is None:
            raise ValueError(f"activeflow {activeflow.id} has no call")
        self.telephony.hung_up(call, by="remote")

    def freezes(self, customer: Customer) -> None:
        """The account is scheduled for deletion: every request answers ACCOUNT_FROZEN and its live calls are hung
        up.
        """
        customer.status, customer.tm_deletion_scheduled = "frozen", self.clock.instant()
        for call in self.records.calls:
            if call.customer_id == customer.id:
                self.telephony.drops(call, by="local")

    def reads_stale(self, activeflow: Activeflow) -> Callable[[], None]:
        """GET by id keeps answering what it is now, as a cache written in the wrong order; the result ends that."""
        self._stale[activeflow.id] = self.records.timeline[activeflow.id][-1]

        def catches_up() -> None:
            self._stale.pop(activeflow.id, None)

        return catches_up

    def tick(self) -> None:
        """Let everything happen that was due up to now()."""
        self.clock.tick()

    def subscribe(self, callback: Callable[[Changed], None]) -> Callable[[], None]:
        """Call `callback` with each change of an activeflow or a call from now on; returns what ends that."""
        return self.records.subscribe(callback)

    # ------------------------------------------------------------------ what is

    def activeflow(self, id: UUID) -> Activeflow:  # noqa: A002  VoIPBIN's word
        """The activeflow as it is now; KeyError when there is none."""
        self.tick()
        found = self.records.activeflows.get(id)
        if found is None:
            raise KeyError(id)
        return found

    def activeflow_as_cached(self, activeflow: Activeflow) -> Activeflow:
        """What GET by id shows: the activeflow, or the stale copy `reads_stale` left behind."""
        stale = self._stale.get(activeflow.id)
        return stale.resource if stale is not None and isinstance(stale.resource, Activeflow) else activeflow

    def call_of(self, activeflow: Activeflow) -> Call | None:
        """The call an activeflow runs for, or None."""
        self.tick()
        return self.records.calls.get(activeflow.reference_id)

    def children_of(self, activeflow: Activeflow) -> list[Activeflow]:
        """The activeflows started because this one ended, oldest first."""
        self.tick()
        return [a for a in self.records.activeflows if a.reference_activeflow_id == activeflow.id]

    def requests_to(self, method: str, template: str) -> list[RequestSeen]:
        """The requests that reached one route, `/activeflows/{id}/stop` for example, oldest first."""
        path = route(template)
        short = ((seen, seen.path.removeprefix("/v1.0")) for seen in self.requests)
        return [seen for seen, shortened in short if seen.method == method and path.fullmatch(shortened)]

    def stop(self, activeflow: Activeflow) -> bool:
        """What POST …/stop does; True when it changed something. Written down in `stops`."""
        changed = activeflow.status != "ended"
        self.telephony.stops(activeflow)
        self.stops.append(StopSeen(activeflow.id, self.clock.time(), changed))
        return changed
