"""What a search can answer, at its longest and at its emptiest."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.activeflows.callers import CallFound, CallsLooked
from bot.activeflows.model import Picture
from bot.activeflows.numbers import Number
from bot.activeflows.operators import Operator
from bot.activeflows.queries.listing import Row
from bot.activeflows.queries.resolution import Prefix
from bot.activeflows.search.ranking import Findings, Match, MatchKind, RankedMatch, SearchTerms
from bot.slack.blocks.search_results import found
from bot.slack.messaging.messenger import Message

NOW = datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)
CALL = CallFound(UUID(int=3), UUID(int=4), UUID(int=5), "to", "+1555•••••31", over=True, began=NOW)
LOOKED = CallsLooked((CALL,), 2300, NOW, NOW - timedelta(minutes=20), "busy", 2)
EVERYTHING = SearchTerms(
    targets=(UUID(int=7), Prefix("3c5b0f6e"), Prefix("12345678"), *(UUID(int=n) for n in range(8, 15))),
    numbers=tuple(Number(f"4917112345{n}") for n in (70, 71, 72)),
    more=40,
)


def found_screens(words: str, rows: Sequence[Row], operators: Sequence[Operator]) -> Iterator[Message]:
    """``rows``: as many as there can be."""
    everybody, *_ = operators
    hows = [
        Match(MatchKind.CALL, call=CALL),
        Match(MatchKind.QUEUE, 0.8, words or "x"),
        Match(MatchKind.FLOW, 0.8),
        Match(MatchKind.ID),
    ]
    hits = tuple(RankedMatch(row, hows[number % len(hows)]) for number, row in enumerate(rows))
    full = Findings(
        terms=EVERYTHING,
        hits=hits,
        total=23,
        hidden=2,
        as_of=NOW,
        absent=EVERYTHING.targets,
        unnamed=1,
        unread=12,
        without=1,
        picture=Picture((), NOW, NOW - timedelta(minutes=65), "pages", 1),
        calls=LOOKED,
    )
    for operator in operators:
        yield _drawn(full, operator)
    named = SearchTerms(targets=(Prefix("cafe"),), words=(words or "x")[:100])
    yield _drawn(
        Findings(named, (RankedMatch(rows[0], Match(MatchKind.FLOW)),), 1, 0, NOW, picture=full.picture), everybody
    )
    yield _drawn(Findings(named, (), 0, 0, NOW, absent=named.targets, picture=Picture((), NOW, None)), everybody)
    nobody = CallsLooked((), 0, NOW, None)
    yield _drawn(Findings(SearchTerms(numbers=EVERYTHING.numbers[:1]), (), 0, 0, NOW, calls=nobody), everybody)


def _drawn(findings: Findings, operator: Operator) -> Message:
    return found(findings, operator, NOW, command="/flows")
