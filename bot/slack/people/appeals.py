"""Bound how often those who may are asked in public: a mention wakes people.

So many in ten minutes by one person, and in one channel; for one card twice by each person (its posting, and a word below it).
Whoever asks for what stands there already is pointed at its card. Decision: in memory, by each process; what a restart
forgets are some mentions.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

EACH: Final = 5
IN_CHANNEL: Final = 8
FOR_CARD: Final = 2
WITHIN: Final = 600.0


@dataclass(slots=True)
class Appeal:
    """One public asking. ``subject``: what it is about; ``card_id``: of the intent or bulk; ``ts``: once it is posted."""

    at: float
    by: str
    channel: str
    subject: str
    card_id: str
    ts: str = ""


class Appeals:
    """Those of the last minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lately: deque[Appeal] = deque()

    def standing(self, channel: str, subject: str) -> str:
        """The id of the card that asks for this there already; empty if none does."""
        return next((a.card_id for a in self._now() if (a.channel, a.subject) == (channel, subject)), "")

    def begin(self, by: str, channel: str, subject: str, card_id: str) -> Appeal | None:
        """A new one, to be posted now; ``None`` when there were enough."""
        now = self._now()
        mine, here = [a for a in now if a.by == by], [a for a in now if a.channel == channel]
        again = sum(a.card_id == card_id for a in mine)
        if again >= FOR_CARD or len(mine) >= EACH or len(here) >= IN_CHANNEL:
            return None
        appeal = Appeal(self._clock(), by, channel, subject, card_id)
        self._lately.append(appeal)
        return appeal

    def not_posted(self, appeal: Appeal) -> None:
        """Nobody was asked."""
        if appeal in self._lately:
            self._lately.remove(appeal)

    def newest(self, by: str, channel: str, card_id: str) -> Appeal | None:
        """The one to point at: for this card, else the person's own, else the channel's."""
        posted = [appeal for appeal in reversed(self._now()) if appeal.ts]
        ways = (
            [appeal for appeal in posted if appeal.card_id == card_id],
            [appeal for appeal in posted if appeal.by == by],
            [appeal for appeal in posted if appeal.channel == channel],
        )
        return next((found[0] for found in ways if found), None)

    def _now(self) -> deque[Appeal]:
        while self._lately and self._clock() - self._lately[0].at > WITHIN:
            self._lately.popleft()
        return self._lately
