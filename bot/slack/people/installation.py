"""Ask once at the start whose workspace this bot lives in.

What ``auth.test`` says is what every delivery is compared with (``intake``), and who counts as a stranger
(``identity``). Decision: an installation for a whole organisation is refused, in words: "members" would mean everybody
in it, and a user group another one in each workspace. https://docs.slack.dev/reference/methods/auth.test
"""

import asyncio
from dataclasses import dataclass
from typing import Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.messaging.web_client import error_word, lost_words

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Installation:
    """This app, installed in this workspace. Ids only. ``enterprise_id`` is empty outside of Enterprise Grid."""

    team_id: str
    bot_user_id: str
    bot_id: str
    app_id: str = ""
    """Empty when Slack did not say: then deliveries cannot be checked for it."""
    enterprise_id: str = ""
    bot_name: str = "flows-bot"
    team: str = ""
    """The workspace's name, for people reading a log or a doctor's report."""

    @property
    def mention(self) -> str:
        """What people type to mention it."""
        return f"@{self.bot_name}"


_WHOLE_ORGANISATION: Final = (
    "the app is installed for the whole organisation, and this bot serves one workspace, "
    "whose members the policy means: "
    "install it in that workspace, and take the token from there"
)


class NotIntroduced(Exception):
    """Slack did not accept the bot's token, or did not answer. The text says what to do, never the token."""


async def introduce(client: AsyncWebClient, *, app_token: str = "", within: float = 10.0) -> Installation:
    """Ask Slack who this bot is. Raises ``NotIntroduced``.

    The app's id comes from ``bots.info`` (needs ``users:read``), else from the app-level token, which carries it.
    """
    try:
        async with asyncio.timeout(within):
            me = (await client.auth_test()).data
            if not isinstance(me, dict) or not me.get("bot_id"):
                raise NotIntroduced("SLACK_BOT_TOKEN is not a bot's token: take the one that begins with xoxb-")
            if me.get("is_enterprise_install"):
                raise NotIntroduced(_WHOLE_ORGANISATION)
            app_id = await _app_id(client, str(me["bot_id"])) or _app_id_in(app_token)
    except SlackApiError as refused:
        raise NotIntroduced(f"Slack does not accept SLACK_BOT_TOKEN: {error_word(refused)}") from None
    except (SlackClientError, aiohttp.ClientError, OSError, ValueError) as lost:
        raise NotIntroduced(f"Slack {lost_words(lost)}") from None
    if not app_id:
        log.warning("app_id_unknown", consequence="deliveries are not compared with this app's id")
    return Installation(
        team_id=str(me.get("team_id") or ""),
        bot_user_id=str(me.get("user_id") or ""),
        bot_id=str(me["bot_id"]),
        app_id=app_id,
        enterprise_id=str(me.get("enterprise_id") or ""),
        bot_name=str(me.get("user") or "flows-bot"),
        team=str(me.get("team") or ""),
    )


async def _app_id(client: AsyncWebClient, bot_id: str) -> str:
    try:
        bot = (await client.bots_info(bot=bot_id)).get("bot")
    except SlackApiError as refused:
        log.info("bots_info_refused", error=error_word(refused))
        return ""
    return str(bot.get("app_id") or "") if isinstance(bot, dict) else ""


def _app_id_in(app_token: str) -> str:
    """Read the app's id: ``xapp-1-A0123456789-…`` names its app in the third part."""
    parts = app_token.split("-")
    return parts[2] if len(parts) > 3 and parts[0] == "xapp" and parts[2].startswith("A") else ""
