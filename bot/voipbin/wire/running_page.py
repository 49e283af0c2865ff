"""Read pages and events for what runs: of a row that is over only its id is made.

Promises as in ``wire``: bytes of any kind give a value or ``Unreadable``. An event is either form that VoIPBIN sends, the
bare activeflow or ``{"type", "data"}`` (https://api.voipbin.net/docs/websocket_struct.html); the type is not looked at,
because it is missing in one of them and says nothing that the activeflow does not.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import msgspec

from bot.activeflows.model import Action, Activeflow
from bot.voipbin.wire.answers import Steps, readable
from bot.voipbin.wire.decoding import Unreadable, decoded, instant, strictly
from bot.voipbin.wire.shapes import RawPage, WireActiveflow, WireEvent, WireHead


class Known(Protocol):
    """What is known already: the index."""

    def wants(self, activeflow_id: UUID, updated_at: datetime | None, steps: int) -> bool:
        """Does this version say anything new?"""
        ...

    def get(self, activeflow_id: UUID) -> Activeflow | None: ...


_ENDED: Final = "ended"


@dataclass(frozen=True, slots=True)
class RunningPage:
    """One page of the list of activeflows, with whole rows of what runs only."""

    running: tuple[Activeflow, ...]
    over: tuple[tuple[UUID, datetime | None], ...]
    """Ids of what ended, and when."""
    size: int
    """How many rows came, readable or not."""
    last: datetime | None
    """When the last row was created, or where it leads when it has none."""
    unreadable: int
    more: bool
    """Whether it names a next page; it does on the last one, too (``page_end``)."""


def running_page(body: bytes, steps: Steps | None = None) -> RunningPage:
    """A page of the list. Raises ``Unreadable`` only when the list itself is."""
    page = strictly(body, RawPage)
    if page is None or page.result is None:
        raise Unreadable("not a list of activeflows")
    steps = Steps() if steps is None else steps
    running: list[Activeflow] = []
    over: list[tuple[UUID, datetime | None]] = []
    times: list[datetime] = []
    for raw in page.result:
        head = strictly(raw, WireHead)
        if head is not None and head.id is not None and head.id.int and head.status == _ENDED:
            over.append((head.id, instant(head.tm_update)))
            created = instant(head.tm_create)
        else:
            activeflow = _running(raw, steps)
            if activeflow is None:
                continue
            running.append(activeflow)
            created = activeflow.created_at
        if created is not None:
            times.append(created)
    size, oldest = len(page.result), min(times, default=None)
    if len(times) < max(size, 1):
        oldest = instant(page.next_page_token) or oldest
    unreadable, more = size - len(running) - len(over), bool(page.next_page_token)
    return RunningPage(tuple(running), tuple(over), size, oldest, unreadable, more)


def event(frame: bytes, steps: Steps, known: Known) -> Activeflow | None:
    """The activeflow an event tells of; ``None`` when it says nothing new. Raises ``Unreadable``.

    A history only grows at its end, so that of one that is known only the end is read.
    """
    found = strictly(frame, WireEvent) or decoded(frame, WireEvent)
    told: WireActiveflow = found if found.data is None else found.data
    if told.id is None or not told.id.int:
        raise Unreadable("an event without an id")
    history = told.executed_actions or []
    if not known.wants(told.id, instant(told.tm_update), len(history)):
        return None
    held = known.get(told.id)
    if held is None or not _continues(history, held.executed, steps):
        return readable(told, steps)
    told.executed_actions = history[len(held.executed) :]
    return readable(told, steps, before=held.executed)


def _continues(history: list[msgspec.Raw], before: tuple[Action, ...], steps: Steps) -> bool:
    """Is this the history from before, and perhaps more? Told by the last step of before, in its place."""
    if not 0 < len(before) <= len(history):
        return False
    return steps.read(history[len(before) - 1 : len(before)]) == before[-1:]


def _running(raw: msgspec.Raw, steps: Steps) -> Activeflow | None:
    try:
        return readable(decoded(raw, WireActiveflow), steps)
    except Unreadable:
        return None
