"""Tell where one of VoIPBIN's lists ends: the one rule of everybody who reads page after page.

VoIPBIN may give fewer rows than were asked for although there are more (its own cap is lower, or a page would be too
large), and it names a next page on the last one, too (https://api.voipbin.net/docs/common_overview.html). So a short page
is the end only when it names no next page, and a page without rows when it leads no further back. That costs a page or
two at the end of each list; taking a short page for the end would cost the rest of the list.
"""

from datetime import datetime
from typing import Final, Protocol

_A_CROWD: Final = 2
"""Fewer than two rows of one instant are no sign of a page that was cut off."""


class Turned(Protocol):
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


def is_last(page: Turned, *, asked: int, before: datetime) -> bool:
    """Whether nothing follows. ``asked``: so many rows at most were asked for, created ``before`` that instant."""
    if page.size:
        return page.size < asked and not page.more
    return not page.more or page.last is None or page.last >= before


class Fullest:
    """How many rows came at once so far: a page with fewer was not cut off for having too many."""

    def __init__(self) -> None:
        self._rows = _A_CROWD

    def cut(self, page: Turned, *, asked: int) -> bool:
        """May this page, all of one instant, have left out others of that instant? Tell it of every page, in turn."""
        self._rows = max(self._rows, page.size)
        return page.size >= min(asked, self._rows)
