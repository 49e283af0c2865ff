"""Answer somebody who presses on and may not, without recording each press.

Every press is recorded as a durable workflow before anything is asked about it, so that none is lost. After a few
presses within a minute, somebody who was not permitted just now is decided about first, by facts of the last seconds:
whoever has no permission here that any press needs, for no flow at all, is refused at once and counted.

Decision: only a sure no is one, and nothing is asked about those who were permitted just now. While Slack does not say
who it is in time, the press is recorded as any other, for Slack may say so a second later; but only so many of them
are: a Slack that is silent for hours lets nobody stop, and nobody fill the disk.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from bot.activeflows.errors import IdentityUnknown, SlackRefuses
from bot.activeflows.operators import Permission
from bot.activeflows.records import RecentActions, RefusalBound
from bot.activeflows.stopping.stop import Declined, DeclineReason, Press, PressKind
from bot.slack.people.identity import PRESSING, REFUSED, People

log = structlog.get_logger(__name__)
_UNTOLD: Final = 10
_UNTOLD_WITHIN: Final = 600.0
"""So many presses in so many seconds are recorded of somebody about whom Slack does not answer."""
_WITHIN: Final = 0.6
"""Seconds: with the record of the press it stays below the three of the ack."""


class Outsiders:
    """Who may press nothing here."""

    def __init__(self, people: People, bound: RefusalBound, clock: Callable[[], float] = time.monotonic) -> None:
        self._people, self._bound, self._pressed = people, bound, RecentActions(clock)
        self._untold = RecentActions(clock, each=_UNTOLD, within=_UNTOLD_WITHIN)

    async def declined(self, press: Press) -> Declined | None:
        """Return why this press is not recorded; ``None``: it is."""
        if self._pressed.many(press.by) and not self._people.permitted_to_press(press.by, press.channel):
            declined = await self._no(press)
            if declined is not None:
                self._bound.count(press.by)
                return declined
        self._pressed.note(press.by)
        return None

    async def _no(self, press: Press) -> Declined | None:
        try:
            async with asyncio.timeout(_WITHIN):
                operator = await self._people.identify(
                    press.by, press.channel, team=press.team, may=PRESSING, max_age=REFUSED
                )
        except (IdentityUnknown, TimeoutError) as unknown:
            return self._not_known(press, unknown)
        if any(operator.may(permission) for permission in PRESSING):
            return None
        wanted = Permission.BULK if press.wish is PressKind.BULK else Permission.STOP
        return Declined(DeclineReason.NOT_PERMITTED, operator.decide(wanted).because)

    def _not_known(self, press: Press, unknown: IdentityUnknown | TimeoutError) -> Declined | None:
        if not self._untold.many(press.by):
            self._untold.note(press.by)
            return None
        if isinstance(unknown, TimeoutError):
            return Declined(DeclineReason.IDENTITY_UNKNOWN, "Slack did not answer in time")
        return Declined(
            DeclineReason.SLACK_REFUSES if isinstance(unknown, SlackRefuses) else DeclineReason.IDENTITY_UNKNOWN,
            unknown.what,
        )

    async def say(self) -> None:
        """Log how many refusals of each person were not written down."""
        for who, count in self._bound.counted().items():
            log.warning("refusals_not_recorded", user=who, count=count, why="too many within a minute")


# ---------------------------------------------------------------- appeals
# Bound how often those who may are asked in public: a mention wakes people.
#
# So many in ten minutes by one person, and in one channel; for one card twice by each person (its posting, and a word
# below it). Whoever asks for what stands there already is pointed at its card. Decision: in memory, by each process;
# what a restart forgets are some mentions.

EACH: Final = 5
IN_CHANNEL: Final = 8
FOR_CARD: Final = 2
WITHIN: Final = 600.0


@dataclass(slots=True)
class Appeal:
    """One public asking. ``subject``: what it is about; ``card_id``: of the intent or bulk; ``ts``: once it is
    posted.
    """

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
        """Return the id of the card that asks for this there already; empty if none does."""
        return next((a.card_id for a in self._now() if (a.channel, a.subject) == (channel, subject)), "")

    def begin(self, by: str, channel: str, subject: str, card_id: str) -> Appeal | None:
        """Begin a new one, to be posted now; ``None`` when there were enough."""
        now = self._now()
        mine, here = [a for a in now if a.by == by], [a for a in now if a.channel == channel]
        again = sum(a.card_id == card_id for a in mine)
        if again >= FOR_CARD or len(mine) >= EACH or len(here) >= IN_CHANNEL:
            return None
        appeal = Appeal(self._clock(), by, channel, subject, card_id)
        self._lately.append(appeal)
        return appeal

    def not_posted(self, appeal: Appeal) -> None:
        """Note that nobody was asked."""
        if appeal in self._lately:
            self._lately.remove(appeal)

    def newest(self, by: str, channel: str, card_id: str) -> Appeal | None:
        """Return the one to point at: for this card, else the person's own, else the channel's."""
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
