"""Name each action as people do, say what of it may be shown, and find the action that encloses the current one."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from bot.activeflows.model import FINISH_ID, START_ID, Action, Activeflow, Flow, in_words

# ---------------------------------------------------------------- action words
# Name each action type as people do, and say which of its options may be shown.
#
# An option is said only when its key is listed for its type below and its value has the expected form (a whole number,
# a language tag, a keypad key): whatever else VoIPBIN puts there stays unsaid, so no text, number or address can slip
# through. The types: https://api.voipbin.net/docs/flow_struct_action.html

NameOf = Callable[[UUID], str | None]
"""The name of a queue or flow by its id, when it is known already; ``None`` when it is not."""

NAME_LIMIT: Final = 60
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}", re.ASCII)
_KEY: Final = re.compile(r"[0-9*#A-D]{1,4}", re.ASCII)
_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", re.ASCII)
_REASONS: Final = {
    "normal": "normally",
    "busy": "as busy",
    "failed": "as failed",
    "cancel": "as cancelled",
    "timeout": "as timed out",
    "noanswer": "as not answered",
    "amd": "on an answering machine",
}


class ActionWords(NamedTuple):
    """One action type: what is going on ("playing audio"), and the step as a thing ("audio")."""

    doing: str
    step: str


WORDS: Final[Mapping[str, ActionWords]] = {
    "ai_summary": ActionWords("writing an AI summary", "AI summary"),
    "ai_talk": ActionWords("starting a talk with an AI", "AI talk"),
    "ai_task": ActionWords("handing over to an AI task", "AI task"),
    "amd": ActionWords("listening for an answering machine", "answering machine check"),
    "answer": ActionWords("answering the call", "answer"),
    "beep": ActionWords("playing a beep", "beep"),
    "block": ActionWords("waiting to be resumed", "wait for AI"),
    "branch": ActionWords("choosing a branch", "menu choice"),
    "call": ActionWords("placing a separate call", "separate call"),
    "case_create": ActionWords("opening a case", "case"),
    "condition_call_digits": ActionWords("checking the keypad input", "keypad check"),
    "condition_call_status": ActionWords("checking the call", "call check"),
    "condition_datetime": ActionWords("checking the time", "time check"),
    "condition_variable": ActionWords("checking a variable", "variable check"),
    "confbridge_join": ActionWords("talking in a bridge", "bridge"),
    "conference_join": ActionWords("joining a conference", "conference"),
    "connect": ActionWords("dialling another party", "connect"),
    "conversation_send": ActionWords("sending a chat message", "chat message"),
    "digits_receive": ActionWords("waiting for keypad input", "keypad input"),
    "digits_send": ActionWords("sending tones", "tones"),
    "echo": ActionWords("running an echo test", "echo test"),
    "email_send": ActionWords("sending an e-mail", "e-mail"),
    "empty": ActionWords("passing an empty step", "empty step"),
    "external_media_start": ActionWords("starting to stream audio out", "audio stream on"),
    "external_media_stop": ActionWords("stopping the audio stream", "audio stream off"),
    "fetch": ActionWords("fetching further steps", "fetched steps"),
    "fetch_flow": ActionWords("entering another flow", "other flow"),
    "goto": ActionWords("jumping to another step", "jump"),
    "hangup": ActionWords("hanging up", "hang-up"),
    "message_send": ActionWords("sending an SMS", "SMS"),
    "mute": ActionWords("muting", "mute"),
    "play": ActionWords("playing audio", "audio"),
    "queue_join": ActionWords("entering a queue", "queue"),
    "recording_start": ActionWords("starting a recording", "recording on"),
    "recording_stop": ActionWords("stopping the recording", "recording off"),
    "sleep": ActionWords("pausing", "pause"),
    "stop": ActionWords("ending the flow", "end"),
    "stream_echo": ActionWords("running an echo test", "echo test"),
    "talk": ActionWords("speaking a text", "text"),
    "transcribe_recording": ActionWords("transcribing recordings", "transcript"),
    "transcribe_start": ActionWords("starting live transcription", "transcription on"),
    "transcribe_stop": ActionWords("stopping live transcription", "transcription off"),
    "variable_set": ActionWords("setting a variable", "variable"),
    "webhook_send": ActionWords("calling a webhook", "webhook"),
}


def doing(action: Action, name_of: NameOf) -> str:
    """Return what this step does, with what may be said of its options: "waiting for keypad input, up to 6 digits, #
    ends".
    """
    word = WORDS.get(action.type)
    if word is None:
        return f"unknown step {raw_type(action)}".rstrip()
    return word.doing + _details(action) if action.type not in _NAMED else _with_name(action, word, name_of)


def step(action: Action) -> str:
    """Return the step as a thing, for lists of steps: "keypad input"; an unknown type is its raw name."""
    word = WORDS.get(action.type)
    return word.step if word is not None else raw_type(action) or "a step without a name"


def raw_type(action: Action) -> str:
    """Return VoIPBIN's own word for an unknown type, when it looks like one; else empty."""
    return action.type if _TYPE.fullmatch(action.type) else ""


def named(name: str | None) -> str:
    """Return a queue's or flow's name on one line, at most 60 characters; empty when there is none."""
    one_line = " ".join("".join(c if c.isprintable() else " " for c in name or "").split())
    return one_line if len(one_line) <= NAME_LIMIT else one_line[: NAME_LIMIT - 1].rstrip() + "…"


def ordinal(number: int) -> str:
    """Write 1st, 2nd, 3rd, 4th, 11th, 21st …"""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def option_id(action: Action, key: str) -> UUID | None:
    """Return an id among the options; ``None`` when it is absent, zero or not an id."""
    value = action.option.get(key)
    try:
        found = UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.int else None


def whole(action: Action, key: str) -> int | None:
    """Return a positive whole number among the options, of a size that makes sense."""
    value = action.option.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 10**9 else None


_NAMED: Final = {"queue_join": ("queue_id", "entering queue "), "fetch_flow": ("flow_id", "entering flow ")}


def _with_name(action: Action, word: ActionWords, name_of: NameOf) -> str:
    key, before = _NAMED[action.type]
    found = option_id(action, key)
    name = named(name_of(found)) if found is not None else ""
    return before + name if name else word.doing


def _details(action: Action) -> str:
    match action.type:
        case "digits_receive":
            return _digits(action)
        case "sleep":
            return _time(action, " for {}")
        case "echo" | "stream_echo":
            return _time(action, ", up to {}")
        case "talk" | "transcribe_start" | "transcribe_recording" | "ai_summary":
            return _language(action)
        case "hangup":
            reason = _REASONS.get(str(action.option.get("reason", "")))
            return f" {reason}" if reason else ""
        case "call" | "connect" | "email_send" | "message_send":
            count = whole(action, "destinations") or 0
            return f" ({count} destinations)" if count > 1 else ""
        case _:
            return ""


def _digits(action: Action) -> str:
    length, key = whole(action, "length"), action.option.get("key")
    most = f", up to {length} digit{'s' if length != 1 else ''}" if length is not None else ""
    return most + (f", {key} ends" if isinstance(key, str) and _KEY.fullmatch(key) else "")


def _time(action: Action, around: str) -> str:
    """Say how long: ``duration`` is in milliseconds for these types."""
    duration = whole(action, "duration")
    return around.format(in_words(timedelta(milliseconds=duration))) if duration is not None else ""


def _language(action: Action) -> str:
    language = action.option.get("language")
    return f" ({language})" if isinstance(language, str) and _LANGUAGE.fullmatch(language) else ""


# ---------------------------------------------------------------- enclosing action
# Find the action that encloses the current one: a queue, a connect, an AI talk, a fetched flow, or none.
#
# VoIPBIN keeps a stack (a queue pushes its wait flow, a connect pushes a bridge …) but does not show it, so it is read
# back from the executed actions. Decisions:
#
# - An action that the flow's own definition knows is on the main stack: everything opened before it has been left. The
#   definition may have been edited since the activeflow took its copy; it is believed only while everything up to the
#   first opener is still in it.
# - An action seen before is where it was seen: wait flows keep the ids of their actions from lap to lap.
# - The bridge of a connect or an AI talk follows its opener at once, else the opener was skipped; a queue's or a
#   conference's bridge ends that opener's business when it has been passed.
# - What remains is likely, not certain, and ``certain`` says so.
#
# https://api.voipbin.net/docs/queue_overview.html

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
class EnclosingAction:
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

    opened: tuple[EnclosingAction, ...]
    certain: bool

    def innermost(self, *types: str) -> EnclosingAction | None:
        """Return the nearest of these openers."""
        return next((o for o in reversed(self.opened) if o.opener.type in types), None)


def nesting(activeflow: Activeflow, flow: Flow | None = None) -> Nesting:
    """Read the hidden stack back. Believes ``flow`` only as far as it fits; never raises."""
    walk = _NestingWalk(_own_actions(activeflow, flow))
    for action in activeflow.executed:
        if action.id.int not in _MARKERS:
            walk.reach(action)
            walk.open(action)
    if activeflow.current.id.int not in _MARKERS:
        walk.reach(activeflow.current)
    return Nesting(tuple(walk.opened), walk.certain)


def _own_actions(activeflow: Activeflow, flow: Flow | None) -> frozenset[int]:
    """Return the ids of the flow's own actions as numbers, or none when the definition is missing or no longer fits."""
    if flow is None or flow.id != activeflow.flow_id:
        return frozenset()
    own = frozenset(action_id.int for action_id in flow.action_ids)
    for action in activeflow.executed:
        if action.id.int not in own and action.id.int not in _MARKERS:
            return frozenset()
        if action.type in _CLOSERS:
            break
    return own


class _NestingWalk:
    def __init__(self, own: frozenset[int]) -> None:
        self.own = own
        self.opened: list[EnclosingAction] = []
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
            self.opened.append(EnclosingAction(action))

    def _skipped(self, action: Action) -> bool:
        opener = self.opened[-1].opener
        return opener.type in _AT_ONCE and action.type not in _CLOSERS[opener.type]

    def _depth_seen(self, action_id: int) -> int | None:
        """Return how many openers stay open around an action seen before; ``None`` when it is new."""
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
