"""Detect what is wrong with a running activeflow: stuck, looping, nearly out of steps, or left over.

Decisions:

- Stuck is said against the flow's own past only: at least twenty stays there were seen, and this one is longer than two
  minutes and than four times what nineteen of twenty took. Without an event stream nothing is learned and nothing
  claimed.
- Created more than ten minutes ago without a step is stuck, too, whatever the flow's past: no call rings so long.
- Waiting in a queue goes round in circles by design: that is no loop. Elsewhere the fifth time at the same step is.
- VoIPBIN cuts calls after one hour (https://api.voipbin.net/docs/call_overview.html), so an activeflow of a call that
  is older is left over. What started on complete of another one runs for a call that is over already: that says
  nothing.
- How many steps are used is said in the situation's own words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from bot.activeflows.ages import in_words
from bot.activeflows.anomalies.dwell_times import Durations, DwellTimes, Place, Stay
from bot.activeflows.model import Activeflow, Call, Flow
from bot.activeflows.situation.actions import NameOf
from bot.activeflows.situation.current_step import Situation, main_laps, situation, times_here, unnamed

# ---------------------------------------------------------------- anomaly
# Define what can be wrong with a running activeflow.


class Reason(StrEnum):
    """Why somebody should look."""

    STUCK = "stuck"
    """In this situation for much longer than this flow usually is."""
    LOOPING = "looping"
    """Going round in the same circle."""
    STEPS = "steps"
    """Nearly out of steps: VoIPBIN will end it."""
    STALE = "stale"
    """Still called running although its call ended, or although no call lives so long."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One of them, in words for people: "11 min in queue Support, usually 45 s". Plain text, nothing personal."""

    reason: Reason
    words: str


# ---------------------------------------------------------------- warnings
# Select what is worth a warning on a card, in words.


class Warned(Protocol):
    """Warnings in plain words, nothing personal. What is asked for them is a courtesy: never raises, never takes
    long.
    """

    async def __call__(self, activeflow: Activeflow, situation: Situation, /) -> tuple[str, ...]: ...


async def by_situation(_: Activeflow, situation: Situation) -> tuple[str, ...]:
    """What the situation itself warns of."""
    return (situation.warning,) if situation.warning else ()


# ---------------------------------------------------------------- detector

ENOUGH: Final = 20
"""Stays seen at a place before any is called long."""
LOOPING_FROM: Final = 5
LONGEST_CALL: Final = timedelta(minutes=65)
"""An hour, and a margin for two clocks."""
_STARTED_BY: Final = timedelta(minutes=10)
"""By then a first step has been done, whatever it runs for."""
SHORTEST: Final = timedelta(minutes=2)
"""No shorter stay is ever called long."""
_TIMES: Final = 4
_JUST_ENDED: Final = timedelta(minutes=2)
"""A call that ended so lately is still being cleared up."""


class AnomalyDetector:
    """Judges by what it has seen. Asks nobody, and never raises."""

    def __init__(self, stays: DwellTimes) -> None:
        self._stays = stays

    def troubles(
        self,
        activeflow: Activeflow,
        now: datetime,
        *,
        flow: Flow | None = None,
        name_of: NameOf = unnamed,
        call: Call | None = None,
    ) -> tuple[Trouble, ...]:
        """What is wrong with it, at most one of each reason; ``call``: the one it runs for, if that was looked up."""
        return self.of(activeflow, situation(activeflow, flow=flow, name_of=name_of), now, call=call)

    def of(
        self, activeflow: Activeflow, doing: Situation, now: datetime, *, call: Call | None = None
    ) -> tuple[Trouble, ...]:
        """The same, when its situation is known already."""
        return () if activeflow.ended else tuple(self._found(activeflow, doing, now, call))

    def past(self, where: Place) -> Durations:
        """How long stays there were. Not to be changed."""
        return self._stays.past(where)

    def longest(self, where: Place) -> timedelta | None:
        """From when on a stay there is called long; ``None`` while too few were seen."""
        past = self.past(where)
        long = past.at_most(0.95)
        return None if past.total < ENOUGH or long is None else max(SHORTEST, _TIMES * timedelta(seconds=long))

    def stay_at(self, activeflow: Activeflow, where: Place | None) -> Stay | None:
        """As ``DwellTimes.stay``, when it is known where it is."""
        return self._stays.stay_at(activeflow.id, where)

    def whatever_the_time(self, activeflow: Activeflow, doing: Situation) -> tuple[Reason, ...]:
        """What is wrong for as long as it stays as it is: it loops, or is nearly out of steps."""
        if activeflow.ended:
            return ()
        looping = [Reason.LOOPING] if _looping(activeflow, doing) else []
        return (*looping, *([Reason.STEPS] if doing.warning else []))

    def _found(self, activeflow: Activeflow, doing: Situation, now: datetime, call: Call | None) -> Iterator[Trouble]:
        if words := _stale(activeflow, now, call):
            yield Trouble(Reason.STALE, words)
        elif words := _never_started(activeflow, doing, now) or self._stuck(activeflow, doing, now):
            yield Trouble(Reason.STUCK, words)
        if words := _looping(activeflow, doing):
            yield Trouble(Reason.LOOPING, words)
        if doing.warning:
            yield Trouble(Reason.STEPS, doing.warning)

    def _stuck(self, activeflow: Activeflow, doing: Situation, now: datetime) -> str:
        began = self._stays.began(activeflow.id)
        if began is None or now - began < SHORTEST:  # wherever it is: that need not be worked out
            return ""
        stay = self._stays.stay(activeflow)
        if stay is None or stay.place is None:
            return ""
        limit, lasted = self.longest(stay.place), now - stay.began
        if limit is None or lasted < limit:
            return ""
        usual = self._stays.past(stay.place).typical()
        if usual is None:
            return ""
        return f"{_so_long(stay, lasted)} {_where(doing)}, usually about {in_words(timedelta(seconds=usual))}"


def may_be_stale(activeflow: Activeflow, now: datetime) -> bool:
    """Is it so old that its call is worth a look?"""
    age = activeflow.age(now)
    return activeflow.running and activeflow.reference.is_call and age is not None and age > LONGEST_CALL


def _stale(activeflow: Activeflow, now: datetime, call: Call | None) -> str:
    if not activeflow.reference.is_call or activeflow.parent_id is not None:
        return ""
    if call is not None and call.over:
        if call.hangup_at is None:
            return "its call ended: stale"
        since = now - call.hangup_at
        return f"call ended {in_words(since)} ago: stale" if since >= _JUST_ENDED else ""
    if call is None and may_be_stale(activeflow, now):
        return "older than any call can be (1 h): probably stale"
    return ""


def _never_started(activeflow: Activeflow, doing: Situation, now: datetime) -> str:
    age = activeflow.age(now)
    if doing.kind != "starting" or age is None or age < _STARTED_BY:
        return ""
    return f"created {in_words(age)} ago and never started"


def _looping(activeflow: Activeflow, doing: Situation) -> str:
    """In the words of the situation, which says laps only where going round is not how it works."""
    laps = main_laps(activeflow)
    return laps.removeprefix(", ") if laps in doing.words and times_here(activeflow) >= LOOPING_FROM else ""


def _so_long(stay: Stay, lasted: timedelta) -> str:
    return in_words(lasted) if stay.seen else f"at least {in_words(lasted)}"


def _where(doing: Situation) -> str:
    return doing.words if doing.certain else "in this situation"
