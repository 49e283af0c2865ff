"""Name each action type as people do, and say which of its options may be shown.

An option is said only when its key is listed for its type below and its value has the expected form (a whole number,
a language tag, a keypad key): whatever else VoIPBIN puts there stays unsaid, so no text, number or address can slip
through. The types: https://api.voipbin.net/docs/flow_struct_action.html
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from bot.activeflows.ages import in_words
from bot.activeflows.model import Action

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


class Word(NamedTuple):
    """One action type: what is going on ("playing audio"), and the step as a thing ("audio")."""

    doing: str
    step: str


WORDS: Final[Mapping[str, Word]] = {
    "ai_summary": Word("writing an AI summary", "AI summary"),
    "ai_talk": Word("starting a talk with an AI", "AI talk"),
    "ai_task": Word("handing over to an AI task", "AI task"),
    "amd": Word("listening for an answering machine", "answering machine check"),
    "answer": Word("answering the call", "answer"),
    "beep": Word("playing a beep", "beep"),
    "block": Word("waiting to be resumed", "wait for AI"),
    "branch": Word("choosing a branch", "menu choice"),
    "call": Word("placing a separate call", "separate call"),
    "case_create": Word("opening a case", "case"),
    "condition_call_digits": Word("checking the keypad input", "keypad check"),
    "condition_call_status": Word("checking the call", "call check"),
    "condition_datetime": Word("checking the time", "time check"),
    "condition_variable": Word("checking a variable", "variable check"),
    "confbridge_join": Word("talking in a bridge", "bridge"),
    "conference_join": Word("joining a conference", "conference"),
    "connect": Word("dialling another party", "connect"),
    "conversation_send": Word("sending a chat message", "chat message"),
    "digits_receive": Word("waiting for keypad input", "keypad input"),
    "digits_send": Word("sending tones", "tones"),
    "echo": Word("running an echo test", "echo test"),
    "email_send": Word("sending an e-mail", "e-mail"),
    "empty": Word("passing an empty step", "empty step"),
    "external_media_start": Word("starting to stream audio out", "audio stream on"),
    "external_media_stop": Word("stopping the audio stream", "audio stream off"),
    "fetch": Word("fetching further steps", "fetched steps"),
    "fetch_flow": Word("entering another flow", "other flow"),
    "goto": Word("jumping to another step", "jump"),
    "hangup": Word("hanging up", "hang-up"),
    "message_send": Word("sending an SMS", "SMS"),
    "mute": Word("muting", "mute"),
    "play": Word("playing audio", "audio"),
    "queue_join": Word("entering a queue", "queue"),
    "recording_start": Word("starting a recording", "recording on"),
    "recording_stop": Word("stopping the recording", "recording off"),
    "sleep": Word("pausing", "pause"),
    "stop": Word("ending the flow", "end"),
    "stream_echo": Word("running an echo test", "echo test"),
    "talk": Word("speaking a text", "text"),
    "transcribe_recording": Word("transcribing recordings", "transcript"),
    "transcribe_start": Word("starting live transcription", "transcription on"),
    "transcribe_stop": Word("stopping live transcription", "transcription off"),
    "variable_set": Word("setting a variable", "variable"),
    "webhook_send": Word("calling a webhook", "webhook"),
}


def doing(action: Action, name_of: NameOf) -> str:
    """What this step does, with what may be said of its options: "waiting for keypad input, up to 6 digits, # ends"."""
    word = WORDS.get(action.type)
    if word is None:
        return f"unknown step {raw_type(action)}".rstrip()
    return word.doing + _details(action) if action.type not in _NAMED else _with_name(action, word, name_of)


def step(action: Action) -> str:
    """The step as a thing, for lists of steps: "keypad input"; an unknown type is its raw name."""
    word = WORDS.get(action.type)
    return word.step if word is not None else raw_type(action) or "a step without a name"


def raw_type(action: Action) -> str:
    """VoIPBIN's own word for an unknown type, when it looks like one; else empty."""
    return action.type if _TYPE.fullmatch(action.type) else ""


def named(name: str | None) -> str:
    """A queue's or flow's name on one line, at most 60 characters; empty when there is none."""
    one_line = " ".join("".join(c if c.isprintable() else " " for c in name or "").split())
    return one_line if len(one_line) <= NAME_LIMIT else one_line[: NAME_LIMIT - 1].rstrip() + "…"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st …"""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def option_id(action: Action, key: str) -> UUID | None:
    """An id among the options; ``None`` when it is absent, zero or not an id."""
    value = action.option.get(key)
    try:
        found = UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.int else None


def whole(action: Action, key: str) -> int | None:
    """A positive whole number among the options, of a size that makes sense."""
    value = action.option.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 10**9 else None


_NAMED: Final = {"queue_join": ("queue_id", "entering queue "), "fetch_flow": ("flow_id", "entering flow ")}


def _with_name(action: Action, word: Word, name_of: NameOf) -> str:
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
    """``duration`` is in milliseconds for these types."""
    duration = whole(action, "duration")
    return around.format(in_words(timedelta(milliseconds=duration))) if duration is not None else ""


def _language(action: Action) -> str:
    language = action.option.get("language")
    return f" ({language})" if isinstance(language, str) and _LANGUAGE.fullmatch(language) else ""
