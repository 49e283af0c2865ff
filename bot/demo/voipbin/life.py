"""How a living activeflow moves through its steps with time, and what else happens to calls and activeflows.

Steps that only compute pass at once; steps that take time (talk, play, waiting for digits, a conversation in a bridge)
stay current for as long as their kind usually lasts, or for `Step.lasts` seconds. Steps of the wrong media class are
skipped but appear among the executed ones, and an on-complete child of a call gets stuck at its first media step, as
upstream: no call drives it (https://api.voipbin.net/docs/flow_struct_action.html).
"""

import random
from collections.abc import Callable, Sequence
from uuid import uuid4

from bot.demo.voipbin.clock import Clock
from bot.demo.voipbin.inventory import WITH_A_CALL, WITHOUT_A_CALL, action_type
from bot.demo.voipbin.records import Records
from bot.demo.voipbin.state import FINISH, START, ZERO, Activeflow, Call, Flow, Frame, Step

# ---------------------------------------------------------------- telephony
# What can happen to calls and activeflows, with VoIPBIN's consequences.
#
# The rules simulated here: a stop writes `ended` at once and leaves the current action where it was; it starts the
# on-complete flow as a new activeflow; and it hangs up the referenced call a little later, by an event that can get
# lost. A hangup ends the call's activeflow in the same way. After more than 100 moves the next one is refused and the
# activeflow ends (https://api.voipbin.net/docs/activeflow_overview.html).

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
        """Hang up from VoIPBIN's side: first terminating (canceling when nobody answered yet), a little later
        hangup.
        """
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


# ---------------------------------------------------------------- life


def usual_seconds(step: Step) -> float:
    """How long this step stays the current action; 0 means it passes at once."""
    if step.lasts is not None:
        return step.lasts
    if step.type in ("sleep", "echo") and "duration" in step.option:
        return float(step.option["duration"]) / 1000
    return action_type(step.type).seconds


class Life:
    """Drives activeflows; `telephony` is set by the world once it exists, each needs the other."""

    telephony: Telephony

    def __init__(self, records: Records, clock: Clock, dice: random.Random) -> None:
        self._records = records
        self._clock = clock
        self._dice = dice

    def begin(self, activeflow: Activeflow) -> None:
        """Let an activeflow that stands at its start marker run the actions of its flow."""
        flow = self._records.flows.get(activeflow.flow_id)
        if not activeflow.frames:
            activeflow.frames.append(Frame(flow.actions if flow else ()))
        self._advance(activeflow)

    def goes_on(self, activeflow: Activeflow) -> None:
        """Plan the end of the current step, after which the next one is entered."""
        moves = activeflow.moves
        self._clock.after(
            usual_seconds(activeflow.current_action),
            lambda: self._advance(activeflow) if activeflow.moves == moves else None,
        )

    def _advance(self, activeflow: Activeflow) -> None:
        while activeflow.status == "running":
            step = self._next(activeflow)
            if step is None:
                self.telephony.finishes(activeflow)
                return
            if not self.telephony.moves(activeflow, step):
                return
            if self._skipped(activeflow, step):
                continue
            if action_type(step.type).runs == WITH_A_CALL and self._nobody_drives(activeflow):
                return
            self._acts(activeflow, step)
            if usual_seconds(step):
                self.goes_on(activeflow)
                return

    def _next(self, activeflow: Activeflow) -> Step | None:
        frames = activeflow.frames
        while frames:
            frame = frames[-1]
            done = frame.steps[frame.at] if frame.at >= 0 else None
            target = done.next_id if done is not None else ZERO
            frame.at = self._place(frame, str(target)) if target != ZERO else frame.at + 1
            if frame.at < len(frame.steps):
                return frame.steps[frame.at]
            frames.pop()
        return None

    @staticmethod
    def _place(frame: Frame, target: str) -> int:
        """Where the step with this id is; what leads nowhere leads to the end."""
        return next((i for i, step in enumerate(frame.steps) if str(step.id) == target), len(frame.steps))

    def _acts(self, activeflow: Activeflow, step: Step) -> None:
        if step.pushes:
            activeflow.frames.append(Frame(step.pushes))
        elif step.type == "fetch_flow":
            flow = next((one for one in self._records.flows if str(one.id) == step.option.get("flow_id")), None)
            activeflow.frames.append(Frame(flow.actions if flow else ()))
        elif step.type == "branch":
            self._jumps(activeflow, self._dice.choice([*step.option.get("target_ids", {}).values()] or [""]))
        elif step.type == "goto":
            self._loops(activeflow, step)
        elif step.type == "stop":
            activeflow.frames.clear()
        elif step.type == "hangup":
            self._hangs_up(activeflow)
        if step.answered_after is not None:
            depth = len(activeflow.frames)
            self._clock.after(step.answered_after, lambda: self._answered(activeflow, step, depth))

    def _jumps(self, activeflow: Activeflow, target: object) -> None:
        frame = activeflow.frames[-1]
        frame.at = self._place(frame, str(target)) - 1

    def _loops(self, activeflow: Activeflow, step: Step) -> None:
        left = activeflow.loops_left.setdefault(step.id, int(step.option.get("loop_count", 1)))
        if left > 0:
            activeflow.loops_left[step.id] = left - 1
            self._jumps(activeflow, step.option.get("target_id"))

    def _hangs_up(self, activeflow: Activeflow) -> None:
        call = self._records.calls.get(activeflow.reference_id)
        if call is not None:
            self.telephony.drops(call, by="local")

    def _answered(self, activeflow: Activeflow, opener: Step, depth: int) -> None:
        """Take the caller out of what `opener` pushed (the frames from `depth` on) into a bridge with somebody."""
        still_inside = len(activeflow.frames) >= depth and activeflow.frames[depth - 1].steps is opener.pushes
        if activeflow.status != "running" or not still_inside:
            return
        bridge = Step("confbridge_join", {"confbridge_id": str(opener.id)})
        activeflow.frames[depth - 1 :] = [Frame((bridge,))]
        self._advance(activeflow)

    @staticmethod
    def _skipped(activeflow: Activeflow, step: Step) -> bool:
        other = WITHOUT_A_CALL if activeflow.reference_type == "call" else WITH_A_CALL
        return action_type(step.type).runs == other

    def _nobody_drives(self, activeflow: Activeflow) -> bool:
        call = self._records.calls.get(activeflow.reference_id)
        return call is not None and call.activeflow_id != activeflow.id


# ---------------------------------------------------------------- positions
# Where an activeflow stands, from the few words of somebody who tells about it.


def step_of(flow: Flow | None, at: str | Step) -> Step:
    """A step as given; for a word the flow's own action of that type when it has one, else a new step."""
    if isinstance(at, Step):
        return at
    own = flow.actions if flow else ()
    return next((step for step in own if step.type == at), None) or Step(at)


def position(
    flow: Flow | None, at: str | Step | None, executed: Sequence[str | Step] | None
) -> tuple[Step, list[Step]]:
    """The current action and the executed ones (start marker included), as `World.rings` explains."""
    own = flow.actions if flow else ()
    if at is None:
        current = next((step for step in own if usual_seconds(step)), own[0] if own else START)
    else:
        current = step_of(flow, at)
    if executed is None:
        before = list(own[: own.index(current)]) if current in own else []
    else:
        before = [step_of(flow, step) for step in executed]
    return current, [] if current is START and not before else [START, *before]


def frames_at(flow: Flow | None, current: Step) -> list[Frame]:
    """The stack of an activeflow that stands at one of its flow's own actions (or before the first)."""
    own = flow.actions if flow else ()
    return [Frame(own, own.index(current) if current in own else -1)]
