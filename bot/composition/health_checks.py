"""Compose what ``/flows doctor`` looks at: each package's own health.

The same looks serve ``/flows doctor``, the Home, whoever watches all the time (``health_watch``) and, those that need no running bot, ``flows-bot check``.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from importlib.metadata import version

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


class HealthChecks:
    """What a running bot can be asked."""

    def __init__(
        self,
        client: AsyncWebClient,
        voipbin_: VoIPBINClient,
        following: Following | None,
        database: Database,
        in_force: PolicyInForce,
        access: Access,
        *,
        connection: Callable[[], Check | None],
        elsewhere: Callable[[], Check | None],
        alerts: Callable[[], Check | None],
        now: Callable[[], datetime],
    ) -> None:
        """What says why Socket Mode is not ready, that it is shared with strangers, and why alerts cannot be posted: each
        given once there is one.
        """
        self._client, self._voipbin, self._following = client, voipbin_, following
        self._database, self._in_force, self._connection, self._now = database, in_force, connection, now
        self._elsewhere, self._alerts, self._access = elsewhere, alerts, access
        self._began = now()

    def looks(self, channel: str) -> Mapping[str, Look]:
        """All there is to look at, for somebody in this channel."""
        client, account = self._client, self._voipbin
        return {
            "flows-bot": self._itself,
            slack.SLACK: partial(slack.token, client),
            slack.DELIVERIES: self._deliveries,
            slack.CHANNEL: partial(slack.member, client, channel),
            slack.GROUPS: lambda: slack.groups(client, self._in_force.policy()),
            voipbin.ACCOUNT: partial(voipbin.account, account),
            voipbin.CREDENTIAL: lambda: voipbin.credential(account, self._now()),
            voipbin.STREAM: partial(voipbin.event_stream, self._following),
            voipbin.REQUESTS: partial(voipbin.requests, account),
            **self._own(),
            **self._witness(),
        }

    def at_a_glance(self) -> Mapping[str, Look]:
        """What is known without asking Slack or VoIPBIN."""
        return {
            slack.DELIVERIES: self._deliveries,
            voipbin.ACCOUNT: partial(voipbin.introduced, self._voipbin),
            voipbin.STREAM: partial(voipbin.event_stream, self._following),
            voipbin.REQUESTS: partial(voipbin.requests, self._voipbin),
            **self._own(),
        }

    def watched(self) -> Looks:
        """The same for whoever watches all the time (``health_watch``): of no channel, and asked in turn."""
        return Looks(
            at_hand=lambda: {slack.SLACK: self._refused, **self.at_a_glance()},
            asked=lambda: {
                slack.SLACK: partial(slack.token, self._client),
                voipbin.ACCOUNT: partial(voipbin.account, self._voipbin),
            },
            seldom=lambda: {
                voipbin.CREDENTIAL: lambda: voipbin.credential(self._voipbin, self._now()),
                **self._witness(),
            },
        )

    def _own(self) -> Mapping[str, Look]:
        return {
            "ledger": partial(ledger.ledger, self._database),
            "policy": partial(policy.in_force, self._in_force),
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
        check = self._alerts()
        why = await check() if check is not None else ""
        if why:
            return Finding("alerts", State.WARNING, why, "Until then no alerts are posted.")
        rules = len(self._in_force.policy().alerts)
        return Finding("alerts", State.OK, f"{'1 rule' if rules == 1 else f'{rules} rules'} active")

    async def _refused(self) -> Finding:
        return slack.refused(await self._access.ready(), await self._access.complete())

    async def _deliveries(self) -> Finding:
        return await slack.deliveries(self._connection(), self._elsewhere())
