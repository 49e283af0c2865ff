"""Compose what ``/flows doctor`` looks at: each package's own health.

The same looks serve ``/flows doctor``, the Home, whoever watches all the time (``health_watch``) and, those that need no running bot, ``flows-bot check``.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Final, TypeAlias

from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.ages import in_words
from bot.activeflows.health import Finding, Look, State
from bot.composition import audit_witness
from bot.composition.health_watch import Looks
from bot.ledger import health as ledger
from bot.ledger.database import Database
from bot.policy import PolicyInForce
from bot.policy import health as policy
from bot.slack import health as slack
from bot.slack.people.access import Access
from bot.slack.transport.http import Check
from bot.voipbin import Following, VoIPBINClient
from bot.voipbin import health as voipbin

_IN_MEMORY: Final = ", as it is remembered"
LookAt: TypeAlias = Callable[[VoIPBINClient, Following | None], Awaitable[Finding]]


class HealthChecks:
    """What a running bot can be asked."""

    def __init__(
        self,
        client: AsyncWebClient,
        accounts: Mapping[str, tuple[VoIPBINClient, Following | None]],
        database: Database,
        in_force: PolicyInForce,
        access: Access,
        *,
        connection: Callable[[], Check | None],
        elsewhere: Callable[[], Check | None],
        alerts: Callable[[], Sequence[Check]],
        now: Callable[[], datetime],
    ) -> None:
        """What says why Socket Mode is not ready, that it is shared with strangers, and why alerts cannot be posted: each
        given once there is one. ``accounts``: by name, each with what follows it.
        """
        self._client, self._accounts = client, accounts
        self._useless: dict[str, set[str]] = {}
        self._database, self._in_force, self._connection, self._now = database, in_force, connection, now
        self._elsewhere, self._alerts, self._access = elsewhere, alerts, access
        self._began = now()

    def looks(self, channel: str) -> Mapping[str, Look]:
        """All there is to look at, for somebody in this channel."""
        client = self._client
        return {
            "flows-bot": self._itself,
            slack.SLACK: partial(slack.token, client),
            slack.DELIVERIES: self._deliveries,
            slack.CHANNEL: partial(slack.member, client, channel),
            slack.GROUPS: lambda: slack.groups(client, self._in_force.policy()),
            **self._each(voipbin.ACCOUNT, lambda account, _: voipbin.account(account)),
            **self._each(voipbin.CREDENTIAL, lambda account, _: voipbin.credential(account, self._now())),
            **self._each(voipbin.STREAM, lambda _, following: voipbin.event_stream(following)),
            **self._each(voipbin.REQUESTS, lambda account, _: voipbin.requests(account)),
            **self._own(),
            **self._witness(),
        }

    def at_a_glance(self) -> Mapping[str, Look]:
        """What is known without asking Slack or VoIPBIN."""
        return {
            slack.DELIVERIES: self._deliveries,
            **self._each(voipbin.ACCOUNT, lambda account, _: voipbin.introduced(account), kept=_IN_MEMORY),
            **self._each(voipbin.STREAM, lambda _, following: voipbin.event_stream(following)),
            **self._each(voipbin.REQUESTS, lambda account, _: voipbin.requests(account)),
            **self._own(),
        }

    def watched(self) -> Looks:
        """The same for whoever watches all the time (``health_watch``): of no channel, and asked in turn."""
        return Looks(
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
        """The same of each account. Where there are several, presses are useless only when they are so for all of them."""
        looks: dict[str, Look] = {}
        for name, (account, following) in self._accounts.items():
            of = voipbin.of_account(about, name)
            looks[of] = partial(self._one, f"{about}{kept}", name, of, partial(look, account, following))
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
        return {audit_witness.ABOUT: partial(audit_witness.look, self._client, self._database, channel)}

    async def _itself(self) -> Finding:
        up = in_words(self._now() - self._began)
        return Finding("flows-bot", State.OK, f"version {version('flows-bot')}, running for {up}")

    async def _alerting(self) -> Finding:
        said = [await check() for check in self._alerts()]
        why = " ".join(dict.fromkeys(filter(None, said)))
        if why:
            return Finding("alerts", State.WARNING, why, "Until then no alerts are posted.")
        rules = len(self._in_force.policy().alerts)
        return Finding("alerts", State.OK, f"{'1 rule' if rules == 1 else f'{rules} rules'} active")

    async def _refused(self) -> Finding:
        return slack.refused(await self._access.ready(), await self._access.complete())

    async def _deliveries(self) -> Finding:
        return await slack.deliveries(self._connection(), self._elsewhere())
