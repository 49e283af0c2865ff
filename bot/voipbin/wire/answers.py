"""Translate VoIPBIN's answers into the model of ``bot.activeflows``. Sans-I/O: bytes in, values out.

Promises: bytes of any kind give a value or ``Unreadable``, nothing else. One strange row never costs the page, and a
row that stays unreadable is counted. An unknown status reads as ``UNKNOWN``; unknown action and reference types keep
VoIPBIN's word; a zero UUID reads as ``None``.

Decision: what an activeflow runs for, whose it is and what its end would start decide permissions and warnings. If one
of these is of the wrong type the row is unreadable; every other field is forgiven and reads as absent.
"""

import contextlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import emoji
import msgspec

from bot.activeflows.model import Action, Activeflow, Call, Customer, Flow, Party, Reference, Status
from bot.voipbin.wire.decoding import Unreadable, decoded, forgivingly, instant, strictly
from bot.voipbin.wire.options import showable
from bot.voipbin.wire.shapes import (
    RawPage,
    WireAction,
    WireActiveflow,
    WireCall,
    WireFlow,
    WireLogin,
    WireNamed,
    WirePage,
    WireParty,
)

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
    """Whether it names a next page; it does on the last one, too (``page_end``)."""

    @property
    def unreadable(self) -> int:
        return self.size - len(self.rows)


def page(body: bytes) -> Page[Activeflow]:
    """A list of activeflows. Raises ``Unreadable`` only when the list itself is."""
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
    """A list of calls. Raises ``Unreadable`` only when the list itself is."""
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
    """The name of a queue: empty when it has none."""
    found = decoded(body, WireNamed)
    _identity(found.id)
    return _called(found.name)


def token(body: bytes) -> str:
    """What a login gave. The text is a secret."""
    found = forgivingly(body, WireLogin).token
    if not found:
        raise Unreadable("a login without a token")
    return found


class Steps:
    """Steps read once, by what they look like: the same flow's steps come again in every row and every event.

    It keeps no bytes, because they hold personal data, but 64 bits of them; and no more than ``room`` steps: the one that
    was read first goes first.
    """

    def __init__(self, room: int = 10_000) -> None:
        self._room = room
        self._known: OrderedDict[int, Action] = OrderedDict()  # a dict is slow to lose its first

    def __len__(self) -> int:
        return len(self._known)

    def read(self, raw: Iterable[msgspec.Raw]) -> tuple[Action, ...]:
        """These steps, in their order."""
        known = self._known
        return tuple([known.get(hash(bytes(step))) or self._one(step) for step in raw])

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
    """The activeflow, or ``None`` when it has no id. ``before``: steps that came before those of the row."""
    if row.id is None or not row.id.int:
        return None
    return Activeflow(
        id=row.id,
        customer_id=_set(row.customer_id),
        flow_id=_set(row.flow_id),
        status=_STATUS.get(row.status or "", Status.UNKNOWN),
        reference=Reference(_word(row.reference_type), _set(row.reference_id)),
        current=steps.read((row.current_action,))[0],
        executed=before + steps.read(row.executed_actions or ()),
        parent_id=_set(row.reference_activeflow_id),
        on_complete_flow_id=_set(row.on_complete_flow_id),
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
    """A name with emoji for their short codes, as names are compared."""
    return emoji.emojize((name or "")[:_LONGEST_NAME], language="alias")
