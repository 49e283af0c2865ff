"""``flows-bot check``: is everything the bot needs working? It looks, and carries out nothing.

Decision: not a bot started and stopped, because a starting bot takes over the stops that were cut off, and one of those
may be under way in the bot that runs beside this.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

from pydantic import BaseModel
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import logs
from bot.connecting import installed, opened, reached, secret_of
from bot.misconfigured import Misconfigured
from bot.policy import read_policy
from bot.settings import Settings, from_environment, without_surprises
from bot.slack.app import http_session, web_client
from bot.slack.telling import error_word


class Check(BaseModel):
    """Is everything this bot needs working? Ends with status 1 when something is wrong."""

    async def cli_cmd(self) -> None:
        without_surprises()
        settings = from_environment(Settings)
        logs.configure(settings.flows_bot_log_format, "ERROR")
        wrong = 0
        async with AsyncExitStack() as stack:
            async for line, right in _findings(settings, stack):
                print(("ok    " if right else "WRONG ") + line)
                wrong += not right
        sys.exit(1 if wrong else 0)


async def _findings(settings: Settings, stack: AsyncExitStack) -> AsyncIterator[tuple[str, bool]]:
    session = await stack.enter_async_context(http_session())
    client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
    try:
        home = await installed(client, settings)
        yield f"Slack: installed in workspace {home.team} ({home.team_id})", True
    except Misconfigured as trouble:
        yield f"Slack: {trouble}", False
    if settings.socket_mode:
        yield await _socket(client, secret_of(settings.slack_app_token))
    try:
        voipbin = await reached(settings, stack)
        yield f"VoIPBIN: the account of {voipbin.customer.name or 'a customer'} ({voipbin.customer.id})", True
    except Misconfigured as trouble:
        yield f"VoIPBIN: {trouble}", False
    except Exception as trouble:  # noqa: BLE001 - a check says what is wrong, whatever it is
        yield f"VoIPBIN: {getattr(trouble, 'what', type(trouble).__name__)}", False
    yield await _ledger(settings, stack)
    try:
        grants = len(read_policy(settings.flows_bot_policy).grants)
        yield f"policy: {grants} grants" + ("" if grants else ": nobody may do anything"), bool(grants)
    except Misconfigured as trouble:
        yield f"policy: {trouble}", False


async def _socket(client: AsyncWebClient, app_token: str) -> tuple[str, bool]:
    """Asks for an address to connect to, and does not connect."""
    try:
        await client.apps_connections_open(app_token=app_token)
    except SlackApiError as refused:
        return f"Socket Mode: Slack does not accept SLACK_APP_TOKEN: {error_word(refused)}", False
    except Exception as trouble:  # noqa: BLE001 - as above
        return f"Socket Mode: {type(trouble).__name__}", False
    return "Socket Mode: may connect", True


async def _ledger(settings: Settings, stack: AsyncExitStack) -> tuple[str, bool]:
    url = settings.flows_bot_database_url.get_secret_value()
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():  # noqa: ASYNC240 - nothing else runs
        return "ledger: there is none yet; the first start makes it", True
    try:
        await opened(settings, stack)
    except Misconfigured as trouble:
        return f"ledger: {trouble}", False
    return "ledger: can be read and written", True
