"""Build the clients of Slack, VoIPBIN and the ledger from the settings.

What is wrong is ``Misconfigured``, in one line for the person who starts the bot. Decision: a VoIPBIN that cannot be
reached, or does not answer for some seconds, does not hold up the start: a bot that says so is better than none. A
credential it refuses does.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import structlog
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from bot.activeflows.errors import CredentialRejected, Failure, LedgerUnavailable
from bot.composition.background import beside
from bot.ledger.database import Database
from bot.ledger.instance_lock import AnotherInstance, alone
from bot.ledger.layout import ForeignLayout, NewerLedger
from bot.misconfigured import Misconfigured
from bot.settings import Settings
from bot.slack.messaging.session import Route, route
from bot.slack.people.access import Access
from bot.slack.people.installation import Installation, NotIntroduced, introduce
from bot.voipbin import AccessKey, Login, Patience, VoIPBINClient, connected

T = TypeVar("T")
log = structlog.get_logger(__name__)


async def installed(client: AsyncWebClient, settings: Settings, access: Access) -> Installation:
    """Where this bot is installed, as Slack says; ``access`` learns whose token it is."""
    try:
        installation = await introduce(client, app_token=secret_of(settings.slack_app_token))
    except NotIntroduced as trouble:
        raise Misconfigured(f"{trouble}.") from None
    access.bot_user_id = installation.bot_user_id
    return installation


def route_to_slack(settings: Settings) -> Route:
    """Through the proxy, and trusting whom the settings say."""
    try:
        return route(settings.proxy, settings.slack_ca_file)
    except OSError as trouble:
        raise Misconfigured(f"SLACK_CA_FILE: {type(trouble).__name__}.") from None


async def voipbin_at(settings: Settings, stack: AsyncExitStack, asking: Patience | None = None) -> VoIPBINClient:
    """A client of it, that has asked nothing yet."""
    credential = (
        AccessKey(settings.voipbin_access_key.get_secret_value(), in_query=settings.voipbin_access_key_in_query)
        if settings.voipbin_access_key
        else Login(settings.voipbin_username or "", secret_of(settings.voipbin_password))
    )
    try:
        return await stack.enter_async_context(
            connected(
                api_url=settings.voipbin_api_url,
                credential=credential,
                ca_file=settings.voipbin_ca_file,
                proxy=settings.proxy,
                budget=settings.voipbin_requests_per_second,
                patience=asking,
            )
        )
    except (ValueError, OSError) as trouble:
        raise Misconfigured(f"VOIPBIN_API_URL or VOIPBIN_CA_FILE: {type(trouble).__name__}.") from None


async def reached(settings: Settings, stack: AsyncExitStack, asking: Patience | None = None) -> VoIPBINClient:
    """Connected and, if VoIPBIN can be reached, introduced; if not, the bot starts, says so, and keeps trying."""
    voipbin = await voipbin_at(settings, stack, asking)
    try:
        async with asyncio.timeout((asking or Patience()).at_start):
            await voipbin.introduce()
    except CredentialRejected as refused:
        raise Misconfigured(f"VoIPBIN does not accept the credential: {refused.what} ({refused.request_id}).") from None
    except (Failure, TimeoutError) as trouble:
        why = trouble.what if isinstance(trouble, Failure) else "VoIPBIN has not said yet whose account this is"
        log.warning("voipbin_not_reached", why=why, request_id=getattr(trouble, "request_id", ""))
        await stack.enter_async_context(beside(_introduce_later(voipbin)))
    return voipbin


async def _introduce_later(voipbin: VoIPBINClient) -> None:
    while True:
        await asyncio.sleep(5)
        with contextlib.suppress(Failure):
            log.info("voipbin_reached", customer=str((await voipbin.introduce()).id))
            return


async def opened(settings: Settings, stack: AsyncExitStack) -> Database:
    """The ledger, with its tables."""
    database, _ = await _opened(settings, stack, Database.prepare)
    return database


async def rehearsed(settings: Settings, stack: AsyncExitStack) -> tuple[Database, bool]:
    """The same, with nothing made or changed; whether the tables are there."""
    return await _opened(settings, stack, Database.rehearse)


async def _opened(
    settings: Settings, stack: AsyncExitStack, prepare: Callable[[Database], Awaitable[T]]
) -> tuple[Database, T]:
    try:
        database = Database(settings.flows_bot_database_url.get_secret_value())
        stack.push_async_callback(database.close)
        prepared = await prepare(database)
    except ForeignLayout as foreign:
        raise Misconfigured(
            "FLOWS_BOT_DATABASE_URL: the ledger there was made by another version of this bot, or by another program: "
            f"{foreign}."
        ) from None
    except NewerLedger as newer:
        raise Misconfigured(
            f"FLOWS_BOT_DATABASE_URL: a newer flows-bot has upgraded it: {newer}. Nothing was changed, and no stop begun. "
            "Start the newer version, or restore the backup from before the upgrade."
        ) from None
    except (LedgerUnavailable, SQLAlchemyError):
        raise Misconfigured("FLOWS_BOT_DATABASE_URL: that database cannot be opened or written.") from None
    return database, prepared


def kept_alone(database: Database, stack: AsyncExitStack) -> None:
    """No other bot on the same SQLite file from now on."""
    try:
        stack.enter_context(alone(database.url))
    except AnotherInstance:
        raise Misconfigured(
            "FLOWS_BOT_DATABASE_URL: another bot is running on that file. Several need PostgreSQL."
        ) from None
    except sqlite3.Error:
        raise Misconfigured("FLOWS_BOT_DATABASE_URL: no file can be written beside that one.") from None


def secret_of(secret: SecretStr | None) -> str:
    """The value, or nothing."""
    return secret.get_secret_value() if secret else ""
