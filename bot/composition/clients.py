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
from uuid import UUID

import structlog
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from bot.activeflows.errors import CredentialRejected, Failure, LedgerUnavailable
from bot.activeflows.numbers import SHORTEST, Number, Plan
from bot.composition.background import beside
from bot.ledger.database import Database
from bot.ledger.sqlite import AnotherInstance, alone
from bot.ledger.tables import ForeignLayout, NewerLedger
from bot.misconfigured import Misconfigured
from bot.settings import AccountSettings, Settings
from bot.slack.messaging.web_client import Access, Route, route
from bot.slack.people.installation import Installation, NotIntroduced, introduce
from bot.voipbin import AccessKey, Login, NotSetUp, RequestPauses, VoIPBINClient, connected

T = TypeVar("T")
log = structlog.get_logger(__name__)


async def installed(client: AsyncWebClient, settings: Settings, access: Access) -> Installation:
    """Return where this bot is installed, as Slack says; ``access`` learns whose token it is."""
    try:
        installation = await introduce(client, app_token=secret_of(settings.slack_app_token))
    except NotIntroduced as trouble:
        raise Misconfigured(f"{trouble}.") from None
    access.bot_user_id = installation.bot_user_id
    return installation


def route_to_slack(settings: Settings) -> Route:
    """Return the route through the proxy, trusting whom the settings say."""
    try:
        return route(settings.proxy, settings.slack_ca_file)
    except OSError as trouble:
        raise Misconfigured(f"SLACK_CA_FILE: {type(trouble).__name__}.") from None


async def voipbin_at(
    settings: Settings, account: AccountSettings, stack: AsyncExitStack, asking: RequestPauses | None = None
) -> VoIPBINClient:
    """Return a client of one account, that has asked nothing yet."""
    credential = (
        AccessKey(account.access_key.get_secret_value(), in_query=bool(account.access_key_in_query))
        if account.access_key
        else Login(account.username or "", secret_of(account.password))
    )
    return await _client(settings, account, credential, stack, asking)


async def not_set_up(settings: Settings, why: str, stack: AsyncExitStack) -> VoIPBINClient:
    """Return what stands for an account that the settings do not have: it asks nothing and sends nothing, and says
    ``why``.
    """
    return await _client(settings, next(iter(settings.accounts.values())), NotSetUp(why), stack, None)


async def _client(
    settings: Settings,
    account: AccountSettings,
    credential: AccessKey | Login | NotSetUp,
    stack: AsyncExitStack,
    asking: RequestPauses | None,
) -> VoIPBINClient:
    try:
        return await stack.enter_async_context(
            connected(
                api_url=account.api_url or settings.voipbin_api_url,
                credential=credential,
                ca_file=account.ca_file,
                proxy=settings.proxy,
                budget=account.requests_per_second or settings.voipbin_requests_per_second,
                patience=asking,
            )
        )
    except (ValueError, OSError) as trouble:
        raise Misconfigured(f"VOIPBIN_API_URL or VOIPBIN_CA_FILE: {type(trouble).__name__}.") from None


async def all_reached(
    settings: Settings, stack: AsyncExitStack, asking: RequestPauses | None = None
) -> dict[str, VoIPBINClient]:
    """Return a client of each account, as ``_reached``. One whose credential is refused ends the start if there is no
    other.

    Two names for one customer end it, too: the claims of one would not be seen by the other.
    """
    clients = {name: await voipbin_at(settings, each, stack, asking) for name, each in settings.accounts.items()}
    owners = _Owners()
    refused = await asyncio.gather(*(_reached(name, each, owners, stack, asking) for name, each in clients.items()))
    if all(refused):
        raise Misconfigured(*(words for words in refused if words))
    if owners.mistakes:
        raise Misconfigured(*owners.mistakes)
    return clients


class _Owners:
    """Knows whose account each name opens."""

    def __init__(self) -> None:
        self._names: dict[UUID, str] = {}
        self.mistakes: list[str] = []

    def note(self, name: str, voipbin: VoIPBINClient) -> bool:
        """Note what it opens, and tell whether no other name opens the same; else nothing is this client's from now
        on.
        """
        other = self._names.setdefault(voipbin.customer.id, name)
        if other == name:
            return True
        why = (
            f"VOIPBIN_ACCOUNT__{name.upper()}__… and VOIPBIN_ACCOUNT__{other.upper()}__… open the same VoIPBIN account"
        )
        voipbin.disown(why)
        self.mistakes.append(f"{why}: it can have one name only.")
        return False


async def _reached(
    name: str, voipbin: VoIPBINClient, owners: _Owners, stack: AsyncExitStack, asking: RequestPauses | None
) -> str:
    """Introduce the client, if VoIPBIN can be reached; if not, the bot starts, says so, and keeps trying. Why it is
    refused.
    """
    whose, refusal = {"account": name} if name else {}, ""
    try:
        async with asyncio.timeout((asking or RequestPauses()).at_start):
            await voipbin.introduce()
            owners.note(name, voipbin)
            return ""
    except CredentialRejected as refused:
        of = f" of {name}" if name else ""
        refusal = f"VoIPBIN does not accept the credential{of}: {refused.what} ({refused.request_id})."
        if not name:
            return refusal
        log.error("voipbin_not_reached", why=refused.what, request_id=refused.request_id, **whose)
    except (Failure, TimeoutError) as trouble:
        why = trouble.what if isinstance(trouble, Failure) else "VoIPBIN has not said yet whose account this is"
        log.warning("voipbin_not_reached", why=why, request_id=getattr(trouble, "request_id", ""), **whose)
    await stack.enter_async_context(beside(_introduce_later(name, voipbin, owners)))
    return refusal


async def _introduce_later(name: str, voipbin: VoIPBINClient, owners: _Owners) -> None:
    while True:
        await asyncio.sleep(5)
        with contextlib.suppress(Failure):
            customer = await voipbin.introduce()
            whose = {"account": name} if name else {}
            if owners.note(name, voipbin):
                log.info("voipbin_reached", customer=str(customer.id), **whose)
            else:
                log.error("voipbin_account_twice", why=owners.mistakes[-1], **whose)
            return


async def opened(settings: Settings, stack: AsyncExitStack) -> Database:
    """Return the ledger, with its tables."""
    database, _ = await _opened(settings, stack, Database.prepare)
    return database


async def rehearsed(settings: Settings, stack: AsyncExitStack) -> tuple[Database, bool]:
    """Return the same, with nothing made or changed; whether the tables are there."""
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
            f"FLOWS_BOT_DATABASE_URL: a newer flows-bot has upgraded it: {newer}. Nothing was "
            "changed, and no stop begun. "
            "Start the newer version, or restore the backup from before the upgrade."
        ) from None
    except (LedgerUnavailable, SQLAlchemyError):
        raise Misconfigured("FLOWS_BOT_DATABASE_URL: that database cannot be opened or written.") from None
    return database, prepared


def kept_alone(database: Database, stack: AsyncExitStack) -> None:
    """Let no other bot run on the same SQLite file from now on."""
    try:
        stack.enter_context(alone(database.url))
    except AnotherInstance:
        raise Misconfigured(
            "FLOWS_BOT_DATABASE_URL: another bot is running on that file. Several need PostgreSQL."
        ) from None
    except sqlite3.Error:
        raise Misconfigured("FLOWS_BOT_DATABASE_URL: no file can be written beside that one.") from None


def secret_of(secret: SecretStr | None) -> str:
    """Return the value, or nothing."""
    return secret.get_secret_value() if secret else ""


# ---------------------------------------------------------------- dialling
# Read telephone numbers by the rules of their countries, with Google's libphonenumber.
#
# https://github.com/daviddrysdale/python-phonenumbers
#
# Decision: only numbers that are valid by those rules are read so; what they do not know (made-up numbers, extensions,
# new ranges) is compared as without them. A number that leaves out its area, too, is in the region and matched by its
# ending.


def plan_of(region: str) -> Plan:
    """Make the plan for numbers that are written in this region (ISO 3166)."""
    import phonenumbers  # noqa: PLC0415 # every country's rules, for who asks for a region's

    def parsed(written: str) -> phonenumbers.PhoneNumber | None:
        try:
            return phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            return None

    def read(written: str) -> Number | None:
        for attempt in (written, f"+{written[2:]}" if written.startswith("00") else ""):
            number = parsed(attempt)
            if number is not None and phonenumbers.is_valid_number(number):
                national = phonenumbers.national_significant_number(number)
                return Number(f"{number.country_code}{national}", international=True)
        number = parsed(written)
        if number is None or written.startswith("+"):
            return None
        possible = phonenumbers.is_possible_number_with_reason(number)
        local = possible is phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY
        national = phonenumbers.national_significant_number(number)
        return Number(national, country=str(number.country_code)) if local and len(national) >= SHORTEST else None

    return read
