"""Answer somebody who presses on and may not, without recording each press.

Every press is recorded as a durable workflow before anything is asked about it, so that none is lost. After a few presses
within a minute, somebody who was not permitted just now is decided about first, by facts of the last seconds: whoever
has no permission here that any press needs, for no flow at all, is refused at once and counted.

Decision: only a sure no is one, and nothing is asked about those who were permitted just now. While Slack does not say who
it is in time, the press is recorded as any other, for Slack may say so a second later; but only so many of them are: a
Slack that is silent for hours lets nobody stop, and nobody fill the disk.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from bot.activeflows.errors import IdentityUnknown, SlackRefuses
from bot.activeflows.operators import Permission
from bot.activeflows.refusals import Lately, RefusalBound
from bot.activeflows.stopping.stop import Declined, Press, Why, Wish
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
        self._people, self._bound, self._pressed = people, bound, Lately(clock)
        self._untold = Lately(clock, each=_UNTOLD, within=_UNTOLD_WITHIN)

    async def declined(self, press: Press) -> Declined | None:
        """Why this press is not recorded; ``None``: it is."""
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
        wanted = Permission.BULK if press.wish is Wish.BULK else Permission.STOP
        return Declined(Why.NOT_PERMITTED, operator.decide(wanted).because)

    def _not_known(self, press: Press, unknown: IdentityUnknown | TimeoutError) -> Declined | None:
        if not self._untold.many(press.by):
            self._untold.note(press.by)
            return None
        if isinstance(unknown, TimeoutError):
            return Declined(Why.IDENTITY_UNKNOWN, "Slack did not answer in time")
        return Declined(Why.SLACK_REFUSES if isinstance(unknown, SlackRefuses) else Why.IDENTITY_UNKNOWN, unknown.what)

    async def say(self) -> None:
        """Log how many refusals of each person were not written down."""
        for who, count in self._bound.counted().items():
            log.warning("refusals_not_recorded", user=who, count=count, why="too many within a minute")
