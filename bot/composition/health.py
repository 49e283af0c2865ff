"""Look at each thing the bot needs, for ``/flows doctor`` and ``flows-bot check``, and all the time for machines."""

import asyncio
import stat
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeAlias

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.health import Finding, HealthState, Look, looked, report, worst
from bot.activeflows.model import in_words
from bot.composition import maintenance
from bot.composition.background import forever
from bot.ledger import health as ledger
from bot.ledger.database import Database, parsed_url
from bot.policy import PolicyInForce
from bot.policy import active_policy as policy
from bot.settings import Settings
from bot.slack import health as slack
from bot.slack.messaging.web_client import Access
from bot.slack.transport.http import Check
from bot.voipbin import LiveIndex, VoIPBINClient
from bot.voipbin import health as voipbin

# ---------------------------------------------------------------- health watch
# Look after the bot's health all the time, and say it alike to whoever asks: ``/readyz``, the metrics, the log.
#
# What is looked at is what ``/flows doctor`` looks at (``HealthChecks``). What is in memory, and whether the ledger
# can be written, is looked at whenever somebody asks; Slack and VoIPBIN are asked every few seconds, dear questions
# less often.
#
# The rule: not ready is a bot whose presses are useless until somebody does something about it: Slack refuses its
# token, its socket is down, VoIPBIN refuses its credential or was never reached, the ledger cannot be written, or
# nobody may stop any more because the policy file cannot be seen. Everything else is a warning, above all what passes
# by itself: while VoIPBIN or Slack are away, people are better served by a bot that says so in words than by no bot. A
# refusal that was seen only once is a warning, too: VoIPBIN refuses a good key now and then.

log = structlog.get_logger(__name__)
EVERY: Final = 4.0
"""Seconds between two looks. A quarter of a request a second is little of VoIPBIN's 17."""
SELDOM: Final = 75
"""Looks between two dear ones: five minutes."""
_WITHIN: Final = 1.9
"""Seconds for each look: whoever asks ``/readyz`` waits two."""
_ASKED_WITHIN: Final = 2.5


_ENDING: Final = Finding("flows-bot", HealthState.BROKEN, "is being stopped", disabling=True)


@dataclass(frozen=True, slots=True)
class HealthProbes:
    """What there is to look at: in memory, by asking, and by asking for much."""

    at_hand: Callable[[], Mapping[str, Look]]
    asked: Callable[[], Mapping[str, Look]]
    seldom: Callable[[], Mapping[str, Look]]


class HealthWatch:
    """Knows what was found last, and since when it is so."""

    def __init__(self, looks: HealthProbes, *, now: Callable[[], datetime]) -> None:
        self._looks, self._now = looks, now
        self._asked: dict[str, Finding] = {}
        self._refused: set[str] = set()
        self._round = 0
        self._since: dict[str, datetime] = {}
        self._said: dict[str, tuple[HealthState, bool]] = {}
        self._began = now()
        self._ending = False
        self.findings: tuple[Finding, ...] = ()
        """Of the last look."""

    async def attend(self, every: float) -> None:
        """Look at everything until cancelled."""
        await self.look()
        await forever(self._ask, every=every)

    async def look(self) -> tuple[Finding, ...]:
        """Return what is so now, as far as it is known without asking anybody else."""
        found = await looked(self._looks.at_hand(), within=_WITHIN)
        self._take(worst([*found, *self._asked.values()]))
        return self.findings

    async def readiness(self) -> Mapping[str, Any]:
        """Report for ``/readyz``."""
        return report([*await self.look(), *([_ENDING] if self._ending else [])], self._since, self._began)

    async def drained(self, seconds: float) -> None:
        """Say from now on that the bot is not ready, and wait until a balancer has seen that."""
        self._ending = True
        await asyncio.sleep(seconds)

    @property
    def ready(self) -> bool:
        return not self._ending and not any(finding.disabling for finding in self.findings)

    async def _ask(self) -> None:
        """Ask again and again. (The first time comes one pause after the start, which has just asked the same.)"""
        looks = dict(self._looks.asked()) if self._round else {}
        if self._round % SELDOM == 1:
            looks |= self._looks.seldom()
            self._asked = {about: found for about, found in self._asked.items() if about in looks}
        self._round += 1
        for about, finding in zip(looks, await looked(looks, within=_ASKED_WITHIN), strict=True):
            self._asked[about] = self._confirmed(about, finding)
        await self.look()

    def _confirmed(self, about: str, finding: Finding) -> Finding:
        """Count what disables the bot as that when it was seen twice in a row."""
        before = about in self._refused
        if not finding.disabling:
            self._refused.discard(about)
            return finding
        self._refused.add(about)
        return finding if before else replace(finding, state=HealthState.WARNING, disabling=False)

    def _take(self, findings: tuple[Finding, ...]) -> None:
        was = {finding.about: finding for finding in self.findings}
        ready = self.ready
        self.findings = findings
        for finding in findings:
            before, now = was.get(finding.about), (finding.state, finding.disabling)
            if before is None or (before.state, before.disabling) != now:
                self._since[finding.about] = self._now()
            # Straight after the start a warning may be what is not up yet: it is said if it is there one round later.
            if now != self._said.get(finding.about, (HealthState.OK, False)) and (self._round > 1 or finding.disabling):
                self._said[finding.about] = now
                self._say(finding)
        if ready is not self.ready:
            self._began = self._now()

    def _say(self, finding: Finding) -> None:
        say = log.error if finding.disabling else log.info if finding.state is HealthState.OK else log.warning
        why = finding.what if finding.state is not HealthState.OK else ""
        say(
            "health_changed",
            about=finding.about,
            state=str(finding.state),
            why=why,
            then=finding.next,
            ready=self.ready,
        )


# ---------------------------------------------------------------- file permissions
# Say which files of the bot others on this machine can read or change.
#
# A ``.env`` and a ledger are the bot's own user's; a policy may be read by a group, because a container's user is often
# another than whoever writes it. Who can write a policy can grant themselves a stop.

ABOUT: Final = "files"


def exposed(settings: Settings) -> list[str]:
    """Return one sentence for each exposed file; empty when none is."""
    return [f"{path.name}: {words}" for path, words in _looked_at(settings) if words]


async def look(settings: Settings) -> Finding:
    """Return the same as a finding."""
    found = exposed(settings)
    if not found:
        return Finding(ABOUT, HealthState.OK, "nobody else can read what is the bot's own")
    return Finding(
        ABOUT, HealthState.WARNING, " ".join(found), "Take it away from others; who could read a secret may have it."
    )


def _looked_at(settings: Settings) -> Iterator[tuple[Path, str]]:
    private, shared = stat.S_IRWXG | stat.S_IRWXO, stat.S_IWGRP | stat.S_IRWXO
    own = Path(str(settings.model_config.get("env_file") or ".env"))
    yield own, _who(own, private, "chmod 600")
    if settings.flows_bot_policy is not None:
        yield settings.flows_bot_policy, _who(settings.flows_bot_policy, shared, "chmod 640, with the bot's group")
    url = parsed_url(settings.flows_bot_database_url.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database:
        ledger = Path(url.database)
        yield ledger, _who(ledger, private, "chmod 600")


def _who(path: Path, kept: int, then: str) -> str:
    """Return what others can do to it that is not to be theirs; empty for what is not there."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    if not stat.S_ISREG(mode) or not mode & kept:
        return ""
    can = "read and change" if mode & kept & (stat.S_IWGRP | stat.S_IWOTH) else "read"
    return f"others on this machine can {can} it ({then})."


# ---------------------------------------------------------------- health checks
# Compose what ``/flows doctor`` looks at: each package's own health.
#
# The same looks serve ``/flows doctor``, the Home, whoever watches all the time (``HealthWatch``) and, those that need
# no running bot, ``flows-bot check``.

_IN_MEMORY: Final = ", as it is remembered"
LookAt: TypeAlias = Callable[[VoIPBINClient, LiveIndex | None], Awaitable[Finding]]


class HealthChecks:
    """What a running bot can be asked."""

    def __init__(
        self,
        client: AsyncWebClient,
        accounts: Mapping[str, tuple[VoIPBINClient, LiveIndex | None]],
        database: Database,
        in_force: PolicyInForce,
        access: Access,
        *,
        connection: Callable[[], Check | None],
        elsewhere: Callable[[], Check | None],
        alerts: Callable[[], Sequence[Check]],
        now: Callable[[], datetime],
    ) -> None:
        """What says why Socket Mode is not ready, that it is shared with strangers, and why alerts cannot be posted:
        each given once there is one. ``accounts``: by name, each with what follows it.
        """
        self._client, self._accounts = client, accounts
        self._useless: dict[str, set[str]] = {}
        self._database, self._in_force, self._connection, self._now = database, in_force, connection, now
        self._elsewhere, self._alerts, self._access = elsewhere, alerts, access
        self._began = now()

    def looks(self, channel: str) -> Mapping[str, Look]:
        """Return all there is to look at, for somebody in this channel."""
        client = self._client
        return {
            "flows-bot": self._itself,
            slack.SLACK: partial(slack.token, client),
            slack.DELIVERIES: self._deliveries,
            slack.CHANNEL: partial(slack.member, client, channel),
            slack.GROUPS: lambda: slack.groups(client, self._in_force.policy()),
            **self._each(voipbin.ACCOUNT, lambda account, _: voipbin.account(account)),
            **self._each(voipbin.CREDENTIAL, lambda account, _: voipbin.credential(account, self._now())),
            **self._each(voipbin.STREAM, lambda _, live_index: voipbin.event_stream(live_index)),
            **self._each(voipbin.REQUESTS, lambda account, _: voipbin.requests(account)),
            **self._own(),
            **self._witness(),
        }

    def at_a_glance(self) -> Mapping[str, Look]:
        """Return what is known without asking Slack or VoIPBIN."""
        return {
            slack.DELIVERIES: self._deliveries,
            **self._each(voipbin.ACCOUNT, lambda account, _: voipbin.introduced(account), kept=_IN_MEMORY),
            **self._each(voipbin.STREAM, lambda _, live_index: voipbin.event_stream(live_index)),
            **self._each(voipbin.REQUESTS, lambda account, _: voipbin.requests(account)),
            **self._own(),
        }

    def watched(self) -> HealthProbes:
        """Return the same for whoever watches all the time (``HealthWatch``): of no channel, and asked in turn."""
        return HealthProbes(
            at_hand=lambda: {slack.SLACK: self._refused, **self.at_a_glance()},
            asked=lambda: {
                slack.SLACK: partial(slack.token, self._client),
                **self._each(voipbin.ACCOUNT, lambda account, _: voipbin.account(account)),
            },
            seldom=lambda: {
                **self._each(voipbin.CREDENTIAL, lambda account, _: voipbin.credential(account, self._now())),
                **self._witness(),
            },
        )

    def _each(self, about: str, look: LookAt, *, kept: str = "") -> Mapping[str, Look]:
        """Return the same of each account. Where there are several, presses are useless only when they are so for all
        of them.
        """
        looks: dict[str, Look] = {}
        for name, (account, live_index) in self._accounts.items():
            of = voipbin.of_account(about, name)
            looks[of] = partial(self._one, f"{about}{kept}", name, of, partial(look, account, live_index))
        return looks

    async def _one(self, question: str, name: str, of: str, look: Look) -> Finding:
        finding = replace(await look(), about=of)
        useless = self._useless.setdefault(question, set())
        (useless.add if finding.disabling else useless.discard)(name)
        return replace(finding, disabling=finding.disabling and len(useless) == len(self._accounts))

    def _own(self) -> Mapping[str, Look]:
        return {
            "ledger": partial(ledger.ledger, self._database),
            "policy": partial(policy.in_force, self._in_force, [*self._accounts]),
            **({"alerts": self._alerting} if self._in_force.policy().alerts else {}),
        }

    def _witness(self) -> Mapping[str, Look]:
        channel = self._in_force.policy().rules.audit_channel
        if not channel:
            return {}
        return {maintenance.ABOUT: partial(maintenance.look, self._client, self._database, channel)}

    async def _itself(self) -> Finding:
        up = in_words(self._now() - self._began)
        return Finding("flows-bot", HealthState.OK, f"version {version('flows-bot')}, running for {up}")

    async def _alerting(self) -> Finding:
        said = [await check() for check in self._alerts()]
        why = " ".join(dict.fromkeys(filter(None, said)))
        if why:
            return Finding("alerts", HealthState.WARNING, why, "Until then no alerts are posted.")
        rules = len(self._in_force.policy().alerts)
        return Finding("alerts", HealthState.OK, f"{'1 rule' if rules == 1 else f'{rules} rules'} active")

    async def _refused(self) -> Finding:
        return slack.refused(await self._access.ready(), await self._access.complete())

    async def _deliveries(self) -> Finding:
        return await slack.deliveries(self._connection(), self._elsewhere())
