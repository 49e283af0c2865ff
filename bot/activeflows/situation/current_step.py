"""Say what an activeflow is doing now, in one line that is true.

The current action alone misleads: somebody hearing music may be waiting in a queue. So the line is drawn from what
the current action is inside of (``actions``). Decisions:

- Where VoIPBIN does not show enough, the line says "probably" instead of guessing silently.
- VoIPBIN moves a caller to the bridge when it starts to ring the agent or the other party, before anybody answers:
  the line says "put through to", which is true either way, and never "talking to".
- An ended activeflow keeps its interrupted action whether it was stopped or the caller hung up; the line says "ended
  while …" and blames nobody.
"""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from bot.activeflows.index import MOST, VersionCache
from bot.activeflows.model import FINISH_ID, START_ID, STEP_BUDGET, Action, Activeflow, Flow, Status, number_of
from bot.activeflows.situation.actions import (
    BRIDGE,
    WORDS,
    EnclosingAction,
    NameOf,
    Nesting,
    doing,
    named,
    nesting,
    option_id,
    ordinal,
    raw_type,
    step,
)

# ---------------------------------------------------------------- loops
# Count how often a flow has come by the same step, and fold repeated steps.

SAID_FROM: Final = 3
"""Coming by twice is a menu said again; the third time is worth telling."""
_SILENT: Final = {"goto", "empty", ""}
_LONGEST: Final = 12
"""Steps in the longest circle that is looked for."""


def main_laps(activeflow: Activeflow) -> str:
    """Say ", 9th time round: text → keypad input" when the current step has come by at least twice before; else
    nothing.
    """
    lap = last_lap(activeflow)
    if not lap:
        return ""
    circle = circle_words(lap)
    return f", {ordinal(times_here(activeflow))} time round" + (f": {circle}" if circle else "")


def last_lap(activeflow: Activeflow) -> Sequence[Action]:
    """Return the steps since it was here last, that time included, when laps are told of; else none."""
    if times_here(activeflow) < SAID_FROM:
        return ()
    here, executed = activeflow.current.id.int, activeflow.executed
    last = next(index for index in range(len(executed) - 1, -1, -1) if executed[index].id.int == here)
    return executed[last:]


def times_here(activeflow: Activeflow) -> int:
    """Return how often it has come by the current step, the present time included; 0 at a marker."""
    if not activeflow.current.type:
        return 0
    return 1 + [action.id.int for action in activeflow.executed].count(activeflow.current.id.int)


def circle_words(actions: Sequence[Action]) -> str:
    """Return the steps of one lap: "text → keypad input → menu choice"; at most four, jumps left out."""
    steps = [step(action) for action in actions if action.type not in _SILENT]
    distinct = [name for index, name in enumerate(steps) if index == 0 or name != steps[index - 1]]
    return " → ".join(distinct[:4] + ["…"] * (len(distinct) > 4))


def folded(keys: Sequence[Hashable]) -> list[tuple[int, int, int]]:
    """Fold repetitions: ``abababc`` becomes ``[(0, 2, 3), (6, 1, 1)]``, each (first index, length, times).

    At each place the fold that covers most wins, the shortest of these first. Times × lengths add up to the whole.
    """
    found = []
    index = 0
    while index < len(keys):
        length, times = max(
            ((size, _times(keys, index, size)) for size in range(1, _LONGEST + 1)),
            key=lambda fold: (fold[0] * fold[1] if fold[1] > 1 else 0, -fold[0]),
        )
        found.append((index, length, times))
        index += length * times
    return found


def _times(keys: Sequence[Hashable], start: int, size: int) -> int:
    block = keys[start : start + size]
    times = 1
    while keys[start + times * size : start + (times + 1) * size] == block:
        times += 1
    return times


# ---------------------------------------------------------------- current step

WARN_FROM: Final = STEP_BUDGET * 4 // 5
"""Steps used from which the budget is worth a warning."""
_NOTHING: Final = Action(START_ID)
"""Stands where nothing has been opened."""
_PLAIN_KINDS: Final = {
    "digits_receive": "digits",
    "talk": "talk",
    "play": "play",
    "sleep": "sleep",
    "echo": "echo",
    "stream_echo": "echo",
    BRIDGE: "bridge",
    "block": "block",
}


_KIND_WORDS: Final = {
    "ai.chat": "chatting with an AI",
    "ai.talk": "talking to an AI",
    "ai.task": "waiting for an AI task",
    "conference": "being in a conference",
    "conference.joining": "joining a conference",
    "connected": "being put through to another party",
    "ended": "having ended",
    "ended.by_itself": "having ended by itself",
    "finishing": "being at its end",
    "queue.agent": "being put through to an agent",
    "queue.waiting": "waiting in a queue",
    "starting": "not having started",
    "unknown": "a step without a name",
    **{kind: WORDS[type_].doing for type_, kind in _PLAIN_KINDS.items()},
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What is going on, for people (``words``, ``warning``) and for comparison (``kind``)."""

    kind: str
    """Stable machine word; a stop is bound to it. Progress within a situation keeps it ("queue.waiting")."""
    words: str
    """Plain text without markup: "waiting in queue Support, 3rd time round"."""
    action: str
    """VoIPBIN's type of the current action; empty at the start and finish markers, and when it is not a plain word."""
    openers: tuple[str, ...] = ()
    """The types of the actions it is inside of, outermost first."""
    warning: str = ""
    """Said when VoIPBIN is about to end it for having used too many steps."""
    certain: bool = True
    """False when the words say "probably"."""


@dataclass(frozen=True, slots=True)
class _Description:
    kind: str
    words: str
    inside: bool = False
    """It rests on what the action is inside of, so it is only as certain as that."""


KINDS: Final = tuple(_KIND_WORDS)
"""All kinds but those of an action that has none of its own (``action.`` and its type)."""


def kind_words(kind: str) -> str:
    """Return what a kind of situation is called in a sentence, where nothing but the kind was kept."""
    type_ = kind.removeprefix("action.")
    return _KIND_WORDS.get(kind) or (WORDS[type_].doing if type_ in WORDS else f"“{type_}”")


def row_words(kind: str) -> str:
    """Return what a kind of situation is called in a list that counts, in the words of its rows."""
    if kind == "starting":
        return "created, no step yet"
    type_ = kind.removeprefix("action.")
    return kind_words(kind).removeprefix("being ") if kind in _KIND_WORDS or type_ in WORDS else type_


def unnamed(_: UUID) -> str | None:
    """Know no names."""
    return None


def situation(activeflow: Activeflow, *, flow: Flow | None = None, name_of: NameOf = unnamed) -> Situation:
    """Say what this activeflow is doing.

    ``flow`` is its definition if known (it turns "probably" into certainty); ``name_of`` names queues and flows
    without asking anybody. Never raises.
    """
    inside = nesting(activeflow, flow)
    seen = _marker(activeflow) or _inside(activeflow, inside, name_of) or _plain(activeflow, name_of)
    certain = inside.certain or not seen.inside
    words = seen.words if certain else f"probably {seen.words}"
    if activeflow.ended and activeflow.current.id not in {START_ID, FINISH_ID}:
        words = f"ended while {words}" if certain else f"ended, {words.replace('probably ', 'probably while ', 1)}"
    if activeflow.status is Status.UNKNOWN:
        words += ", status unknown"
    return Situation(
        kind="ended" if activeflow.ended and not activeflow.ended_by_itself else seen.kind,
        words=words,
        action=raw_type(activeflow.current),
        openers=tuple(o.opener.type for o in inside.opened),
        warning=_warning(activeflow, inside),
        certain=certain,
    )


def queues_named(activeflow: Activeflow, *, flow: Flow | None = None) -> tuple[UUID, ...]:
    """Return the queues whose names would make the words better, for the caller to look up."""
    if not any(action.type == "queue_join" for action in (*activeflow.executed, activeflow.current)):
        return ()  # what it is inside of has been executed
    actions = [o.opener for o in nesting(activeflow, flow).opened] + [activeflow.current]
    ids = (option_id(action, "queue_id") for action in actions if action.type == "queue_join")
    return tuple(dict.fromkeys(found for found in ids if found is not None))


def _marker(activeflow: Activeflow) -> _Description | None:
    """Say what a marker means. https://api.voipbin.net/docs/activeflow_overview.html: `running` is written before
    anything is executed.
    """
    if activeflow.current.id == FINISH_ID:
        if activeflow.ended:
            return _Description("ended.by_itself", "ended by itself")
        return _Description("finishing", "at its end, not reported as ended yet")
    if activeflow.current.id != START_ID:
        return None
    if activeflow.ended:
        return _Description("ended", "ended before its first step")
    ringing = ", the call could still be ringing" if activeflow.reference.is_call else ""
    return _Description("starting", f"created, no step yet{ringing}")


def _inside(activeflow: Activeflow, inside: Nesting, name_of: NameOf) -> _Description | None:
    """Return what only the enclosing openers tell."""
    current = activeflow.current.type
    opened = inside.innermost("queue_join", "connect", "ai_talk", "ai_task", "conference_join") or EnclosingAction(
        _NOTHING
    )
    queue = inside.innermost("queue_join")
    match opened.opener.type, current:
        case "queue_join", "confbridge_join":
            return _Description("queue.agent", f"put through to an agent from {_queue(opened, name_of)}", inside=True)
        case "connect", "confbridge_join":
            return _Description("connected", "put through to another party", inside=True)
        case "conference_join", "confbridge_join":
            return _Description("conference", "in a conference", inside=True)
        case "ai_talk", "confbridge_join":
            meanwhile = f", waiting in {_queue(queue, name_of)}" if queue is not None else ""
            return _Description("ai.talk", f"talking to {_ai(opened)}{meanwhile}", inside=True)
        case "ai_talk", "block":
            return _Description("ai.chat", f"chatting with {_ai(opened)}", inside=True)
        case "ai_task", "block":
            return _Description("ai.task", "waiting for an AI task", inside=True)
        case "conference_join", _:
            return _Description("conference.joining", "joining a conference", inside=True)
        case "queue_join", _:
            lap = f", {ordinal(opened.laps)} time round" if opened.laps > 1 else ""
            return _Description("queue.waiting", f"waiting in {_queue(opened, name_of)}{lap}", inside=True)
        case _:
            return None


def _plain(activeflow: Activeflow, name_of: NameOf) -> _Description:
    """Return what the current action says by itself."""
    action = activeflow.current
    if not action.type:
        return _Description("unknown", "at a step without a name")
    words = doing(action, name_of) + main_laps(activeflow)
    match action.type:
        case "queue_join":
            return _Description("queue.waiting", words)
        case "connect":
            return _Description("connected", words)
        case "conference_join":
            return _Description("conference.joining", words)
        case "ai_talk":
            return _Description("ai.talk" if activeflow.reference.is_call else "ai.chat", words)
        case "ai_task":
            return _Description("ai.task", words)
        case _:
            return _Description(_PLAIN_KINDS.get(action.type) or f"action.{raw_type(action) or 'unknown'}", words)


def _queue(opened: EnclosingAction, name_of: NameOf) -> str:
    found = option_id(opened.opener, "queue_id")
    name = named(name_of(found)) if found is not None else ""
    return f"queue {name}" if name else "a queue"


def _ai(opened: EnclosingAction) -> str:
    return "an AI team" if opened.opener.option.get("assistance_type") == "team" else "an AI"


def _warning(activeflow: Activeflow, inside: Nesting) -> str:
    """Warn of few steps left: VoIPBIN refuses the move after the budget is used and ends the activeflow."""
    if activeflow.ended or activeflow.steps_used < WARN_FROM:
        return ""
    used = min(activeflow.steps_used, STEP_BUDGET)
    return f"{used} of {STEP_BUDGET} steps used, VoIPBIN will end it{_soon(used, inside)}"


def _soon(used: int, inside: Nesting) -> str:
    queue = inside.innermost("queue_join")
    if queue is None or queue.closed or not inside.certain or not queue.steps_a_lap:
        return ""
    laps = (STEP_BUDGET - used) // queue.steps_a_lap
    return f" after about {laps} more times round" if laps > 1 else " within the next time round or two"


# ---------------------------------------------------------------- cache
# Cache what each of many activeflows is doing, worked out once for every version of it.
#
# Filtering thousands by what they do would otherwise work it all out again for every page that is turned. Promises: the
# same as ``situation`` without names; others on the event loop get their turn; what is remembered is bounded, and a
# small part of what runs does not push out the rest.

_BREATH: Final = 20
"""Situations worked out before others on the event loop get their turn."""


@dataclass(slots=True, eq=False)
class _CachedSituation:
    activeflow: Activeflow
    flow_number: int
    flow: Flow | None
    doing: Situation


class SituationPool:
    """One object for all situations that are alike: thousands are in a few hundred, which are looked through sooner."""

    def __init__(self) -> None:
        self._alike: dict[Situation, Situation] = {}

    def same(self, doing: Situation) -> Situation:
        """Return the one object for it."""
        if len(self._alike) >= MOST:
            self._alike.clear()
        return self._alike.setdefault(doing, doing)


class SituationCache:
    """Situations by activeflow."""

    def __init__(self) -> None:
        self._versions = VersionCache[_CachedSituation]()
        self._pool = SituationPool()

    async def of(self, activeflows: Sequence[Activeflow], flows: Mapping[UUID, Flow | None]) -> list[Situation]:
        """Return the situation of each, in the same order; ``flows``: their definitions by id, as far as they are
        known.
        """
        definitions = {number_of(id_): flow for id_, flow in flows.items()}
        known = self._versions.of(activeflows)
        defined = definitions.get
        changed = [n for n, one in enumerate(known) if one is None or one.flow is not defined(one.flow_number)]
        for worked, number in enumerate(changed, 1):
            known[number] = self._kept(activeflows[number], known[number], definitions)
            if worked % _BREATH == 0:
                await asyncio.sleep(0)
        found = cast("list[_CachedSituation]", known)
        if changed:
            self._versions.forget_others(found)
        return [one.doing for one in found]

    def _kept(
        self, activeflow: Activeflow, known: _CachedSituation | None, definitions: Mapping[int, Flow | None]
    ) -> _CachedSituation:
        number = number_of(activeflow.flow_id)
        flow = definitions.get(number)
        if known is not None and known.flow == flow:  # read again, and the same
            known.flow = flow
            return known
        one = _CachedSituation(activeflow, number, flow, self._pool.same(situation(activeflow, flow=flow)))
        self._versions.keep(one)
        return one
