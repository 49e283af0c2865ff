"""Read pages of VoIPBIN's lists and timelines: what runs, when each step began, and what was spoken."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import msgspec

from bot.activeflows.model import Action, Activeflow, SpokenText
from bot.activeflows.situation.history import TimelineEvent
from bot.voipbin.wire.answers import Steps, Unreadable, decoded, instant, readable, strictly
from bot.voipbin.wire.shapes import Id, RawPage, WireActiveflow, WireEvent, WireHead, WireStep

# ---------------------------------------------------------------- running page
# Read pages and events for what runs: of a row that is over only its id is made.
#
# Promises as in ``wire``: bytes of any kind give a value or ``Unreadable``. An event is either form that VoIPBIN sends,
# the bare activeflow or ``{"type", "data"}`` (https://api.voipbin.net/docs/websocket_struct.html); the type is not
# looked at, because it is missing in one of them and says nothing that the activeflow does not.


class VersionIndex(Protocol):
    """What is known already: the index."""

    def wants(self, activeflow_id: UUID, updated_at: datetime | None, steps: int) -> bool:
        """Tell whether this version says anything new."""
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
    """Whether it names a next page; it does on the last one, too (``is_last``)."""


def running_page(body: bytes, steps: Steps | None = None) -> RunningPage:
    """Return a page of the list. Raises ``Unreadable`` only when the list itself is."""
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


def event(frame: bytes, steps: Steps, known: VersionIndex) -> Activeflow | None:
    """Return the activeflow an event tells of; ``None`` when it says nothing new. Raises ``Unreadable``.

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
    """Tell whether this is the history from before, and perhaps more. Told by the last step of before, in its place."""
    if not 0 < len(before) <= len(history):
        return False
    return steps.read(history[len(before) - 1 : len(before)]) == before[-1:]


def _running(raw: msgspec.Raw, steps: Steps) -> Activeflow | None:
    try:
        return readable(decoded(raw, WireActiveflow), steps)
    except Unreadable:
        return None


# ---------------------------------------------------------------- timeline page
# Read a timeline's page for when each step began.
#
# GET /timelines/activeflows/{id}/events (https://api.voipbin.net/docs/activeflow_overview.html): ``timestamp`` with
# three digits, ``event_type``, and as ``data`` the activeflow as it had become. Promises as in ``wire``: bytes of any
# kind give a value or ``Unreadable``. An event that is strange in any way costs only itself: a step without its event
# has no time, and a wrong time would be worse.
#
# Decision: an event is timed by ``tm_update``, which is the same in each of its copies, and by ``timestamp`` when there
# is none; one that is wrapped (``{"data": {"type", "data"}}``) or bare, as older event streams sent them, is read as
# well.

_NOTHING: Final = msgspec.Raw(b"null")
_WRAPPINGS: Final = 3
"""Objects looked into for the activeflow: the event, its ``data``, and once more."""


class WireWrapping(msgspec.Struct):
    """What an activeflow comes wrapped in."""

    timestamp: Any = None
    data: msgspec.Raw = _NOTHING


class WireMoment(msgspec.Struct):
    """An activeflow in an event: as much as tells where it stood."""

    id: Id = None
    status: Any = None
    current_action: WireStep | None = None
    executed_actions: list[msgspec.Raw] | None = None
    tm_create: Any = None
    tm_update: Any = None


class TimelinePage(NamedTuple):
    """Some events, newest first, and where the next ones are; ``None``: these were the last."""

    moments: tuple[TimelineEvent, ...]
    next_from: datetime | None


def timeline_page(body: bytes, activeflow_id: UUID) -> TimelinePage:
    """Return the events of this activeflow on the page. Raises ``Unreadable`` only when the page itself is."""
    page = strictly(body, RawPage)
    if page is None or page.result is None:
        raise Unreadable("not a list of events")
    moments = (_moment(raw, activeflow_id) for raw in page.result)
    next_from = instant(page.next_page_token)
    return TimelinePage(tuple(moment for moment in moments if moment is not None), next_from)


def cursor(moment: datetime) -> str:
    """Return the cursor for "before this moment": UTC, three digits, ``Z``, as VoIPBIN itself writes it."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _moment(raw: msgspec.Raw, activeflow_id: UUID) -> TimelineEvent | None:
    timestamp: datetime | None = None
    for _ in range(_WRAPPINGS):
        wrapping = strictly(raw, WireWrapping)
        if wrapping is None:
            return None
        timestamp = timestamp or instant(wrapping.timestamp)
        found = strictly(raw, WireMoment)
        if found is not None and found.current_action is not None:
            return _told(found, timestamp) if found.id == activeflow_id else None
        raw = wrapping.data
    return None


def _told(found: WireMoment, timestamp: datetime | None) -> TimelineEvent | None:
    executed = len(found.executed_actions or ())
    at = instant(found.tm_update) or (timestamp if executed else instant(found.tm_create) or timestamp)
    current = found.current_action.id if found.current_action is not None else None
    if at is None or current is None:
        return None
    return TimelineEvent(at, executed, current, found.status == "running")


# ---------------------------------------------------------------- page end
# Tell where one of VoIPBIN's lists ends: the one rule of everybody who reads page after page.
#
# VoIPBIN may give fewer rows than were asked for although there are more (its own cap is lower, or a page would be too
# large), and it names a next page on the last one, too (https://api.voipbin.net/docs/common_overview.html). So a short
# page is the end only when it names no next page, and a page without rows when it leads no further back. That costs a
# page or two at the end of each list; taking a short page for the end would cost the rest of the list.

_A_CROWD: Final = 2
"""Fewer than two rows of one instant are no sign of a page that was cut off."""


class ListPage(Protocol):
    """A page of a list, newest first."""

    @property
    def size(self) -> int:
        """How many rows came, readable or not."""
        ...

    @property
    def more(self) -> bool:
        """Does it name a next page?"""
        ...

    @property
    def last(self) -> datetime | None:
        """When its last row was created, or where it leads when it has none; ``None`` when it does not say."""
        ...


def is_last(page: ListPage, *, asked: int, before: datetime) -> bool:
    """Tell whether nothing follows. ``asked``: so many rows at most were asked for, created ``before`` that instant."""
    if page.size:
        return page.size < asked and not page.more
    return not page.more or page.last is None or page.last >= before


class LargestPage:
    """How many rows came at once so far: a page with fewer was not cut off for having too many."""

    def __init__(self) -> None:
        self._rows = _A_CROWD

    def cut(self, page: ListPage, *, asked: int) -> bool:
        """Tell whether this page, all of one instant, may have left out others of that instant. Tell it of every
        page, in turn.
        """
        self._rows = max(self._rows, page.size)
        return page.size >= min(asked, self._rows)


# ---------------------------------------------------------------- spoken texts
# Decode the texts that an activeflow's steps spoke: the one personal thing ever decoded from a step.
#
# Everywhere else ``answers.showable`` drops them. They are read only for ``client.spoken``, and neither an error nor a
# ``repr`` holds one. Decision: ``talk`` only (https://api.voipbin.net/docs/flow_struct_action.html); what other steps
# send is no speech, and nobody has asked to see it.

RECENT: Final = 5
"""So many texts at most, the newest."""


class _Talk(msgspec.Struct):
    """A step with a text; of another type it is none that speaks."""

    type: str
    option: "_Text"

    def __repr__(self) -> str:
        return "a step that speaks"


class _Text(msgspec.Struct):
    text: str = ""

    def __repr__(self) -> str:
        return "a text"


class _Steps(msgspec.Struct):
    id: Id = None
    current_action: msgspec.Raw = _NOTHING
    executed_actions: list[msgspec.Raw] | None = None

    def __repr__(self) -> str:
        return "an activeflow's steps"


def spoken(activeflow_id: UUID, body: bytes) -> tuple[SpokenText, ...]:
    """Return the newest texts of that activeflow, oldest first, the one being spoken last. Raises ``Unreadable``."""
    found = strictly(body, _Steps)
    if found is None or found.id != activeflow_id:
        raise Unreadable("not the activeflow that was asked for")
    steps = [(step, False) for step in found.executed_actions or ()] + [(found.current_action, True)]
    talks = [(strictly(step, _Talk), current) for step, current in steps]
    texts = [
        SpokenText(talk.option.text, now) for talk, now in talks if talk and talk.type == "talk" and talk.option.text
    ]
    return tuple(texts[-RECENT:])
