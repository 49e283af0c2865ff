"""Ask Slack who somebody is, without a bot."""

from pathlib import Path

from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.operators import Operator, Permission, Policy
from bot.misconfigured import Misconfigured
from bot.network import Proxy
from bot.slack.interaction import Interaction
from bot.slack.messaging.web_client import http_session, route, web_client
from bot.slack.people.identity import People
from bot.slack.people.installation import NotIntroduced, introduce


async def stated(
    user: str,
    channel: str,
    policy: Policy,
    permission: Permission,
    *,
    token: str,
    api_url: str,
    proxy: Proxy,
    ca_file: Path | None,
) -> Operator:
    """Look this person up there, as Slack states it now, as far as it decides about ``permission``. Raises
    ``Misconfigured``.
    """
    async with http_session() as session:
        try:
            client = web_client(token, api_url, session, route=route(proxy, ca_file))
        except OSError as trouble:
            raise Misconfigured(f"SLACK_CA_FILE: {type(trouble).__name__}.") from None
        try:
            people = People(client, await introduce(client), lambda: policy)
            return await people.asker(Interaction(user, "", channel), permission)
        except (NotIntroduced, IdentityUnknown) as trouble:
            raise Misconfigured(f"{trouble}.") from None
