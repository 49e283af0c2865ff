"""Where an activeflow stands, from the few words of somebody who tells about it."""

from collections.abc import Sequence

from bot.demo.voipbin.life import usual_seconds
from bot.demo.voipbin.state import START, Flow, Frame, Step


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
