"""Say what an activeflow is doing now, in one line that is true.

The current action alone misleads: somebody hearing music may be waiting in a queue. So the line is drawn from what
the current action is inside of (``enclosing_action``). Decisions:

- Where VoIPBIN does not show enough, the line says "probably" instead of guessing silently.
- VoIPBIN moves a caller to the bridge when it starts to ring the agent or the other party, before anybody answers:
  the line says "put through to", which is true either way, and never "talking to".
- An ended activeflow keeps its interrupted action whether it was stopped or the caller hung up; the line says "ended
  while …" and blames nobody.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bot.activeflows.model import FINISH_ID, START_ID, STEP_BUDGET, Action, Activeflow, Flow, Status
from bot.activeflows.situation.action_words import WORDS, NameOf, doing, named, option_id, ordinal, raw_type
from bot.activeflows.situation.enclosing_action import BRIDGE, Nesting, Opened, nesting
from bot.activeflows.situation.loops import main_laps

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
class _Seen:
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
    """Knows no names."""
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
    """The queues whose names would make the words better, for the caller to look up."""
    actions = [o.opener for o in nesting(activeflow, flow).opened] + [activeflow.current]
    ids = (option_id(action, "queue_id") for action in actions if action.type == "queue_join")
    return tuple(dict.fromkeys(found for found in ids if found is not None))


def _marker(activeflow: Activeflow) -> _Seen | None:
    """https://api.voipbin.net/docs/activeflow_overview.html: `running` is written before anything is executed."""
    if activeflow.current.id == FINISH_ID:
        if activeflow.ended:
            return _Seen("ended.by_itself", "ended by itself")
        return _Seen("finishing", "at its end, not reported as ended yet")
    if activeflow.current.id != START_ID:
        return None
    if activeflow.ended:
        return _Seen("ended", "ended before its first step")
    ringing = ", the call could still be ringing" if activeflow.reference.is_call else ""
    return _Seen("starting", f"created, no step yet{ringing}")


def _inside(activeflow: Activeflow, inside: Nesting, name_of: NameOf) -> _Seen | None:
    """What only the enclosing openers tell."""
    current = activeflow.current.type
    opened = inside.innermost("queue_join", "connect", "ai_talk", "ai_task", "conference_join") or Opened(_NOTHING)
    queue = inside.innermost("queue_join")
    match opened.opener.type, current:
        case "queue_join", "confbridge_join":
            return _Seen("queue.agent", f"put through to an agent from {_queue(opened, name_of)}", inside=True)
        case "connect", "confbridge_join":
            return _Seen("connected", "put through to another party", inside=True)
        case "conference_join", "confbridge_join":
            return _Seen("conference", "in a conference", inside=True)
        case "ai_talk", "confbridge_join":
            meanwhile = f", waiting in {_queue(queue, name_of)}" if queue is not None else ""
            return _Seen("ai.talk", f"talking to {_ai(opened)}{meanwhile}", inside=True)
        case "ai_talk", "block":
            return _Seen("ai.chat", f"chatting with {_ai(opened)}", inside=True)
        case "ai_task", "block":
            return _Seen("ai.task", "waiting for an AI task", inside=True)
        case "conference_join", _:
            return _Seen("conference.joining", "joining a conference", inside=True)
        case "queue_join", _:
            lap = f", {ordinal(opened.laps)} time round" if opened.laps > 1 else ""
            return _Seen("queue.waiting", f"waiting in {_queue(opened, name_of)}{lap}", inside=True)
        case _:
            return None


def _plain(activeflow: Activeflow, name_of: NameOf) -> _Seen:
    """What the current action says by itself."""
    action = activeflow.current
    if not action.type:
        return _Seen("unknown", "at a step without a name")
    words = doing(action, name_of) + main_laps(activeflow)
    match action.type:
        case "queue_join":
            return _Seen("queue.waiting", words)
        case "connect":
            return _Seen("connected", words)
        case "conference_join":
            return _Seen("conference.joining", words)
        case "ai_talk":
            return _Seen("ai.talk" if activeflow.reference.is_call else "ai.chat", words)
        case "ai_task":
            return _Seen("ai.task", words)
        case _:
            return _Seen(_PLAIN_KINDS.get(action.type) or f"action.{raw_type(action) or 'unknown'}", words)


def _queue(opened: Opened, name_of: NameOf) -> str:
    found = option_id(opened.opener, "queue_id")
    name = named(name_of(found)) if found is not None else ""
    return f"queue {name}" if name else "a queue"


def _ai(opened: Opened) -> str:
    return "an AI team" if opened.opener.option.get("assistance_type") == "team" else "an AI"


def _warning(activeflow: Activeflow, inside: Nesting) -> str:
    """VoIPBIN refuses the move after the budget is used and ends the activeflow."""
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
