"""Track which part of the past has been read, as spans of creation times: what a list may call complete."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
"""Before everything: a span from here reaches to the end of the list."""


class Span(NamedTuple):
    """Creation times from ``since`` on, before ``until``."""

    since: datetime
    until: datetime


class Coverage:
    """Spans that were read, disjoint and in order."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def add(self, since: datetime, until: datetime) -> None:
        """This span was read; spans that touch become one."""
        if since >= until:
            return
        first = bisect_left(self._spans, since, key=lambda span: span.until)
        last = first
        while last < len(self._spans) and self._spans[last].since <= until:
            since, until = min(since, self._spans[last].since), max(until, self._spans[last].until)
            last += 1
        self._spans[first:last] = [Span(since, until)]

    def holes(self, since: datetime, until: datetime) -> list[Span]:
        """What was not read of this span, newest first."""
        return list(self._holes(since, until))[::-1]

    def complete_since(self, until: datetime) -> datetime | None:
        """From when on everything created before ``until`` was read: ``until`` itself if nothing; ``None``: all of it."""
        holes = self.holes(BEGINNING, until)
        return holes[0].until if holes else None

    def share(self, until: datetime) -> float | None:
        """The part of the past that was read, from 0 to 1; ``None`` while it is not known how long the past is."""
        holes = self.holes(BEGINNING, until)
        if not holes:
            return 1.0
        oldest = holes[-1].since
        if oldest == BEGINNING:
            return None
        missing = sum(((hole.until - hole.since) for hole in holes), timedelta(0))
        return 1 - missing / (until - oldest)

    def _holes(self, since: datetime, until: datetime) -> Iterator[Span]:
        for span in self._spans:
            if span.until <= since:
                continue
            if span.since >= until:
                break
            if span.since > since:
                yield Span(since, span.since)
            since = span.until
        if since < until:
            yield Span(since, until)
