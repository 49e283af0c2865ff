"""Allow which of an action's options may enter this program, per action type.

VoIPBIN shows options after variable substitution: phone numbers, texts, e-mail bodies, signed URLs and payloads in
clear (https://api.voipbin.net/docs/flow_struct_action.html). So only what is named here survives: ids, counts instead
of lists, durations, languages, keys, and the bare host where an address says who is being asked.

Decisions: an unknown action type keeps nothing. Words are short, without blanks, and never hold five digits in a row,
because a variable may have put a number there. A case's ``name`` is free text after substitution, so it stays out.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

Shown: TypeAlias = str | int | bool
Reader: TypeAlias = Callable[[object], Shown | None]

_WORD: Final = re.compile(r"(?!.*\d{5})[A-Za-z0-9_.#*=<>!-]{1,64}")
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_LARGEST: Final = 2**53


def _id(value: object) -> str | None:
    try:
        found = UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return str(found) if found is not None and found.int else None


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if -_LARGEST < value < _LARGEST else None  # NaN and infinities fall out here too


def _yes_or_no(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: object) -> int | None:
    return len(value) if isinstance(value, list | dict | str) else None  # `target_ids` is an object, `digits` a string


def _host(value: object) -> str | None:
    try:
        host = urlsplit(value).hostname if isinstance(value, str) else None
    except ValueError:
        return None
    return host if host and _HOST.fullmatch(host) else None


def _numbers(value: object) -> str | None:
    numbers = [_number(each) for each in value[:7]] if isinstance(value, list) else []
    return (
        ",".join(str(n) for n in numbers) if numbers and all(n is not None and 0 <= n < 100 for n in numbers) else None
    )


def _kinds(value: object) -> str | None:
    """The kinds of the addresses (``tel``, ``agent``, …) in order, each once, never the addresses."""
    kinds = [_word(each.get("type")) for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    return ",".join(dict.fromkeys(kind for kind in kinds if kind)) or None


_ASSISTANCE: Final[Mapping[str, Reader]] = {"assistance_type": _word, "assistance_id": _id}

ALLOWED: Final[Mapping[str, Mapping[str, Reader]]] = {
    "amd": {"machine_handle": _word, "async": _yes_or_no},
    "ai_summary": {"reference_type": _word, "language": _word},
    "ai_talk": {**_ASSISTANCE, "ai_id": _id, "duration": _number},
    "ai_task": _ASSISTANCE,
    "branch": {"variable": _word, "target_ids": _count},
    "call": {"destinations": _count, "chained": _yes_or_no},
    "condition_call_digits": {"length": _number, "key": _word},
    "condition_call_status": {"status": _word},
    "condition_datetime": {"condition": _word, "hour": _number, "weekdays": _numbers},
    "condition_variable": {"condition": _word, "value_type": _word},
    "confbridge_join": {"confbridge_id": _id},
    "conference_join": {"conference_id": _id},
    "connect": {"destinations": _count, "early_media": _yes_or_no},
    "digits_receive": {"length": _number, "key": _word, "duration": _number},
    "digits_send": {"digits": _count},
    "echo": {"duration": _number},
    "email_send": {"destinations": _count},
    "fetch": {"event_url": _host},
    "fetch_flow": {"flow_id": _id},
    "goto": {"loop_count": _number},
    "hangup": {"reason": _word},
    "message_send": {"destinations": _count},
    "play": {"stream_urls": _count},
    "queue_join": {"queue_id": _id},
    "recording_start": {"format": _word, "duration": _number},
    "sleep": {"duration": _number},
    "stream_echo": {"duration": _number},
    "talk": {"language": _word, "async": _yes_or_no},
    "transcribe_recording": {"language": _word},
    "transcribe_start": {"language": _word},
    "variable_set": {"key": _word},
    "webhook_send": {"uri": _host, "method": _word, "sync": _yes_or_no},
}
"""Action type → option field → how much of it survives. Types that are not here keep nothing."""

_RENAMED: Final = {"event_url": "host", "uri": "host"}


def showable(action_type: str, option: Mapping[str, Any] | None) -> dict[str, Shown]:
    """The part of an action's ``option`` that may be shown to a person, under VoIPBIN's own field names.

    Lists become their length; ``event_url`` and ``uri`` become ``host``; ``connect`` also says the kinds of its
    destinations as ``destination_types`` (``tel,agent``).
    """
    allowed = ALLOWED.get(action_type)
    if not option or not allowed:
        return {}
    shown = {
        _RENAMED.get(name, name): kept
        for name, value in option.items()
        if (reader := allowed.get(name)) and (kept := reader(value)) is not None
    }
    if action_type == "connect" and (kinds := _kinds(option.get("destinations"))):
        shown["destination_types"] = kinds
    return shown
