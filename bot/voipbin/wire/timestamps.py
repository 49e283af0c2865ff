"""Read VoIPBIN's times as aware UTC ``datetime``, whichever of its four styles they come in.

Promises: never raises; what is no time is ``None``. The styles, by age of the deployment: ``2022-04-11 00:23:54.724620``
(a blank, no zone, UTC), the same with ``T`` and ``Z``, RFC 3339 with the trailing zeros of the fraction trimmed, and
null. "Never" was the year 9999 and is null today; the Go zero time (year 1) means the same.
Source: https://api.voipbin.net/docs/common_overview.html
"""

from datetime import UTC, datetime, timedelta
from typing import Final

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
