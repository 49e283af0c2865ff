"""Ask Slack who somebody is, without a bot."""

from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.operators import Operator, Permission, Policy
from bot.misconfigured import Misconfigured
from bot.slack.app import web_client
from bot.slack.gestures import Gesture
from bot.slack.identity import People
from bot.slack.installation import NotIntroduced, introduce
from bot.slack.session import http_session


async def stated(
    user: str, channel: str, policy: Policy, permission: Permission, *, token: str, api_url: str
) -> Operator:
    """This person there, as Slack states it now, as far as it decides about ``permission``. Raises ``Misconfigured``."""
    async with http_session() as session:
        client = web_client(token, api_url, session)
        try:
            people = People(client, await introduce(client), lambda: policy)
            return await people.asker(Gesture(user, "", channel), permission)
        except (NotIntroduced, IdentityUnknown) as trouble:
            raise Misconfigured(f"{trouble}.") from None
