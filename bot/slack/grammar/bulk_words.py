"""Read the words after `stop all`: filters first, at least one, then the reason.

Decisions: the first word that does not look like a filter begins the reason. A filter that stands behind it is refused,
not read past: a list that is longer than it was meant is the one mistake that cannot be undone. A reason that looks
like a filter stands in quotes.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.activeflows.errors import NotUnderstood
from bot.slack.grammar.filter_words import KEYS, filter_key, read_listing
from bot.slack.grammar.normalization import Word, unquoted, without_mentions
from bot.slack.grammar.requests import List, StopAll, typed

_ASKS: Final = "stop all of which? Give at least one filter: flow:, type:, is:, action:, older: or newer:"


def read_stop_all(words: Sequence[Word], line: str, *, longest_reason: int) -> StopAll:
    """The bulk stop that these words of the line ask for. Raises ``NotUnderstood`` with a line that comes closer."""
    count = _filters_first(words)
    filters, rest = words[:count], line[words[count - 1].end :].strip() if count else line.strip()
    listing = _read(filters, words, rest)
    bulk = StopAll(listing.filters, _reason(rest))
    _check(bulk, listing, words[count:], rest, longest_reason)
    return bulk


def _filters_first(words: Sequence[Word]) -> int:
    """How many words from the first on are filters; `older: 10m` counts as two, so that it is corrected as one."""
    for count, word in enumerate(words):
        begun = count > 0 and filter_key(words[count - 1]) and words[count - 1].text.endswith(":")
        if not filter_key(word) and not begun:
            return count
    return len(words)


def _read(filters: Sequence[Word], words: Sequence[Word], rest: str) -> List:
    if not words:
        raise NotUnderstood(_ASKS, "list")
    try:
        return read_listing(filters or words[:1])
    except NotUnderstood as refused:
        better = refused.suggestion.removeprefix("list").strip()
        kept = rest if filters else rest[words[0].end :].strip()
        raise NotUnderstood(refused.problem, f"stop all {better} {kept}".strip()) from None


def _reason(rest: str) -> str:
    return without_mentions(unquoted(rest).strip())


def _check(bulk: StopAll, listing: List, later: Sequence[Word], rest: str, longest: int) -> None:
    if listing.sort is not None:
        raise NotUnderstood("a bulk stop takes all that match, the oldest first. Leave out sort:", typed(bulk))
    if listing.page > 1:
        raise NotUnderstood("a bulk stop takes every page. Leave out page:", typed(bulk))
    if bulk.filters.status != "running":
        running = replace(bulk.filters, status="running")
        raise NotUnderstood("only running activeflows can be stopped", typed(StopAll(running, bulk.reason)))
    if not bulk.filters.words():
        raise NotUnderstood(_ASKS, "list")
    misplaced = next((word for word in later if filter_key(word) in KEYS), None)
    if misplaced is not None and unquoted(rest) == rest:
        others = " ".join(word.written for word in later if word is not misplaced)
        better = f"stop all {bulk.filters.words()} {misplaced.written} {others}".strip()
        raise NotUnderstood("put filters before the reason, and quote a reason that looks like a filter", better)
    if len(bulk.reason) > longest:
        shorter = typed(StopAll(bulk.filters, bulk.reason[:longest].strip()))
        raise NotUnderstood(f"the reason is too long: at most {longest} characters", shorter)
