"""Translate VoIPBIN's answers into the model of ``bot.activeflows``. Sans-I/O: bytes in, values out.

Promises: bytes of any kind give a value or ``Unreadable``, nothing else. One strange row never costs the page, and a
row that stays unreadable is counted. An unknown status reads as ``UNKNOWN``; unknown action and reference types keep
VoIPBIN's word; a zero UUID reads as ``None``.

Decision: what an activeflow runs for, whose it is and what its end would start decide permissions and warnings. If one
of these is of the wrong type the row is unreadable; every other field is forgiven and reads as absent.
"""

import contextlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeAlias, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from bot.activeflows.model import Action, Activeflow, Call, Customer, Flow, Party, Reference, Status
from bot.voipbin.wire.shapes import (
    Id,
    RawPage,
    WireAction,
    WireActiveflow,
    WireCall,
    WireFlow,
    WireLogin,
    WireNamed,
    WirePage,
    WireParty,
    WireStep,
)

# ---------------------------------------------------------------- decoding
# Decode JSON bytes into a shape: strictly and fast first, and when that fails field by field.
#
# Promises: any bytes give the shape or ``Unreadable``. Forgiving means that a field of the wrong type reads as absent,
# except the crucial ones, on which permissions and warnings hang: there it makes the whole object unreadable. Reading a
# time never raises; what is no time is ``None``. The styles, by age of the deployment: ``2022-04-11 00:23:54.724620``
# (a blank, no zone, UTC), the same with ``T`` and ``Z``, RFC 3339 with the trailing zeros of the fraction trimmed, and
# null. "Never" was the year 9999 and is null today; the Go zero time (year 1) means the same. Source:
# https://api.voipbin.net/docs/common_overview.html

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
    """Return the object, or ``None`` when anything in it is not as documented."""
    try:
        return msgspec.json.decode(body, type=shape)
    except _NOT_READABLE:
        return None


def forgivingly(body: bytes | msgspec.Raw, shape: type[S]) -> S:
    """Return the object with whatever can be read of it. Raises ``Unreadable``."""
    try:
        found: object = msgspec.json.decode(body)
    except _NOT_READABLE:
        found = None
    if not isinstance(found, dict):
        raise Unreadable("not a JSON object")
    return _mended(found, shape)


def decoded(body: bytes | msgspec.Raw, shape: type[S]) -> S:
    """Decode strictly if possible, else forgivingly. Raises ``Unreadable``."""
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
    """Return the moment, in UTC, cut to whole microseconds; ``None`` for null, a sentinel or what cannot be read."""
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
    """Return the cursor for "created before this moment": UTC, six digits, ``Z``, as VoIPBIN itself writes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


# ---------------------------------------------------------------- options
# Allow which of an action's options may enter this program, per action type.
#
# VoIPBIN shows options after variable substitution: phone numbers, texts, e-mail bodies, signed URLs and payloads in
# clear (https://api.voipbin.net/docs/flow_struct_action.html). So only what is named here survives: ids, counts instead
# of lists, durations, languages, keys, and the bare host where an address says who is being asked.
#
# Decisions: an unknown action type keeps nothing. Words are short, without blanks, and never hold five digits in a row,
# because a variable may have put a number there. A case's ``name`` is free text after substitution, so it stays out.

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


def _option_word(value: object) -> str | None:
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
    """Return the kinds of the addresses (``tel``, ``agent``, …) in order, each once, never the addresses."""
    kinds = (
        [_option_word(each.get("type")) for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    )
    return ",".join(dict.fromkeys(kind for kind in kinds if kind)) or None


_ASSISTANCE: Final[Mapping[str, Reader]] = {"assistance_type": _option_word, "assistance_id": _id}

ALLOWED: Final[Mapping[str, Mapping[str, Reader]]] = {
    "amd": {"machine_handle": _option_word, "async": _yes_or_no},
    "ai_summary": {"reference_type": _option_word, "language": _option_word},
    "ai_talk": {**_ASSISTANCE, "ai_id": _id, "duration": _number},
    "ai_task": _ASSISTANCE,
    "branch": {"variable": _option_word, "target_ids": _count},
    "call": {"destinations": _count, "chained": _yes_or_no},
    "condition_call_digits": {"length": _number, "key": _option_word},
    "condition_call_status": {"status": _option_word},
    "condition_datetime": {"condition": _option_word, "hour": _number, "weekdays": _numbers},
    "condition_variable": {"condition": _option_word, "value_type": _option_word},
    "confbridge_join": {"confbridge_id": _id},
    "conference_join": {"conference_id": _id},
    "connect": {"destinations": _count, "early_media": _yes_or_no},
    "digits_receive": {"length": _number, "key": _option_word, "duration": _number},
    "digits_send": {"digits": _count},
    "echo": {"duration": _number},
    "email_send": {"destinations": _count},
    "fetch": {"event_url": _host},
    "fetch_flow": {"flow_id": _id},
    "goto": {"loop_count": _number},
    "hangup": {"reason": _option_word},
    "message_send": {"destinations": _count},
    "play": {"stream_urls": _count},
    "queue_join": {"queue_id": _id},
    "recording_start": {"format": _option_word, "duration": _number},
    "sleep": {"duration": _number},
    "stream_echo": {"duration": _number},
    "talk": {"language": _option_word, "async": _yes_or_no},
    "transcribe_recording": {"language": _option_word},
    "transcribe_start": {"language": _option_word},
    "variable_set": {"key": _option_word},
    "webhook_send": {"uri": _host, "method": _option_word, "sync": _yes_or_no},
}
"""Action type → option field → how much of it survives. Types that are not here keep nothing."""

_RENAMED: Final = {"event_url": "host", "uri": "host"}


def showable(action_type: str, option: Mapping[str, Any] | None) -> dict[str, Shown]:
    """Return the part of an action's ``option`` that may be shown to a person, under VoIPBIN's own field names.

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


# ---------------------------------------------------------------- answers

__all__ = [
    "Page",
    "Steps",
    "Unreadable",
    "activeflow",
    "call",
    "calls",
    "customer",
    "flow",
    "name",
    "page",
    "readable",
    "token",
]

R = TypeVar("R")

_NOBODY: Final = UUID(int=0)
_STATUS: Final = {"running": Status.RUNNING, "ended": Status.ENDED}
_LONGEST_WORD: Final = 64
_LONGEST_NAME: Final = 256


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page of a list."""

    rows: tuple[R, ...]
    size: int
    """How many rows came, readable or not."""
    last: datetime | None
    """When the last row was created, by VoIPBIN's own cursor."""
    more: bool
    """Whether it names a next page; it does on the last one, too (``pages.is_last``)."""

    @property
    def unreadable(self) -> int:
        return self.size - len(self.rows)


def page(body: bytes) -> Page[Activeflow]:
    """Return a list of activeflows. Raises ``Unreadable`` only when the list itself is."""
    steps = Steps()
    found = strictly(body, WirePage)
    if found is not None and found.result is not None:
        rows = [readable(row, steps) for row in found.result]
        return _page([row for row in rows if row is not None], len(rows), found.next_page_token)
    raw = strictly(body, RawPage)
    if raw is None or raw.result is None:
        raise Unreadable("not a list of activeflows")
    rows = []
    for each in raw.result:
        try:
            rows.append(readable(decoded(each, WireActiveflow), steps))
        except Unreadable:
            rows.append(None)
    return _page([row for row in rows if row is not None], len(rows), raw.next_page_token)


def _page(rows: list[R], size: int, cursor: Any) -> Page[R]:
    return Page(tuple(rows), size, instant(cursor), bool(cursor))


def activeflow(body: bytes) -> Activeflow:
    found = readable(decoded(body, WireActiveflow), Steps())
    if found is None:
        raise Unreadable("an activeflow without an id")
    return found


def flow(body: bytes) -> Flow:
    found = decoded(body, WireFlow)
    steps = frozenset(step.id for step in found.actions or () if step.id)
    return Flow(
        id=_identity(found.id),
        name=_called(found.name),
        action_ids=steps,
        on_complete_flow_id=_set(found.on_complete_flow_id),
    )


def call(body: bytes | msgspec.Raw) -> Call:
    found = decoded(body, WireCall)
    return Call(
        id=_identity(found.id),
        activeflow_id=_set(found.activeflow_id),
        status=_word(found.status),
        direction=_word(found.direction),
        source=_party(found.source),
        destination=_party(found.destination),
        created_at=instant(found.tm_create),
        answered_at=instant(found.tm_progressing),
        hangup_at=instant(found.tm_hangup),
        hangup_reason=_word(found.hangup_reason),
        master_id=_set(found.master_call_id),
    )


def calls(body: bytes) -> Page[Call]:
    """Return a list of calls. Raises ``Unreadable`` only when the list itself is."""
    raw = strictly(body, RawPage)
    if raw is None or raw.result is None:
        raise Unreadable("not a list of calls")
    rows = []
    for each in raw.result:
        with contextlib.suppress(Unreadable):
            rows.append(call(each))
    return _page(rows, len(raw.result), raw.next_page_token)


def customer(body: bytes) -> Customer:
    found = decoded(body, WireNamed)
    return Customer(id=_identity(found.id), name=(found.name or "")[:_LONGEST_NAME])


def name(body: bytes) -> str:
    """Return the name of a queue: empty when it has none."""
    found = decoded(body, WireNamed)
    _identity(found.id)
    return _called(found.name)


def token(body: bytes) -> str:
    """Return what a login gave. The text is a secret."""
    found = forgivingly(body, WireLogin).token
    if not found:
        raise Unreadable("a login without a token")
    return found


class Steps:
    """Steps read once, by what they look like: the same flow's steps come again in every row and every event.

    It keeps no bytes, because they hold personal data, but 64 bits of them; and no more than ``room`` steps: the one
    that was read first goes first. Ids that thousands of rows have in common are one object, too: whoever looks through
    the rows then finds it in the processor's cache.
    """

    def __init__(self, room: int = 10_000) -> None:
        self._room = room
        self._known: OrderedDict[int, Action] = OrderedDict()  # a dict is slow to lose its first
        self._ids: dict[int, UUID] = {}

    def __len__(self) -> int:
        return len(self._known)

    def read(self, raw: Iterable[msgspec.Raw]) -> tuple[Action, ...]:
        """Read these steps, in their order."""
        known = self._known
        return tuple([known.get(hash(bytes(step))) or self._one(step) for step in raw])

    def common(self, found: UUID | None) -> UUID | None:
        """Return the one object for the id of a customer or flow; ``None`` for none."""
        if found is None or not found.int:
            return None
        known = self._ids.get(found.int)
        if known is not None:
            return known
        if len(self._ids) >= self._room:
            self._ids.clear()
        self._ids[found.int] = found
        return found

    def _one(self, raw: msgspec.Raw) -> Action:
        try:
            step = _action(decoded(raw, WireAction))
        except Unreadable:
            step = Action(_NOBODY)  # its place is kept: the number of steps counts against the step budget
        if len(self._known) >= self._room:
            self._known.popitem(last=False)
        self._known[hash(bytes(raw))] = step
        return step


def readable(row: WireActiveflow, steps: Steps, before: tuple[Action, ...] = ()) -> Activeflow | None:
    """Return the activeflow, or ``None`` when it has no id. ``before``: steps that came before those of the row."""
    if row.id is None or not row.id.int:
        return None
    return Activeflow(
        id=row.id,
        customer_id=steps.common(row.customer_id),
        flow_id=steps.common(row.flow_id),
        status=_STATUS.get(row.status or "", Status.UNKNOWN),
        reference=Reference(_word(row.reference_type), _set(row.reference_id)),
        current=steps.read((row.current_action,))[0],
        executed=before + steps.read(row.executed_actions or ()),
        parent_id=_set(row.reference_activeflow_id),
        on_complete_flow_id=steps.common(row.on_complete_flow_id),
        created_at=instant(row.tm_create),
        updated_at=instant(row.tm_update),
        deleted_at=instant(row.tm_delete),
    )


def _action(step: WireAction) -> Action:
    kind = step.type or ""
    option: Any = step.option
    return Action(step.id or _NOBODY, kind[:_LONGEST_WORD], showable(kind, option) if option else {})


def _party(found: WireParty | None) -> Party:
    found = found or WireParty()
    return Party(type=_word(found.type), target=found.target or "", name=found.name or found.target_name or "")


def _identity(found: UUID | None) -> UUID:
    if found is None or found == _NOBODY:
        raise Unreadable("an object without an id")
    return found


def _set(found: UUID | None) -> UUID | None:
    return found if found is not None and found.int else None


def _word(found: str | None) -> str:
    return (found or "")[:_LONGEST_WORD]


def _called(name: str | None) -> str:
    """Return a name with emoji for their short codes, as names are compared."""
    known = (name or "")[:_LONGEST_NAME]
    if known.count(":") < 2:  # no short code is in it
        return known
    import emoji  # noqa: PLC0415 # 3 MB, for the few names with a code

    return emoji.emojize(known, language="alias")
