"""Read a timeline's page for when each step began.

GET /timelines/activeflows/{id}/events (https://api.voipbin.net/docs/activeflow_overview.html): ``timestamp`` with three
digits, ``event_type``, and as ``data`` the activeflow as it had become. Promises as in ``wire``: bytes of any kind give a
value or ``Unreadable``. An event that is strange in any way costs only itself: a step without its event has no time, and a
wrong time would be worse.

Decision: an event is timed by ``tm_update``, which is the same in each of its copies, and by ``timestamp`` when there is
none; one that is wrapped (``{"data": {"type", "data"}}``) or bare, as older event streams sent them, is read as well.
"""

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from bot.activeflows.situation.timeline import Moment
from bot.voipbin.wire.decoding import Unreadable, instant, strictly
from bot.voipbin.wire.shapes import Id, RawPage, WireStep

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

    moments: tuple[Moment, ...]
    next_from: datetime | None


def timeline_page(body: bytes, activeflow_id: UUID) -> TimelinePage:
    """The events of this activeflow on the page. Raises ``Unreadable`` only when the page itself is."""
    page = strictly(body, RawPage)
    if page is None or page.result is None:
        raise Unreadable("not a list of events")
    moments = (_moment(raw, activeflow_id) for raw in page.result)
    next_from = instant(page.next_page_token)
    return TimelinePage(tuple(moment for moment in moments if moment is not None), next_from)


def cursor(moment: datetime) -> str:
    """The cursor for "before this moment": UTC, three digits, ``Z``, as VoIPBIN itself writes it."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _moment(raw: msgspec.Raw, activeflow_id: UUID) -> Moment | None:
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


def _told(found: WireMoment, timestamp: datetime | None) -> Moment | None:
    executed = len(found.executed_actions or ())
    at = instant(found.tm_update) or (timestamp if executed else instant(found.tm_create) or timestamp)
    current = found.current_action.id if found.current_action is not None else None
    if at is None or current is None:
        return None
    return Moment(at, executed, current, found.status == "running")
