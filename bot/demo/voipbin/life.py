"""How a living activeflow moves through its steps with time.

Steps that only compute pass at once; steps that take time (talk, play, waiting for digits, a conversation in a bridge) stay
current for as long as their kind usually lasts, or for `Step.lasts` seconds. Steps of the wrong media class are skipped but
appear among the executed ones, and an on-complete child of a call gets stuck at its first media step, as upstream: no call
drives it (https://api.voipbin.net/docs/flow_struct_action.html).
"""

import random

from bot.demo.voipbin.action_types import WITH_A_CALL, WITHOUT_A_CALL, action_type
from bot.demo.voipbin.clock import Clock
from bot.demo.voipbin.records import Records
from bot.demo.voipbin.state import ZERO, Activeflow, Frame, Step
from bot.demo.voipbin.telephony import Telephony


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
