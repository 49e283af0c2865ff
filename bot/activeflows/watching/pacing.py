"""Decide when which card may be edited. Pure: nothing here waits.

``chat.update`` is granted 50 times a minute to a whole workspace (https://docs.slack.dev/apis/web-api/rate-limits), and
a card that changes more often than every few seconds cannot be read. Promises: the first news of a card is due at once;
then a card is edited at most every ``card_every`` seconds, and all together never more than ``burst + rate x t`` times
in any t seconds; who has been due for the longest is next, last words before all others; without news a card is due
once in ``heartbeat``, so that the age it says stays true; after a 429 nobody is due for as long as Slack asked; a card
that cannot be edited waits twice as long each time, up to ``again_at_most``.
"""

from dataclasses import dataclass
from typing import Final

_NEARLY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds, and how many in one. Thirty edits a minute leave the rest of Slack's fifty to the stop cards."""

    card_every: float = 3.0
    rate: float = 0.5
    burst: float = 5.0
    heartbeat: float = 60.0
    again: float = 10.0
    """Before a card whose edit failed is tried again, the first time."""
    again_at_most: float = 300.0
    read_every: float = 10.0
    """Between two readings of one activeflow, where no events come."""
    reads: float = 1.0
    """Readings a second, for all watches together."""
    permit_every: float = 10.0
    """Between two looks whether their watchers may still view; before anything is told, it is looked at anyway."""
    look_every: float = 2.0
    """Between two looks into the ledger for watches that were begun or ended elsewhere."""
    settle: float = 20.0
    """How long the outcome of a stop that is under way is waited for before the end is told without it."""
    give_up: float = 300.0
    """How long it is asked how one ended that no longer runs."""
    side_look: float = 1.5
    """For names."""
    lasts: float = 24 * 3600.0
    """After so long a watch ends by itself."""


@dataclass(slots=True)
class _Card:
    edited_at: float
    not_before: float
    news: bool
    last: bool = False
    failures: int = 0
    """In a row."""


class Pacing:
    """The cards that are followed, by id."""

    def __init__(self, pace: Pace, now: float) -> None:
        self._pace = pace
        self._cards: dict[str, _Card] = {}
        self._tokens, self._as_of, self._closed_until = pace.burst, now, now

    def add(self, id_: str, now: float, *, news: bool) -> None:
        """Follow a card from now on; when it was edited last is not known, so its first news is due at once."""
        self._cards[id_] = _Card(now - self._pace.card_every, now, news)

    def drop(self, id_: str) -> None:
        self._cards.pop(id_, None)

    def news(self, id_: str, *, last: bool = False) -> None:
        """There is something new to say; ``last``: for the last time."""
        card = self._cards.get(id_)
        if card is not None:
            card.news, card.last = True, card.last or last

    def edited(self, id_: str, now: float) -> None:
        """It was tried, until now."""
        card = self._cards.get(id_)
        if card is not None:
            card.edited_at = now

    def succeeded(self, id_: str) -> None:
        """It was edited: the next failure is a first one."""
        card = self._cards.get(id_)
        if card is not None:
            card.failures = 0

    def failed(self, id_: str, now: float) -> None:
        """It was not: what it was to say is still news."""
        card = self._cards.get(id_)
        if card is not None:
            pause = min(self._pace.again * 2.0 ** min(card.failures, 16), self._pace.again_at_most)
            card.failures += 1
            card.news, card.edited_at, card.not_before = True, now, now + pause

    def refused(self, now: float, seconds: float) -> None:
        """Slack said 429."""
        self._fill(now)
        self._tokens = min(self._tokens, 1.0)
        self._closed_until = max(self._closed_until, now + seconds)

    def wait(self, now: float) -> float | None:
        """Seconds until ``next`` may give a card; ``None`` while there is none at all."""
        if not self._cards:
            return None
        self._fill(now)
        token = max(0.0, 1 - self._tokens) / self._pace.rate
        due = min(self._due(card) for card in self._cards.values()) - now
        return max(due, token, self._closed_until - now, 0.0)

    def next(self, now: float) -> str | None:
        """The card whose turn it is: what it says next counts as told."""
        self._fill(now)
        due = [(not card.last, self._due(card), id_) for id_, card in self._cards.items() if self._due(card) <= now]
        if not due or now < self._closed_until or self._tokens < 1 - _NEARLY:
            return None
        id_ = min(due)[2]
        self._tokens -= 1
        self._cards[id_].news, self._cards[id_].edited_at = False, now
        return id_

    def _due(self, card: _Card) -> float:
        pause = self._pace.card_every if card.news else self._pace.heartbeat
        return max(card.edited_at + pause, card.not_before)

    def _fill(self, now: float) -> None:
        gained = max(now - self._as_of, 0.0) * self._pace.rate
        self._tokens, self._as_of = min(self._pace.burst, self._tokens + gained), max(now, self._as_of)
