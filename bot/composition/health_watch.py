"""Look after the bot's health all the time, and say it alike to whoever asks: ``/readyz``, the metrics, the log.

What is looked at is what ``/flows doctor`` looks at (``health_checks``). What is in memory, and whether the ledger can be
written, is looked at whenever somebody asks; Slack and VoIPBIN are asked every few seconds, dear questions less often.

The rule: not ready is a bot whose presses are useless until somebody does something about it: Slack refuses its token, its
socket is down, VoIPBIN refuses its credential or was never reached, the ledger cannot be written, or nobody may stop any
more because the policy file cannot be seen. Everything else is a warning, above all what passes by itself: while VoIPBIN or
Slack are away, people are better served by a bot that says so in words than by no bot. A refusal that was seen only once
is a warning, too: VoIPBIN refuses a good key now and then.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import structlog

from bot.activeflows.health import Finding, Look, State, looked, report, worst
from bot.composition.background import forever

log = structlog.get_logger(__name__)
EVERY: Final = 4.0
"""Seconds between two looks. A quarter of a request a second is little of VoIPBIN's 17."""
SELDOM: Final = 75
"""Looks between two dear ones: five minutes."""
_WITHIN: Final = 1.9
"""Seconds for each look: whoever asks ``/readyz`` waits two."""
_ASKED_WITHIN: Final = 2.5


_ENDING: Final = Finding("flows-bot", State.BROKEN, "is being stopped", disabling=True)


@dataclass(frozen=True, slots=True)
class Looks:
    """What there is to look at: in memory, by asking, and by asking for much."""

    at_hand: Callable[[], Mapping[str, Look]]
    asked: Callable[[], Mapping[str, Look]]
    seldom: Callable[[], Mapping[str, Look]]


class HealthWatch:
    """Knows what was found last, and since when it is so."""

    def __init__(self, looks: Looks, *, now: Callable[[], datetime]) -> None:
        self._looks, self._now = looks, now
        self._asked: dict[str, Finding] = {}
        self._refused: set[str] = set()
        self._round = 0
        self._since: dict[str, datetime] = {}
        self._said: dict[str, tuple[State, bool]] = {}
        self._began = now()
        self._ending = False
        self.findings: tuple[Finding, ...] = ()
        """Of the last look."""

    async def attend(self, every: float) -> None:
        """Until cancelled."""
        await self.look()
        await forever(self._ask, every=every)

    async def look(self) -> tuple[Finding, ...]:
        """What is so now, as far as it is known without asking anybody else."""
        found = await looked(self._looks.at_hand(), within=_WITHIN)
        self._take(worst([*found, *self._asked.values()]))
        return self.findings

    async def readiness(self) -> Mapping[str, Any]:
        """For ``/readyz``."""
        return report([*await self.look(), *([_ENDING] if self._ending else [])], self._since, self._began)

    async def drained(self, seconds: float) -> None:
        """Say from now on that the bot is not ready, and wait until a balancer has seen that."""
        self._ending = True
        await asyncio.sleep(seconds)

    @property
    def ready(self) -> bool:
        return not self._ending and not any(finding.disabling for finding in self.findings)

    async def _ask(self) -> None:
        """(The first time comes one pause after the start, which has just asked the same.)"""
        looks = dict(self._looks.asked()) if self._round else {}
        if self._round % SELDOM == 1:
            looks |= self._looks.seldom()
            self._asked = {about: found for about, found in self._asked.items() if about in looks}
        self._round += 1
        for about, finding in zip(looks, await looked(looks, within=_ASKED_WITHIN), strict=True):
            self._asked[about] = self._confirmed(about, finding)
        await self.look()

    def _confirmed(self, about: str, finding: Finding) -> Finding:
        """What disables the bot counts as that when it was seen twice in a row."""
        before = about in self._refused
        if not finding.disabling:
            self._refused.discard(about)
            return finding
        self._refused.add(about)
        return finding if before else replace(finding, state=State.WARNING, disabling=False)

    def _take(self, findings: tuple[Finding, ...]) -> None:
        was = {finding.about: finding for finding in self.findings}
        ready = self.ready
        self.findings = findings
        for finding in findings:
            before, now = was.get(finding.about), (finding.state, finding.disabling)
            if before is None or (before.state, before.disabling) != now:
                self._since[finding.about] = self._now()
            # Straight after the start a warning may be what is not up yet: it is said if it is there one round later.
            if now != self._said.get(finding.about, (State.OK, False)) and (self._round > 1 or finding.disabling):
                self._said[finding.about] = now
                self._say(finding)
        if ready is not self.ready:
            self._began = self._now()

    def _say(self, finding: Finding) -> None:
        say = log.error if finding.disabling else log.info if finding.state is State.OK else log.warning
        why = finding.what if finding.state is not State.OK else ""
        say(
            "health_changed",
            about=finding.about,
            state=str(finding.state),
            why=why,
            then=finding.next,
            ready=self.ready,
        )
