"""Find the action that encloses the current one: a queue, a connect, an AI talk, a fetched flow, or none.

VoIPBIN keeps a stack (a queue pushes its wait flow, a connect pushes a bridge …) but does not show it, so it is read
back from the executed actions. Decisions:

- An action that the flow's own definition knows is on the main stack: everything opened before it has been left. The
  definition may have been edited since the activeflow took its copy; it is believed only while everything up to the
  first opener is still in it.
- An action seen before is where it was seen: wait flows keep the ids of their actions from lap to lap.
- The bridge of a connect or an AI talk follows its opener at once, else the opener was skipped; a queue's or a
  conference's bridge ends that opener's business when it has been passed.
- What remains is likely, not certain, and ``certain`` says so.

https://api.voipbin.net/docs/queue_overview.html
"""

from dataclasses import dataclass, field
from typing import Final

from bot.activeflows.model import FINISH_ID, START_ID, Action, Activeflow, Flow

BRIDGE: Final = "confbridge_join"
_CLOSERS: Final = {
    "queue_join": {BRIDGE},
    "conference_join": {BRIDGE},
    "connect": {BRIDGE},
    "ai_talk": {BRIDGE, "block"},
    "ai_task": {"block"},
    "fetch": set[str](),
    "fetch_flow": set[str](),
}
"""The action types that push a stack, and what inside them marks that they have come to their point."""
_AT_ONCE: Final = {"connect", "ai_talk", "ai_task"}
_MARKERS: Final = {START_ID.int, FINISH_ID.int}  # whole numbers compare several times faster than UUIDs: this runs
# over every step of every activeflow in a list


@dataclass(slots=True)
class Opened:
    """One thing the activeflow is inside of."""

    opener: Action
    laps: int = 0
    """How often a queue's waiting has begun, the present one included."""
    closed: bool = False
    """Its bridge (or block) has been reached."""
    first: int | None = None
    """The id of the action a queue's laps begin with, as a number."""
    steps: int = 0
    """Steps done in here, the current one included."""
    seen: set[int] = field(default_factory=set)
    lap_began: int = 0
    steps_a_lap: int = 0
    """How many steps the last complete lap took; 0 before the second."""

    def note(self, action: Action) -> None:
        """Count this action as done in here."""
        self.steps += 1
        self.seen.add(action.id.int)
        self.closed = action.type in _CLOSERS[self.opener.type]
        if self.opener.type != "queue_join" or self.closed:
            return
        self.first = self.first or action.id.int
        if action.id.int == self.first:
            self.steps_a_lap = self.steps - self.lap_began if self.laps else 0
            self.lap_began, self.laps = self.steps, self.laps + 1


@dataclass(frozen=True, slots=True)
class Nesting:
    """What the current action is inside of, outermost first; empty on the main stack."""

    opened: tuple[Opened, ...]
    certain: bool

    def innermost(self, *types: str) -> Opened | None:
        """The nearest of these openers."""
        return next((o for o in reversed(self.opened) if o.opener.type in types), None)


def nesting(activeflow: Activeflow, flow: Flow | None = None) -> Nesting:
    """Read the hidden stack back. Believes ``flow`` only as far as it fits; never raises."""
    walk = _Walk(_own_actions(activeflow, flow))
    for action in activeflow.executed:
        if action.id.int not in _MARKERS:
            walk.reach(action)
            walk.open(action)
    if activeflow.current.id.int not in _MARKERS:
        walk.reach(activeflow.current)
    return Nesting(tuple(walk.opened), walk.certain)


def _own_actions(activeflow: Activeflow, flow: Flow | None) -> frozenset[int]:
    """The ids of the flow's own actions as numbers, or none when the definition is missing or no longer fits."""
    if flow is None or flow.id != activeflow.flow_id:
        return frozenset()
    own = frozenset(action_id.int for action_id in flow.action_ids)
    for action in activeflow.executed:
        if action.id.int not in own and action.id.int not in _MARKERS:
            return frozenset()
        if action.type in _CLOSERS:
            break
    return own


class _Walk:
    def __init__(self, own: frozenset[int]) -> None:
        self.own = own
        self.opened: list[Opened] = []
        self.certain = True
        self._main: set[int] = set()
        self._previous: Action | None = None

    def reach(self, action: Action) -> None:
        """Place one action: leave what it shows to be over."""
        if self.opened and (self.opened[-1].closed or self._skipped(action)):
            self.opened.pop()
        if action.id.int in self.own:
            self.opened.clear()
            self.certain = True
        elif (depth := self._depth_seen(action.id.int)) is not None:
            del self.opened[depth:]
            self.certain = True
        else:
            self._place_new(action)
        self._note(action)

    def open(self, action: Action) -> None:
        """Push what this action opens; a queue's own way into its wait flow is part of the queue."""
        top = self.opened[-1] if self.opened else None
        waits = top is not None and top.opener.type == "queue_join" and top.first == action.id.int
        if action.type in _CLOSERS and not waits:
            self.opened.append(Opened(action))

    def _skipped(self, action: Action) -> bool:
        opener = self.opened[-1].opener
        return opener.type in _AT_ONCE and action.type not in _CLOSERS[opener.type]

    def _depth_seen(self, action_id: int) -> int | None:
        """How many openers stay open around an action seen before; ``None`` when it is new."""
        for depth in range(len(self.opened), 0, -1):
            if action_id in self.opened[depth - 1].seen:
                return depth
        return 0 if action_id in self._main else None

    def _place_new(self, action: Action) -> None:
        follows = bool(self.opened) and self._previous is self.opened[-1].opener
        belongs = next((d for d in range(len(self.opened), 0, -1) if self._points_to(action, d - 1)), None)
        natural = follows and action.type == "fetch_flow"
        if belongs is not None:
            del self.opened[belongs:]
            natural = follows or action.type == "empty"  # only queues use it
        self.certain = not self.opened or bool(self.own) or natural

    def _points_to(self, action: Action, index: int) -> bool:
        opened = self.opened[index]
        loop = action.type == "empty" and opened.opener.type == "queue_join"
        return loop or action.type in _CLOSERS[opened.opener.type]

    def _note(self, action: Action) -> None:
        self._previous = action
        if not self.opened:
            self._main.add(action.id.int)
            return
        self.opened[-1].note(action)
