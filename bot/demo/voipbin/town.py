"""The demo's running world: people keep arriving, the clock is real, and there is a past when the doors open."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.demo.voipbin.clock import utc_now
from bot.demo.voipbin.scripts import Clinic, open_clinic
from bot.demo.voipbin.state import ADMIN, Activeflow
from bot.demo.voipbin.world import World

_STEP = 2.0  # seconds of the past lived through at once
_LOST_EVERY = timedelta(minutes=30)
_FIRST_LOST = timedelta(seconds=20)  # before the doors open: going round in circles shows half a minute later


OWNER, OWNERS_PASSWORD = "owner@example.com", "made-up-password"
"""Who may do everything in the sample business: the login for whoever follows VoIPBIN's tutorials here."""


class Town:
    """A world with the sample clinic in it. `most` is the number of activeflows above which nobody else arrives.

    A `quiet` one has flows and nobody in them: for a scenario that is played alone.
    """

    def __init__(
        self, *, past: timedelta = timedelta(minutes=12), every: float = 7.0, most: int = 14, quiet: bool = False
    ) -> None:
        self._behind = past
        self._every = every
        self._most = most
        self.world = World(now=self._now)
        self.clinic: Clinic = open_clinic(self.world)
        self.world.add_agent(OWNER, OWNERS_PASSWORD, permission=ADMIN)
        self.forgotten: Activeflow | None = None
        """The guilty one, for a newcomer to stop."""
        if quiet:
            self._behind, self._most = timedelta(0), 0
            self._last_arrival, self._next_lost = datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
            return
        self.world.rings(  # what nothing ever ends: an AI session opened through the API, hours ago
            None, reference_type="api", created_at=self.world.clock.now() - timedelta(hours=3)
        )
        self._last_arrival = self.world.clock.now()
        self._next_lost = self.world.clock.now() + past - _FIRST_LOST
        while self._behind > timedelta(0):
            self._behind = max(timedelta(0), self._behind - timedelta(seconds=_STEP))
            self.passes()
        self.forgotten = self.clinic.somebody_is_forgotten()
        self.world.telephony.hangup_after = 1.5

    def passes(self) -> None:
        """Let the world catch up with the clock, and somebody arrive when it is time."""
        self.world.tick()
        now = self.world.clock.now()
        if (now - self._last_arrival).total_seconds() >= self._every and self._running() < self._most:
            self._last_arrival = now
            self.clinic.somebody_arrives()
        if now >= self._next_lost:
            self._next_lost = now + _LOST_EVERY
            self.clinic.somebody_is_lost()
        del self.world.requests[:-1000]  # a demo may run for days

    async def lives(self, *, beat: float = 0.25, after_each: Callable[[], None] | None = None) -> None:
        """Run in real time until cancelled, `beat` seconds a step; `after_each` may redraw something."""
        while True:
            self.passes()
            if after_each is not None:
                after_each()
            await asyncio.sleep(beat)

    def _now(self) -> datetime:
        return utc_now() - self._behind

    def _running(self) -> int:
        return sum(row.status == "running" for row in self.world.records.activeflows)
