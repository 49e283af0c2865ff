"""One stop that is told from its claim to its outcome, in virtual time, and what was said, sent and written."""

import itertools
from typing import Any

from bot.activeflows.records import Record, RecordKind
from bot.activeflows.stopping.stop import (
    Ended,
    Intent,
    Moved,
    NotKnown,
    NotSent,
    Phase,
    PressInHand,
    PressKind,
    StillRunning,
    Waiting,
)
from bot.demo.voipbin.state import Activeflow
from tests.faults.bulk_incident import BulkIncident
from tests.faults.incident import ALICE, BOB
from tests.faults.line import Post


class Told(BulkIncident):
    """An incident that is told and not drawn."""

    def asks(self, *, who: str = ALICE, activeflow: Activeflow | None = None, now: bool = False) -> str:
        """The intent of a new card."""
        self.bot.run(self._ask(who, activeflow or self.callers[-1], now=now))
        return self.intents[-1]

    def stops(self, *troubles: str, by: str = BOB, after: float = 3000.0, now: bool = False) -> list[Phase]:
        """A card that Alice asked for is pressed; what it said from then on."""
        intent_id = self.asks(now=now)
        for trouble in troubles:
            self._goes_wrong("stop", trouble)
        self.presses_on(intent_id, by=by, after=after)
        return self.said(intent_id)

    def presses_on(
        self, intent_id: str, *, by: str = BOB, wish: PressKind = PressKind.STOP, after: float = 3000.0
    ) -> None:
        self._press(by, intent_id, wish)
        self.bot.passes(after)

    def said(self, intent_id: str) -> list[Phase]:
        """On that card, without the question."""
        told = [t.phase for t in self.bot.channel.tellings if t.card == f"card {intent_id[:8]}"]
        return [phase for phase in told if not isinstance(phase, Waiting | PressInHand)]

    @property
    def posts(self) -> list[Post]:
        return self.bot.line.posts

    @property
    def pauses(self) -> list[float]:
        """Between the posts, to a tenth of a second."""
        times = [post.at for post in self.posts]
        return [round((b - a).total_seconds(), 1) for a, b in itertools.pairwise(times)]

    def written(self, what: RecordKind) -> list[dict[str, Any]]:
        """Details of the records of that kind, oldest first, without what every one has."""
        return [dict(record.detail) for record in self.records() if record.what is what]

    def records(self) -> list[Record]:
        return self.promises.records()

    def intent(self, intent_id: str) -> Intent:
        found = self.bot.run(self.bot.book.intent(intent_id))
        assert found is not None
        return found[0]


def in_short(phases: list[Phase]) -> list[str]:
    """Each phase by its kind and what is certain of it; the end is told again with what became of the call."""
    said = []
    for phase in phases:
        match phase:
            case Ended(attribution=how, trouble=trouble):
                said.append(f"ended: {how}, {trouble.why}" if trouble.why else f"ended: {how}")
            case NotSent(pressable=pressable, trouble=trouble):
                said.append(f"not sent{'' if pressable else ' for good'}: {trouble.why}")
            case NotKnown(final=final, trouble=trouble):
                said.append(f"not known{' for good' if final else ''}: {trouble.why}")
            case StillRunning(trouble=trouble):
                said.append(f"still running: {trouble.why}")
            case Moved(was=was):
                said.append(f"moved: {was}")
            case _:
                said.append(type(phase).__name__)
    return [words for words, before in zip(said, ["", *said], strict=False) if words != before]


BROKE = "the connection to VoIPBIN broke before the answer was there"
FULL = "VoIPBIN answered 429 RATE_LIMIT_EXCEEDED: too many requests for this customer's account"
HAND = "StopInHand"
STOPPED = "ended: this press"
STOP = ("POST", "/activeflows/{id}/stop")
