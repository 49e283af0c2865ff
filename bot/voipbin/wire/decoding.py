"""Decode JSON bytes into a shape: strictly and fast first, and when that fails field by field.

Promises: any bytes give the shape or ``Unreadable``. Forgiving means that a field of the wrong type reads as absent,
except the crucial ones, on which permissions and warnings hang: there it makes the whole object unreadable. Reading a
time never raises; what is no time is ``None``. The styles, by age of the deployment: ``2022-04-11 00:23:54.724620`` (a
blank, no zone, UTC), the same with ``T`` and ``Z``, RFC 3339 with the trailing zeros of the fraction trimmed, and null.
"Never" was the year 9999 and is null today; the Go zero time (year 1) means the same. Source:
https://api.voipbin.net/docs/common_overview.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from bot.voipbin.wire.shapes import Id, WireParty, WireStep

S = TypeVar("S", bound=msgspec.Struct)

CRUCIAL: Final = frozenset({"id", "customer_id", "flow_id", "reference_type", "reference_id", "on_complete_flow_id"})

_NOT_READABLE: Final = (ValueError, RecursionError)  # msgspec's own errors and UnicodeDecodeError are ValueErrors
_PARTS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "source": WireParty,
    "destination": WireParty,
}


class Unreadable(ValueError):
    """The answer is not what VoIPBIN sends. The text never quotes it."""


def strictly(body: bytes | msgspec.Raw, shape: type[S]) -> S | None:
    """The object, or ``None`` when anything in it is not as documented."""
    try:
        return msgspec.json.decode(body, type=shape)
    except _NOT_READABLE:
        return None


def forgivingly(body: bytes | msgspec.Raw, shape: type[S]) -> S:
    """The object with whatever can be read of it. Raises ``Unreadable``."""
    try:
        found: object = msgspec.json.decode(body)
    except _NOT_READABLE:
        found = None
    if not isinstance(found, dict):
        raise Unreadable("not a JSON object")
    return _mended(found, shape)


def decoded(body: bytes | msgspec.Raw, shape: type[S]) -> S:
    """Strictly if possible, else forgivingly. Raises ``Unreadable``."""
    found = strictly(body, shape)
    return forgivingly(body, shape) if found is None else found


def _mended(found: Mapping[str, object], shape: type[S]) -> S:
    kept: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        name = field.name
        if found.get(name) is None:
            continue
        try:
            kept[name] = _mended_field(name, found[name], field.type)
        except _NOT_READABLE:
            if name in CRUCIAL:
                raise Unreadable(f"{name} is not what VoIPBIN sends") from None
    return shape(**kept)


def _mended_field(name: str, value: object, kind: Any) -> object:
    if isinstance(value, dict) and (part := _PARTS.get(name)):
        return _mended(value, part)
    if name == "current_action":
        return msgspec.Raw(msgspec.json.encode(value))
    if isinstance(value, list) and name == "executed_actions":
        return [msgspec.Raw(msgspec.json.encode(each)) for each in value]
    if isinstance(value, list) and name == "actions":
        return [_mended_step(each) for each in value]
    if kind == Id and isinstance(value, str):
        return UUID(value) if value else None  # also takes braces, "urn:uuid:" and no dashes
    return msgspec.convert(value, kind)


def _mended_step(value: object) -> WireStep:
    try:
        return _mended(value, WireStep) if isinstance(value, dict) else WireStep()
    except Unreadable:
        return WireStep()


# ---------------------------------------------------------------- times

_NEVER_BEFORE: Final = 1900
_NEVER_AFTER: Final = 9998

TICK: Final = timedelta(microseconds=1)
"""The resolution of VoIPBIN's creation times, and so of its page cursor."""


def instant(text: object) -> datetime | None:
    """The moment, in UTC, cut to whole microseconds; ``None`` for null, a sentinel or what cannot be read."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        if not _NEVER_BEFORE <= moment.year <= _NEVER_AFTER:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def page_token(moment: datetime) -> str:
    """The cursor for "created before this moment": UTC, six digits, ``Z``, as VoIPBIN itself writes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
