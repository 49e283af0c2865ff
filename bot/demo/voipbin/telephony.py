"""What can happen to calls and activeflows, with VoIPBIN's consequences.

The rules simulated here: a stop writes `ended` at once and leaves the current action where it was; it starts the on-complete
flow as a new activeflow; and it hangs up the referenced call a little later, by an event that can get lost. A hangup ends the
call's activeflow in the same way. After more than 100 moves the next one is refused and the activeflow ends
(https://api.voipbin.net/docs/activeflow_overview.html).
"""

from collections.abc import Callable
from uuid import uuid4

from bot.demo.voipbin.clock import Clock
from bot.demo.voipbin.records import Records
from bot.demo.voipbin.state import FINISH, ZERO, Activeflow, Call, Step

STEP_BUDGET = 100
LEAVING = ("terminating", "canceling", "hangup")


class Telephony:
    """The rules. `terminating_after` and `hangup_after` are seconds; `begin` makes an activeflow run its steps."""

    def __init__(self, records: Records, clock: Clock, begin: Callable[[Activeflow], None]) -> None:
        self._records = records
        self._clock = clock
        self._begin = begin
        self.terminating_after = 0.0
        self.hangup_after = 0.2
        self.loses_hangups = False
        self.loses_children = False

    def moves(self, activeflow: Activeflow, step: Step) -> bool:
        """Make `step` the current action; False when ended, or out of steps, which ends it."""
        if activeflow.status == "ended":
            return False
        if activeflow.moves > STEP_BUDGET:
            self.stops(activeflow)
            return False
        activeflow.moves += 1
        activeflow.executed_actions.append(activeflow.current_action)
        activeflow.current_action = step
        activeflow.tm_update = self._clock.instant()
        self._records.changed(activeflow, "updated")
        self._shows_on_call(activeflow)
        return True

    def finishes(self, activeflow: Activeflow) -> None:
        """End after the last step: the finish marker becomes current, then the status changes."""
        if self.moves(activeflow, FINISH):
            self.stops(activeflow)

    def stops(self, activeflow: Activeflow) -> Activeflow | None:
        """End where it stands; returns the on-complete child it started, if any. No effect on an ended one."""
        if activeflow.status == "ended":
            return None
        activeflow.status = "ended"
        activeflow.tm_update = self._clock.instant()
        self._records.changed(activeflow, "updated")
        child = self._starts_on_complete(activeflow)
        call = self._records.calls.get(activeflow.reference_id) if activeflow.reference_type == "call" else None
        if call is not None and not self.loses_hangups:
            self._clock.after(self.terminating_after, lambda: self.drops(call, by="local"))
        return child

    def drops(self, call: Call, *, by: str) -> None:
        """Hang up from VoIPBIN's side: first terminating (canceling when nobody answered yet), a little later hangup."""
        if call.status in LEAVING:
            return
        canceled = call.direction == "outgoing" and call.status in ("dialing", "ringing")
        call.status = "canceling" if canceled else "terminating"
        self._records.call_changed(call, "canceling" if canceled else "terminating")
        reason = "cancel" if canceled else "normal"
        self._clock.after(self.hangup_after, lambda: self.hung_up(call, by=by, reason=reason))

    def hung_up(self, call: Call, *, by: str, reason: str = "normal") -> None:
        """The call is over; its activeflow ends with it."""
        if call.status == "hangup":
            return
        call.status, call.hangup_by, call.hangup_reason = "hangup", by, reason
        call.tm_hangup = self._clock.instant()
        self._records.call_changed(call, "hangup")
        activeflow = self._records.activeflows.get(call.activeflow_id)
        if activeflow is not None:
            self.stops(activeflow)

    def rings(self, call: Call) -> None:
        """The far telephone rings."""
        if call.status == "dialing":
            call.status, call.tm_ringing = "ringing", self._clock.instant()
            self._records.call_changed(call, "ringing")

    def answered(self, call: Call, activeflow: Activeflow) -> None:
        """Somebody answers an outgoing call: its activeflow begins to run."""
        if call.status in ("dialing", "ringing"):
            call.status, call.tm_progressing = "progressing", self._clock.instant()
            self._records.call_changed(call, "progressing")
            self._begin(activeflow)

    def deletes(self, activeflow: Activeflow) -> None:
        """Stop first, then mark as deleted, as the real DELETE does."""
        self.stops(activeflow)
        activeflow.tm_delete = self._clock.instant()
        self._records.changed(activeflow, "deleted")

    def _shows_on_call(self, activeflow: Activeflow) -> None:
        call = self._records.calls.get(activeflow.reference_id) if activeflow.reference_type == "call" else None
        if call is not None and call.activeflow_id == activeflow.id and call.status not in LEAVING:
            call.action, call.action_began = activeflow.current_action, activeflow.tm_update
            call.tm_update = activeflow.tm_update

    def _starts_on_complete(self, parent: Activeflow) -> Activeflow | None:
        flow = self._records.flows.get(parent.on_complete_flow_id)
        if flow is None or flow.tm_delete is not None or self.loses_children:
            return None  # upstream only logs it: the stop succeeded all the same
        child = Activeflow(
            id=uuid4(),
            customer_id=parent.customer_id,
            flow_id=flow.id,
            reference_type=parent.reference_type,
            reference_id=parent.reference_id,
            reference_activeflow_id=parent.id,
            on_complete_flow_id=ZERO if flow.on_complete_flow_id == flow.id else flow.on_complete_flow_id,
            tm_create=self._clock.instant(),
        )
        self._records.activeflows.add(child)
        self._records.changed(child, "created")
        self._clock.after(0, lambda: self._begin(child))
        return child
